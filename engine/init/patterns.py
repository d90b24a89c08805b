"""Parameters chosen by their paths: options that hold regular expressions, each of which must fit a
whole path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from initlab.engine.errors import OptionError
from initlab.engine.registry import advice


def patterns(option: str, value: Any) -> list[str]:
    """The list of regular expressions. OptionError unless it is one."""
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(pattern, str) for pattern in value
    ):
        raise OptionError(
            option, f"must be a list of regular expressions, each for whole paths, got {value!r}"
        )
    for number, pattern in enumerate(value):
        try:
            re.compile(pattern)
        except re.error as error:
            raise OptionError(
                f"{option}[{number}]", f"is no regular expression: {error} in {pattern!r}"
            ) from None
    return list(value)


Patterns = Annotated[list[str], patterns]
"""An option that chooses parameters by their paths."""


def fits(chosen: Iterable[str], path: str) -> bool:
    """Whether one of them fits the whole structural path."""
    structural = path.rpartition("/")[2]
    return any(re.fullmatch(pattern, structural) for pattern in chosen)


def unmatched(options: dict[str, list[str]], paths: Iterable[str]) -> list[str]:
    """A line for every pattern that fits none of the paths."""
    known = list(paths)
    return [
        f"{option}[{number}] ('{pattern}') matches nothing - {advice(pattern, known)}"
        for option, chosen in options.items()
        for number, pattern in enumerate(chosen)
        if not any(fits([pattern], path) for path in known)
    ]
