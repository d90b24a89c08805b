"""The tables of a sweep: its runs, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence.members import SUMMARY
from initlab.runner.evidence.summary import DIAGNOSIS, Summary
from initlab.runner.listing import Listing

STATE_STYLE = {"finished": "green", "refused": "bold red"}
MOST_SETTINGS = 20
"""Settings of a sweep that are printed at most; `summary.md` has all."""


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


def print_summary(out: Console, summary: Summary) -> None:
    """Print what a sweep comes to, if it has figures or diagnoses: one line for each setting, the best
    first.
    """
    if not summary.figures and not summary.diagnosed:
        return
    shown = summary.ranked[:MOST_SETTINGS]
    keys, names = len(summary.keys), summary.headings
    sides = ["left" if at < keys or name == DIAGNOSIS else "right" for at, name in enumerate(names)]
    table = Listing(*zip(names, sides, strict=True), keys=keys + 1)
    for setting in shown:
        table.add_row(*summary.cells(setting))
    out.print()
    table.print(out)
    more = len(summary.ranked) - len(shown)
    repeated = any(setting.runs > 1 for setting in shown)
    said = [
        *(["mean ± standard deviation over seeds"] if repeated else []),
        *([summary.order] if summary.order else []),
        *([f"{more} more settings in {SUMMARY}"] if more else []),
    ]
    if said:
        out.print("; ".join(said), markup=False, highlight=False)
    out.print()
