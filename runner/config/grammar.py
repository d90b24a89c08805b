"""The grammar of the command line's words: Hydra's, with ranges of our own.

Hydra 1.3.8 computes some ranges wrongly: it counts in binary fractions, so that
`range(0.1,0.4,0.1)` has four values, and it sorts a range by its bounds, not by its values. Here a
range counts in the decimal fractions that were typed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep

Exact: TypeAlias = int | Fraction


@dataclass
class Range(RangeSweep):
    """The numbers start, start + step, … before stop: whole numbers if all three are, else floats.

    `start`, `stop` and `step` are exact: a number typed as 0.1 is one tenth.
    """

    start: Any = 0
    stop: Any = 0
    step: Any = 1

    def __len__(self) -> int:
        steps = Fraction(self.stop - self.start) / Fraction(self.step)
        return max(0, math.ceil(steps))

    def __iter__(self) -> Iterator[int | float]:
        whole = all(isinstance(part, int) for part in (self.start, self.stop, self.step))
        for number in range(len(self)):
            value = self.start + number * self.step
            yield value if whole else float(value)

    def range(self) -> Any:
        """Return the values; Hydra asks for them."""
        return iter(self)

    def sorted(self, reverse: bool) -> Range:
        """Return the range of the same values, the smallest first, or with `reverse` the largest."""
        if len(self) == 0 or (self.step < 0) == reverse:
            return replace(self, shuffle=False)
        first = self.start + (len(self) - 1) * self.step
        return replace(
            self, start=first, stop=self.start - self.step, step=-self.step, shuffle=False
        )

    def nearest(self, value: float) -> int | float:
        """Return the value of the range that is nearest to a number."""
        number = round((Fraction(value) - self.start) / self.step)
        found = self.start + min(max(number, 0), len(self) - 1) * self.step
        return found if isinstance(found, int) else float(found)


def _exact(number: float) -> Exact:
    """Return a number of a word exactly. Raises ValueError if it is not finite."""
    if isinstance(number, int):
        return int(number)
    if not math.isfinite(number):
        raise ValueError(f"a range needs finite numbers, got {number}")
    return Fraction(repr(number))


def _range(start: float, stop: float | None = None, step: float = 1) -> Range:
    if step == 0:
        raise ValueError("a range needs a step that is not 0")
    if stop is None:
        start, stop = 0, start
    return Range(start=_exact(start), stop=_exact(stop), step=_exact(step))


def _sort(hydras: Callable[..., Any]) -> Callable[..., Any]:
    def sort(*args: Any, sweep: Any = None, list: Any = None, reverse: bool = False) -> Any:
        given = args[0] if len(args) == 1 else sweep
        if isinstance(given, Range):
            return given.sorted(reverse)
        made = hydras(*args, sweep=sweep, list=list, reverse=reverse)
        return replace(made, shuffle=False) if isinstance(made, ChoiceSweep) else made

    return sort


def _cast(hydras: Callable[..., Any], to: Callable[[Any], Any]) -> Callable[..., Any]:
    def cast(*args: Any, value: Any = None) -> Any:
        given = args[0] if len(args) == 1 else value
        if not isinstance(given, Range):
            return hydras(*args, value=value)
        bounds = (to(part) for part in (given.start, given.stop, given.step))
        return replace(_range(*bounds), tags=given.tags, shuffle=given.shuffle)

    return cast


@cache
def _parser() -> OverridesParser:
    functions = create_functions()
    theirs = functions.functions
    functions.functions = {
        **theirs,
        "range": _range,
        "sort": _sort(theirs["sort"]),
        "int": _cast(theirs["int"], int),
        "float": _cast(theirs["float"], float),
    }
    return OverridesParser(functions)


def parse(word: str) -> Override:
    """Return a word as parsed. Raises HydraException if it is no word."""
    return _parser().parse_override(word)
