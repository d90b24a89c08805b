"""Tables on stdout, coloured in a terminal and plain elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence.statistics import shape_text
from initlab.runner.listing import Listing
from initlab.runner.plan.conversions import conversions
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan
from initlab.runner.probes import Trace

PLAIN_WIDTH = 100_000
"""The width without a terminal: no line is broken."""
MOST_STEPS = 40
"""Rows of a training that are printed at most."""
VERDICT_STYLE = {"ok": "green", "exact": "green", "off": "bold red", "untested": "yellow"}
STATE_STYLE = {"finished": "green", "refused": "bold red"}

T = TypeVar("T")


def console() -> Console:
    """Return a console for stdout: as wide as the terminal; without one, no colour and no wrapping."""
    if not sys.stdout.isatty():
        return Console(width=PLAIN_WIDTH, highlight=False, color_system=None, force_terminal=False)
    colours: Literal["auto"] | None = None if "NO_COLOR" in os.environ else "auto"
    return Console(width=shutil.get_terminal_size().columns, highlight=False, color_system=colours)


def quiet_console() -> Console:
    """Return a console that prints nothing, for a run of a sweep, which prints one line of its own."""
    return Console(quiet=True)


def number(value: object, digits: int = 4) -> str:
    """Format a figure in few digits; `-` if there is none."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def bytes_text(count: int) -> str:
    """Return `5.1 kB`, in powers of 1000."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.3g} {unit}"


def print_parameters(
    out: Console,
    rows: Sequence[Row],
    figures: dict[str, dict[str, object]],
    verdicts: dict[str, str],
) -> None:
    """Print one line for each parameter, aliases included: declared against measured."""
    table = Listing(
        ("path", "left"),
        ("shape", "right"),
        ("law", "left"),
        ("declared std", "right"),
        ("measured std", "right"),
        ("z", "right"),
        ("verdict", "left"),
    )
    for row in rows:
        if row.alias_of is not None:
            table.add_row(row.path, shape_text(row.shape), f"= {row.alias_of}", "", "", "", "alias")
            continue
        measured = figures.get(row.path, {})
        verdict = verdicts[row.path]
        table.add_row(
            row.path,
            shape_text(row.shape),
            str(row.law),
            number(row.law.std),
            number(measured.get("std")),
            number(_largest_z(measured), 2),
            Text(verdict, style=VERDICT_STYLE.get(verdict, "")),
        )
    table.print(out)


def print_remarks(out: Console, plan: Plan) -> None:
    """Print what a user should read about the parameters, a line each."""
    for line in (*plan.remarks, *conversions(plan.rows)):
        out.print(line, markup=False, soft_wrap=True)


def _largest_z(measured: dict[str, Any]) -> float | None:
    found = [z for z in (measured.get("z_mean"), measured.get("z_var")) if z is not None]
    return max(found, key=abs) if found else None


COLUMNS = ("loss", "accuracy", "gradient_norm", "update_ratio", "test_accuracy")


def evenly(rows: list[T], most: int) -> list[T]:
    """Return at most `most` (2 or more) of the rows, evenly spaced, including the first and the
    last.
    """
    if len(rows) <= most:
        return rows
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def print_trace(out: Console, trace: Trace) -> None:
    """Print one line for each layer, then gradients, then single figures."""
    passed = [row for row in trace.layers if "rms" in row]
    if passed:
        table = Listing(
            ("layer", "left"),
            ("output", "right"),
            ("pre-act rms", "right"),
            ("rms", "right"),
            ("rms ratio", "right"),
            ("zeros", "right"),
        )
        for row in passed:
            table.add_row(
                row["path"],
                shape_text(row["shape"]),
                number(row["pre_rms"]),
                number(row["rms"]),
                number(row["rms_ratio"]),
                f"{row['zeros']:.0%}",
            )
        out.print()
        table.print(out)
    if trace.gradients:
        table = Listing(("gradient", "left"), ("rms", "right"), ("max abs", "right"))
        for row in trace.gradients:
            table.add_row(row["path"], number(row["rms"]), number(row["max_abs"]))
        out.print()
        table.print(out)
    if trace.training:
        unit = "epoch" if "epoch" in trace.training[0] else "step"
        table = Listing(
            (unit, "right"),
            ("loss", "right"),
            ("accuracy", "right"),
            ("gradient norm", "right"),
            ("update / weight", "right"),
            ("test accuracy", "right"),
        )
        for row in evenly(trace.training, MOST_STEPS):
            table.add_row(str(row[unit]), *(number(row[name]) for name in COLUMNS))
        out.print()
        table.print(out)
    if trace.figures:
        out.print()
        measured = {name: value for name, value in trace.figures.items() if value is not None}
        print_side_by_side(out, [f"{name} {number(value, 5)}" for name, value in measured.items()])


def print_side_by_side(out: Console, texts: Sequence[str]) -> None:
    """Print short texts in as few lines as their width allows; none is broken."""
    line = ""
    for text in texts:
        longer = f"{line}   {text}" if line else text
        if line and len(longer) > out.width:
            out.print(line, markup=False, soft_wrap=True)
            longer = text
        line = longer
    out.print(line, markup=False, soft_wrap=True)


SHOWN = ("path", "shape", "mean", "variance", "rms", "zeros", "pre_rms", "rms_ratio")
"""Columns of layers that `print_trace` shows or leaves to `stats.json`."""


def print_sections(out: Console, trace: Trace, sections: dict[str, list[dict[str, Any]]]) -> None:
    """Print the measurements of layers with the probe's columns, and a table for each further
    section.
    """
    for name, rows in {"layers": trace.layers, **sections}.items():
        shown = SHOWN if name == "layers" else ("path",)
        columns = [
            column
            for column in dict.fromkeys(key for row in rows for key in row)
            if column not in shown
        ]
        if not columns:
            continue
        table = Listing(
            (name.rstrip("s") if name == "layers" else name, "left"),
            *((column.replace("_", " "), "right") for column in columns),
        )
        for row in rows:
            table.add_row(row["path"], *(number(row.get(column)) for column in columns))
        out.print()
        table.print(out)


def _key_text(row: Row) -> str:
    return f"{row.key.words[0]:016x}" if row.key is not None else f"{row.stream}, in order"


def print_plan(out: Console, plan: Plan) -> None:
    """Print one line for each parameter: its law, the reason, and its stream."""
    multiplied = any(row.lr_mult != 1 for row in plan.rows)
    table = Listing(
        ("path", "left"),
        ("shape", "right"),
        ("fans", "right"),
        ("law", "left"),
        ("rule", "left"),
        ("stream key", "left"),
        ("bytes", "right"),
        *([("lr mult", "right")] if multiplied else []),
    )
    for row in plan.rows:
        last = [number(row.lr_mult)] if multiplied else []
        if row.alias_of is not None:
            table.add_row(
                row.path, shape_text(row.shape), "", f"= {row.alias_of}", "", "", "", *last
            )
            continue
        fans = f"{row.fan_in}/{row.fan_out}" if row.fan_in is not None else "-"
        table.add_row(
            row.path,
            shape_text(row.shape),
            fans,
            str(row.law),
            row.rule,
            _key_text(row),
            bytes_text(row.bytes),
            *last,
        )
    table.print(out)
    totals = plan.totals()
    out.print()
    out.print(
        f"{totals['parameters']} parameters, {totals['aliases']} aliases, {totals['elements']:,} elements, "
        f"{bytes_text(totals['bytes'])}; output {shape_text(plan.output)}; nothing was allocated"
    )
    print_remarks(out, plan)


def print_runs(
    out: Console, names: Sequence[str], swept: Sequence[dict[str, str]], states: Sequence[str]
) -> None:
    """Print one line for each run of a sweep: its state, its id, and the swept values."""
    keys = list(dict.fromkeys(key for values in swept for key in values))
    table = Listing(("state", "left"), ("run", "left"), *((key, "left") for key in keys), keys=2)
    for name, values, state in zip(names, swept, states, strict=True):
        table.add_row(
            Text(state, style=STATE_STYLE.get(state, "")),
            name,
            *(values.get(key, "") for key in keys),
        )
    table.print(out)


def print_json(value: object) -> None:
    """Print JSON on stdout."""
    print(json.dumps(value, indent=1, ensure_ascii=False))
