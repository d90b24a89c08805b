"""A comparison as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from initlab.runner.check.compare import (
    DIFFERS,
    DTYPE,
    IDENTICAL,
    SHAPE,
    Comparison,
    Pair,
    counts,
)
from initlab.runner.check.distance import Distance, Smirnov
from initlab.runner.check.matching import SAME, Matched, summed
from initlab.runner.evidence.statistics import shape_text
from initlab.runner.excerpt import counted
from initlab.runner.listing import Listing, print_line
from initlab.runner.terminal.folding import Cell, Figure, printed

COLUMNS = (
    ("tensor", "left"),
    ("shape", "right"),
    ("result", "left"),
    ("differing", "right"),
    ("max abs", "right"),
    ("rel L2", "right"),
    ("correlation", "right"),
    ("KS", "right"),
    ("not finite A / B", "right"),
)
RESULT = 2
"""The index of the coloured column."""
ALWAYS = 3
"""The first columns, which are always shown; the others are shown if they hold something."""


def print_comparison(out: Console, found: Comparison, fold: bool = True) -> None:
    """Print tables of tensors and of different ties and settings, and one line with the result.

    With `fold` the tensors of repeated blocks are one row.
    """
    for name, side in (("A", found.a), ("B", found.b)):
        print_line(out, f"{name}  {side.place}  ({side.describe()})")
    out.print()
    rows = [_cells(pair) for pair in found.pairs]
    used = [at for at in range(len(COLUMNS)) if at < ALWAYS or any(cells[at] for cells in rows)]
    table = Listing(*(COLUMNS[at] for at in used))
    shown = printed([[cells[at] for at in used] for cells in rows], fold)
    for row in shown:
        result = Text(str(row[RESULT]), "green" if row[RESULT] == IDENTICAL else "bold red")
        table.add_row(*row[:RESULT], result, *row[RESULT + 1 :])
    table.print(out)
    if len(shown) < len(rows):
        print_line(
            out, "\nrepeated blocks: first … last, worst between them (its block); --all lists each"
        )
    without = [
        name
        for name, side in (("A", found.a), ("B", found.b))
        if side.manifest and not side.tensors
    ]
    if without:
        print_line(
            out,
            f"\n{' and '.join(without)} kept no snapshot: compared by digest, which is of dtype, shape and "
            "values together",
        )
    methods = {pair.ks.method for pair in found.pairs if pair.ks is not None and not pair.ks.exact}
    if methods:
        print_line(
            out,
            f"\nKS of large tensors: {methods.pop()} of both sides, from least to most possible; "
            "otherwise exact",
        )
    if any(pair.result in (SHAPE, DTYPE) for pair in found.pairs):
        print_line(
            out,
            "\nof tensors of other shapes only the distributions are compared (KS); other dtypes are "
            "compared in float64",
        )
    if found.ties:
        ties = Listing(("tie", "left"), ("A", "left"), ("B", "left"))
        for tie in found.ties:
            ties.add_row(
                tie.name,
                *(f"= {owner}" if owner else "values of its own" for owner in (tie.a, tie.b)),
            )
        out.print()
        ties.print(out)
    if found.config:
        settings = Listing(("setting", "left"), ("A", "left"), ("B", "left"))
        for change in found.config:
            settings.add_row(change.key, *change.texts())
        out.print()
        settings.print(out)
    print_line(out, f"\n{_conclusion(found)}")


def print_several(out: Console, places: Sequence[Path], found: Sequence[Comparison]) -> None:
    """Print a line for each side but the first, which it is compared with, and one with the result."""
    print_line(out, f"A  {places[0]}  ({found[0].a.describe()})")
    out.print()
    table = Listing(("result", "left"), ("compared with A", "left"), ("tensors", "left"), keys=2)
    for place, one in zip(places[1:], found, strict=True):
        table.add_row(_coloured(one.identical), str(place), summed(one))
    table.print(out)
    same = sum(one.identical for one in found)
    print_line(out, f"\n{same} of {len(found)} are identical to A; compare two for the tensors")


def print_matched(out: Console, found: Matched) -> None:
    """Print a line for each pair of runs that differs and for each run without another, and one line
    with the result.
    """
    for name, folder in zip("AB", found.folders, strict=True):
        print_line(out, f"{name}  {folder}")
    table = Listing(("result", "left"), ("words", "left"), ("A", "left"), ("B", "left"), keys=1)
    shown = [pair for pair in found.pairs if pair.result != SAME]
    for pair in shown:
        a, b = pair.ids
        ids = [a or "-", "same id" if a == b else b or "-"]
        said = f"{pair.result}: {pair.why}" if pair.why else pair.result
        table.add_row(Text(said, "bold red"), pair.words or "-", *ids)
    if shown:
        out.print()
        table.print(out)
    said = ", ".join(f"{number} {result}" for result, number in found.counts.items())
    print_line(out, f"\n{'identical' if found.identical else 'different'}: {said or 'no runs'}")


def _coloured(identical: bool) -> Text:
    return Text(IDENTICAL, "green") if identical else Text(DIFFERS, "bold red")


def _cells(pair: Pair) -> list[Cell]:
    shapes = [shape_text(shape) for shape in dict.fromkeys(pair.shapes) if shape is not None]
    dtypes = [dtype for dtype in dict.fromkeys(pair.dtypes) if dtype is not None]
    if len(dtypes) > 1:
        shapes.append(" / ".join(dtypes))
    shape = (" / " if pair.result == SHAPE else " ").join(shapes) or "-"
    cells: list[Cell] = [pair.name, shape, pair.result]
    found = pair.distance
    if pair.result == IDENTICAL:
        return [*cells, "", "", "", "", "", _not_finite(found)]
    if found is None:
        return [*cells, "", "", "", "", _ks(pair.ks), ""]
    elements = found.elements
    return [
        *cells,
        Figure(found.differing, show=lambda value, _: f"{value} of {elements}"),
        Figure(found.max_abs, 3),
        Figure(found.relative_l2, 3),
        Figure(found.correlation, show=_correlation_text),
        _ks(found.ks),
        _not_finite(found),
    ]


def _correlation_text(value: object, digits: int) -> str:
    """Format a correlation to 4 digits; it is printed as 1 only if float64 can hardly tell it from
    1.
    """
    if not isinstance(value, float):
        return "-"
    text = f"{value:.4f}"
    return f"1 - {1 - value:.1g}" if text == "1.0000" and value < 1 - 1e-12 else text


def _ks(ks: Smirnov | None) -> Cell:
    if ks is None:
        return ""
    if ks.exact:
        return Figure(ks.least, show=lambda value, _: f"{value:.4f}")
    return f"{ks.least:.4f} … {ks.most:.4f}"


def _not_finite(found: Distance | None) -> str:
    """Return `2 NaN, 1 inf / 0`, or nothing if all values are finite."""
    if found is None or not any((*found.nan, *found.infinite)):
        return ""
    sides = (
        [f"{n} NaN"] * bool(n) + [f"{i} inf"] * bool(i)
        for n, i in zip(found.nan, found.infinite, strict=True)
    )
    return " / ".join(", ".join(side) or "0" for side in sides)


def _conclusion(found: Comparison) -> str:
    numbers = counts(found)
    ties = [f"{found.common_ties} tied alike"] if found.common_ties else []
    unknown = [side for side in (found.a, found.b) if side.aliases is None]
    ties += [f"ties not compared ({unknown[0].place.name} cannot hold any)"] if unknown else []
    if found.identical:
        return ", ".join([f"identical: {counted(numbers[IDENTICAL], 'tensor')}", *ties])
    said = [
        f"{number} {result}" for result, number in numbers.items() if number or result == IDENTICAL
    ]
    said += [f"{len(found.ties)} tied otherwise"] if found.ties else []
    return "different: " + ", ".join(said + ties)
