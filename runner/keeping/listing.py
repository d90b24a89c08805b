"""What `initlab ls` prints: runs as a table for a person, or whole as CSV (RFC 4180) or JSON."""

from __future__ import annotations

import csv
import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence import columns
from initlab.runner.evidence.members import short_names
from initlab.runner.evidence.record import FINISHED, Record
from initlab.runner.evidence.runs import FIGURES_SHOWN, Runs, runs
from initlab.runner.evidence.status import RUNNING
from initlab.runner.excerpt import counted, on_one_line
from initlab.runner.files import in_json
from initlab.runner.json_values import JSON, number
from initlab.runner.listing import Listing, print_line
from initlab.runner.terminal.diagnosis import STYLE
from initlab.runner.terminal.tables import console

STATES = {FINISHED: "green", RUNNING: "cyan"}
"""The colour of a state; any other one is red."""
RECENT = timedelta(days=180)
"""How old a run may be to be shown with its time of day; an older one has its year."""


@dataclass(frozen=True)
class Wanted:
    """What of the runs is wanted: a condition, columns, an order, and `table`, `csv` or `json`."""

    where: str | None = None
    columns: str | None = None
    sort: str | None = None
    form: str = "table"


def list_runs(root: str | None, wanted: Wanted) -> None:
    """Print the runs below a folder.

    Raises EvidenceError if there is no such folder, and QuantityError for a wrong name.
    """
    every, chosen = listed(root, wanted.where)
    if wanted.sort is not None:
        chosen = chosen.sort(wanted.sort)
    named = None if wanted.columns is None else columns.parse_columns(wanted.columns)
    if named is None and wanted.form != "table":
        names, rows = columns.rows(chosen.records)
        table = [[row.get(name) for name in names] for row in rows]
    elif named is not None:
        names = [str(path) for path in named]
        table = list(zip(*(chosen.column(name) for name in names), strict=True))
    if wanted.form == "csv":
        write_csv(names, table)
    elif wanted.form == "json":
        write_json(names, table)
    else:
        out = console()
        if len(chosen):
            (print_default(out, chosen) if named is None else print_columns(out, names, table))
        print_line(out, f"\n{title(chosen, every)}")


def listed(root: str | None, where: str | None) -> tuple[Runs, Runs]:
    """Return every run below a folder, and those that match a condition. Warnings go to stderr.

    Raises EvidenceError if there is no such folder, and QuantityError for a wrong name.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        every = runs(root)
        chosen = every if where is None else every.where(where)
    for one in said:
        print(f"warning: {one.message}", file=sys.stderr)
    return every, chosen


def title(chosen: Runs, every: Runs) -> str:
    """Return what was found in one line: `3 of 5 runs: 2 finished, 1 failed`."""
    if not len(every):
        return "no runs"
    if not len(chosen):
        return f"none of {counted(len(every), 'run')} matches"
    counts = Counter(sorted(str(record.facts["state"]) for record in chosen.records))
    states = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    of = f"{len(chosen)} of " if len(chosen) < len(every) else ""
    return f"{of}{counted(len(every), 'run')}: {states}"


def print_default(out: Console, chosen: Runs) -> None:
    """Print what a person needs of each run: path, state, time and the worst finding; as the screen has
    room for them, up to two figures, and what tells the runs apart. Paths that are too long for
    that stand on lines of their own.
    """
    records = chosen.records
    now = datetime.now().astimezone()
    figures = columns.default_figures(records, FIGURES_SHOWN)
    differ = columns.differences(records)
    keys = list(differ[0])
    optional = [(name, "right") for name in figures] + [(key, "left") for key in short_names(keys)]
    facts = [_cells(record, now) for record in records]
    rows = [
        [*map(cell, map(number, map(record.figures.get, figures))), *map(apart.get, keys)]
        for record, apart in zip(records, differ, strict=True)
    ]
    for above, count in product((False, True), range(len(optional), -1, -1)):
        table = Listing(*((name, "left") for name in columns.SHOWN), *optional[:count])
        for cells, more in zip(facts, rows, strict=True):
            table.add_row(*cells, *(text or "" for text in more[:count]))
        if table.fits(out.width, above):
            table.print(out, above)
            return
    table.print(out)


def _cells(record: Record, now: datetime) -> list[str | Text]:
    """Return the cells of the columns `SHOWN`."""
    facts = record.facts
    state, worst = str(facts["state"]), facts["diagnosis"]
    return [
        on_one_line(str(facts["path"])),
        Text(state, STATES.get(state, "red")),
        time_text(facts["when"], now),
        Text("-" if worst is None else str(worst), STYLE.get(str(worst), "")),
    ]


def time_text(when: JSON, now: datetime) -> str:
    """Return a time as a person reads it, in the time zone of this machine: `Nov 27 13:24`, or the day
    and the year of one that is long ago; `-` without.
    """
    if not isinstance(when, str):
        return "-"
    then = datetime.fromisoformat(when).astimezone(now.tzinfo)
    return then.strftime("%b %d %H:%M" if abs(now - then) < RECENT else "%b %d  %Y")


def print_columns(out: Console, names: Sequence[str], table: Sequence[Sequence[object]]) -> None:
    """Print the columns that were asked for; numbers stand right."""
    numeric = [
        any(isinstance(row[at], float | int) and not isinstance(row[at], bool) for row in table)
        for at in range(len(names))
    ]
    sides = ["right" if right else "left" for right in numeric]
    listing = Listing(*zip(names, sides, strict=True))
    for row in table:
        listing.add_row(*map(cell, row))
    listing.print(out)


def cell(value: object) -> str:
    """Return a value on one line: numbers in four digits, a list with commas, `-` for none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return on_one_line(_text(value))


def _text(value: object) -> str:
    """Return a value as text; a list with commas, true and false as in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)


def write_csv(names: Sequence[str], table: Iterable[Sequence[object]]) -> None:
    """Print a table as RFC 4180 has it; an empty cell has no value."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(names)
    for row in table:
        writer.writerow(["" if value is None else _text(value) for value in row])


def write_json(names: Sequence[str], table: Iterable[Sequence[object]]) -> None:
    """Print an array with an object for each run; null is no value, NaN and infinity are texts."""
    rows = [in_json(dict(zip(names, row, strict=True))) for row in table]
    lines = ",\n".join(f" {json.dumps(row, ensure_ascii=False, allow_nan=False)}" for row in rows)
    print(f"[\n{lines}\n]" if rows else "[]")
