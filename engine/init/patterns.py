"""Options that choose parameters by regular expressions. An expression must fit the parameter's
whole path.

Python's expressions try every way to split a text between repeats: `(a+)+` needs a time that doubles
with each letter. An expression that may do so is given `SECONDS` for a path, where the process can
be woken (in its main thread, unless it uses SIGALRM itself).
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Annotated, Any, NoReturn

from initlab.engine.errors import OptionError, OptionErrors
from initlab.engine.options import Told
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


SECONDS = 0.5
"""The time for one path."""
MAY_BACKTRACK = re.compile(r"\)[*+{]|([*+}].*){4}", re.DOTALL)
"""A group that is repeated, or more than three repeats."""


class Expression:
    """A regular expression that a whole path must fit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = re.compile(text)
        self._bounded = MAY_BACKTRACK.search(text) is not None
        self._too_slow: str | None = None

    def fits(self, path: str) -> bool:
        """Return whether the whole structural path fits.

        Raises OptionError if that takes more than `SECONDS`, and from then on at once.
        """
        structural = path.rpartition("/")[2]
        if not self._bounded:
            return self._compiled.fullmatch(structural) is not None
        if self._too_slow is None:
            try:
                with _woken_after(SECONDS):
                    return self._compiled.fullmatch(structural) is not None
            except _TooSlow:
                self._too_slow = structural
        raise OptionError(
            "",
            f"{self.text!r} takes more than {SECONDS} seconds for '{self._too_slow}' - write it "
            "without a repeat of a repeat, and with few of them",
        )


class _TooSlow(Exception):
    """Raised in the midst of a match."""


@contextmanager
def _woken_after(seconds: float) -> Iterator[None]:
    """Raise _TooSlow inside the `with` after so many seconds, if this process can be woken."""
    free = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    )
    if not free:
        yield
        return

    def wake(number: int, frame: object) -> NoReturn:
        raise _TooSlow

    signal.signal(signal.SIGALRM, wake)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@lru_cache(4096)
def expression(text: str) -> Expression:
    """Return the expression of a text, which remembers that it is too slow."""
    return Expression(text)


Patterns = Annotated[list[str], patterns, Told("a list of regular expressions")]
"""An option that chooses parameters by their paths."""


def fits(chosen: Iterable[str], path: str) -> bool:
    """Return whether one of the patterns fits the whole structural path."""
    return any(expression(pattern).fits(path) for pattern in chosen)


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
