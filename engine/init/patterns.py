"""Options that choose parameters by regular expressions. An expression must fit the parameter's
whole path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from initlab.engine.errors import OptionError, OptionErrors
from initlab.engine.registry import advice


def patterns(option: str, value: Any) -> list[str]:
    """Return the list of regular expressions. Raises OptionError for anything else."""
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(pattern, str) for pattern in value
    ):
        raise OptionError(
            option, f"must be a list of regular expressions, each for whole paths, got {value!r}"
        )
    return [regular(f"{option}[{number}]", pattern) for number, pattern in enumerate(value)]


def regular(option: str, value: Any) -> str:
    """Return a regular expression as text. Raises OptionError for anything else."""
    if not isinstance(value, str):
        raise OptionError(option, f"must be a regular expression, got {value!r}")
    try:
        re.compile(value)
    except re.error as error:
        raise OptionError(option, f"is no regular expression: {error} in {value!r}") from None
    return value


Patterns = Annotated[list[str], patterns]
"""An option that chooses parameters by their paths."""


def fits(chosen: Iterable[str], path: str) -> bool:
    """Return whether one of the patterns fits the whole structural path."""
    structural = path.rpartition("/")[2]
    return any(re.fullmatch(pattern, structural) for pattern in chosen)


def check_fit(options: dict[str, list[str]], paths: Iterable[str]) -> None:
    """Raise OptionErrors with every pattern that fits none of the paths."""
    known = list(paths)
    OptionErrors.raise_any(
        [
            OptionError(
                f"{option}[{number}]",
                f"'{pattern}' matches nothing - {advice(pattern, known)}",
                unknown=True,
            )
            for option, chosen in options.items()
            for number, pattern in enumerate(chosen)
            if not any(fits([pattern], path) for path in known)
        ]
    )
