"""Repeated blocks as one row of a table: the first value, the last, and the worst between them.

    blocks.0.fc.weight   0.02
    blocks.1.fc.weight   0.31      blocks.0…2.fc.weight   0.02 … 0.018, 0.31 (1)
    blocks.2.fc.weight   0.018

Rows are alike if their paths differ in one number that has a name after it. Those that follow each
other and agree in every text, like shape, law and verdict, are folded, so that a block that differs
from its neighbours keeps a row of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.text import Text

LEAST = 3
"""Rows that are folded at least."""
DIGITS = 3
"""Digits of a number in a folded row at most."""
BEYOND = 1.1
"""The worst value is shown if it is beyond the first and the last one by more than this factor."""


def number(value: object, digits: int = 4) -> str:
    """Format a figure in few digits; `-` if there is none."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def percent(value: object, digits: int = 4) -> str:
    """Format a fraction as a percentage; `-` if there is none."""
    return f"{value:.0%}" if isinstance(value, (int, float)) else "-"


@dataclass(frozen=True)
class Figure:
    """A number in a row; `show` formats it in some digits.

    If `size_counts`, the worst of several is the largest in size, else that farthest from the first
    and the last, up or down.
    """

    value: object
    digits: int = 4
    show: Callable[[object, int], str] = number
    size_counts: bool = False


@dataclass(frozen=True)
class Each:
    """A text that tells rows apart; `together` is what so many folded rows have instead."""

    alone: str
    together: Callable[[int], str]


Cell: TypeAlias = str | Text | Figure | Each
Printed: TypeAlias = list[str | Text]


@dataclass(frozen=True)
class _Family:
    """Rows that are printed as one.

    `parts` are the parts of their path, `call` counts earlier rows of the same path, as of a layer
    that is called twice, `kind` is what they
    agree in beside their texts, and `numbers` has the block of each row.
    """

    parts: tuple[str, ...]
    call: int
    rows: tuple[Sequence[Cell], ...]
    kind: object = None
    numbers: tuple[str, ...] = ("",)

    @property
    def texts(self) -> list[object]:
        """What rows must agree in to be folded."""
        return [
            cell.value is None
            if isinstance(cell, Figure)
            else not isinstance(cell, Each) and str(cell)
            for cell in self.rows[0][1:]
        ]

    def printed(self) -> Printed:
        """Return the row that is printed."""
        columns = list(zip(*self.rows, strict=True))[1:]
        return [".".join(self.parts), *(self._cell(column) for column in columns)]

    def _cell(self, column: Sequence[Cell]) -> str | Text:
        first = column[0]
        if isinstance(first, Each):
            return first.alone if len(column) == 1 else first.together(len(column))
        if isinstance(first, Figure):
            values = [cell.value for cell in column if isinstance(cell, Figure)]
            return self._range(first, values)
        return first

    def _range(self, how: Figure, values: Sequence[object]) -> str:
        digits = how.digits if len(values) == 1 else min(how.digits, DIGITS)
        texts = [how.show(value, digits) for value in values]
        ends = " … ".join(dict.fromkeys((texts[0], texts[-1])))
        worst = worst_between(values, how.size_counts)
        if worst is None or texts[worst] in (texts[0], texts[-1]):
            return ends
        return f"{ends}, {texts[worst]} ({self.numbers[worst]})"


def printed(
    rows: Sequence[Sequence[Cell]], fold: bool, kinds: Mapping[str, object] | None = None
) -> list[Printed]:
    """Return the rows as they are printed. The first cell of each is a path, and with `fold` those
    of repeated blocks are one row, if `kinds`, by path, are equal too.
    """
    seen: Counter[str] = Counter()
    families: list[_Family] = []
    for row in rows:
        path = str(row[0])
        families.append(
            _Family(tuple(path.split(".")), seen[path], (row,), (kinds or {}).get(path))
        )
        seen[path] += 1
    deepest = max((len(family.parts) for family in families), default=0)
    for at in reversed(range(deepest - 1)) if fold else ():
        families = list(_folded(families, at))
    return [family.printed() for family in families]


def _folded(families: list[_Family], at: int) -> Iterator[_Family]:
    """Yield the families after folding those whose paths differ in part `at` only.

    Those that are alike stay together, at the place of the first, if some of them are folded.
    """
    keys = [_key(family, at) or number for number, family in enumerate(families)]
    alike: dict[object, list[_Family]] = {}
    for key, family in zip(keys, families, strict=True):
        alike.setdefault(key, []).append(family)
    fewer = {key: _merged(found, at) for key, found in alike.items()}
    for key, family in zip(keys, families, strict=True):
        if len(fewer[key]) == len(alike[key]):
            yield family
        elif family is alike[key][0]:
            yield from fewer[key]


def _key(family: _Family, at: int) -> tuple[object, ...] | None:
    """Return what families that differ in part `at` have in common; None if it is no block's number."""
    parts = family.parts
    counts = at < len(parts) - 1 and parts[at].isdecimal()
    return (parts[:at], parts[at + 1 :], family.call, family.kind) if counts else None


def _merged(found: list[_Family], at: int) -> list[_Family]:
    """Return the families, with those that follow each other and agree as one."""
    runs: list[list[_Family]] = []
    for family in sorted(found, key=lambda family: int(family.parts[at])) if found[1:] else found:
        before = runs[-1][-1] if runs else None
        if before is not None and len(found) >= LEAST and _goes_on(before, family, at):
            runs[-1].append(family)
        else:
            runs.append([family])
    return [family for run in runs for family in ([_joined(run, at)] if len(run) >= LEAST else run)]


def _goes_on(before: _Family, family: _Family, at: int) -> bool:
    return int(family.parts[at]) == int(before.parts[at]) + 1 and family.texts == before.texts


def _joined(run: list[_Family], at: int) -> _Family:
    first, last = run[0], run[-1]
    label = f"{first.parts[at]}…{last.parts[at]}"
    return _Family(
        (*first.parts[:at], label, *first.parts[at + 1 :]),
        first.call,
        tuple(row for family in run for row in family.rows),
        first.kind,
        tuple(
            f"{family.parts[at]}.{inner}".rstrip(".") for family in run for inner in family.numbers
        ),
    )


def worst_between(values: Sequence[object], size_counts: bool = False) -> int | None:
    """Return the place of the value that is farthest beyond the first and the last, or None if none
    is beyond them by more than a tenth.

    A value that is not a finite number is farther than any other. If a value is negative, or with
    `size_counts`, only a larger size is farther.
    """
    numbers = [float(value) if isinstance(value, (int, float)) else math.nan for value in values]
    size_counts = size_counts or any(value < 0 for value in numbers)
    sizes = [abs(value) for value in numbers]
    ends = [size for size in (sizes[0], sizes[-1]) if math.isfinite(size)]
    if not ends:
        return None
    low, high = 0.0 if size_counts else min(ends), max(ends)
    beyond = [_factor(size, low, high) for size in sizes[1:-1]]
    if len(ends) == 1:  # what is not finite is seen at an end
        beyond = [
            factor if math.isfinite(size) else 1.0
            for factor, size in zip(beyond, sizes[1:-1], strict=True)
        ]
    farthest = max(beyond, default=1.0)
    return beyond.index(farthest) + 1 if farthest > BEYOND else None


def _factor(size: float, low: float, high: float) -> float:
    """Return the factor by which a size is beyond an interval of sizes, 1 within it."""
    if not math.isfinite(size):
        return math.inf
    if size > high:
        return size / high if high else math.inf
    if size < low:
        return low / size if size else math.inf
    return 1.0
