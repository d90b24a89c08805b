"""Screens, and the plan's table on stdout, coloured in a terminal and plain elsewhere.

What prints a plan is imported when one is printed: a command that only needs a screen starts fast.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Literal

from rich.console import Console

from initlab.runner.evidence.statistics import shape_text
from initlab.runner.listing import print_line
from initlab.runner.terminal.folding import Cell, Each, number

if TYPE_CHECKING:
    from initlab.runner.plan.row import Row
    from initlab.runner.plan.rows import Plan

PLAIN_WIDTH = 100_000
"""The width without a terminal: no line is broken."""


def console(err: bool = False) -> Console:
    """Return a console for stdout, or stderr: as wide as the terminal; without one, no colour and no
    wrapping. There is no colour where `NO_COLOR` or `CI` is set either.
    """
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return Console(
            stderr=err,
            width=PLAIN_WIDTH,
            highlight=False,
            emoji=False,
            color_system=None,
            force_terminal=False,
        )
    plain = "NO_COLOR" in os.environ or os.environ.get("CI")
    colours: Literal["auto"] | None = None if plain else "auto"
    width = shutil.get_terminal_size().columns
    return Console(stderr=err, width=width, highlight=False, emoji=False, color_system=colours)


def quiet_console() -> Console:
    """Return a console that prints nothing, for a run of a sweep, which prints one line of its own."""
    return Console(quiet=True)


def bytes_text(count: int) -> str:
    """Return `5.1 kB`, in powers of 1000."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.3g} {unit}"


def _key_text(row: Row) -> str:
    return f"{row.key.words[0]:016x}" if row.key is not None else f"{row.stream}, in order"


def print_plan(out: Console, plan: Plan, fold: bool) -> None:
    """Print one line for each parameter: its law, the reason, and its stream; with `fold` one for
    those of repeated blocks.
    """
    from initlab.runner.plan.rows import FROZEN
    from initlab.runner.terminal.sections import Sheet, remarks_on

    multiplied = any(row.lr_mult != 1 for row in plan.rows)
    frozen = any(row.frozen for row in plan.rows)
    sheet = Sheet(out, fold)
    sheet.table(
        (
            ("path", "left"),
            ("shape", "right"),
            ("fans", "right"),
            ("law", "left"),
            ("rule", "left"),
            ("stream key", "left"),
            ("bytes", "right"),
            *([("lr mult", "right")] if multiplied else []),
            *([("", "left")] if frozen else []),
        ),
        [
            [
                *_plan_cells(row),
                *([number(row.lr_mult)] if multiplied else []),
                *([FROZEN if row.frozen else ""] if frozen else []),
            ]
            for row in plan.rows
        ],
    )
    totals = plan.totals()
    out.print()
    print_line(
        out,
        f"{totals['parameters']} parameters, {totals['aliases']} aliases, {totals['elements']:,} elements, "
        f"{bytes_text(totals['bytes'])}; output {shape_text(plan.output)}; nothing was allocated",
    )
    for line in remarks_on(plan):
        sheet.line(line)
    if sheet.folded:
        sheet.line("fold=false lists each of the repeated blocks")


def _plan_cells(row: Row) -> list[Cell]:
    first: list[Cell] = [row.path, shape_text(row.shape)]
    if row.alias_of is not None:
        return [*first, "", f"= {row.alias_of}", "", "", ""]
    size = bytes_text(row.bytes)
    return [
        *first,
        f"{row.fan_in}/{row.fan_out}" if row.fan_in is not None else "-",
        str(row.law),
        row.rule,
        Each(_key_text(row), lambda count: f"{count} keys" if row.key else _key_text(row)),
        Each(size, lambda count: f"{count} x {size}"),
    ]


def print_json(value: object) -> None:
    """Print JSON on stdout."""
    print(json.dumps(value, indent=1, ensure_ascii=False))
