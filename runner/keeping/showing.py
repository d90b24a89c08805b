"""What `initlab show DIR` prints: a finished run as it printed itself, a sweep's result, or how far a run
came.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from initlab.engine import laws
from initlab.engine.errors import FormatError, LawError
from initlab.engine.laws import Law
from initlab.runner.config.schema import SECTIONS
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import GIVE_FOLDER, LOG, RunFolder
from initlab.runner.evidence.found import meant, place_of
from initlab.runner.evidence.named import is_named, named
from initlab.runner.evidence.record import FINISHED, record_in
from initlab.runner.evidence.status import DAMAGED, RUNNING
from initlab.runner.evidence.summary import summary_of
from initlab.runner.excerpt import counted
from initlab.runner.keeping.listing import time_text
from initlab.runner.listing import print_line
from initlab.runner.plan.conversions import conversions
from initlab.runner.report.reading import SweepData
from initlab.runner.terminal.sections import Results, print_run
from initlab.runner.terminal.sweeps import print_summary

LOADED = "loaded"
"""The kind of a law that gives the tensors of a file."""


@dataclass(frozen=True)
class Planned:
    """A row of a plan that was written: a parameter, or an alias of another one."""

    path: str
    shape: list[int]
    dtype: str
    described: dict[str, Any]
    """The law, as JSON."""
    alias_of: str | None

    @property
    def law(self) -> Law:
        """The law. Raises LawError if it is of no kind that is known here."""
        return laws.from_description(self.described)


def show(given: str, out: Console) -> None:
    """Print what is in a folder: of a run, or of a name. A path that `initlab ls` prints will do.

    Raises EvidenceError if it is neither, or cannot be read.
    """
    folder = find(given)
    if place_of(folder) is not None:
        show_run(folder, out)
    elif is_named(folder):
        show_name(folder, out)
    else:
        raise EvidenceError(f"{given}: is neither a run nor a folder of runs - {GIVE_FOLDER}")


def find(given: str) -> Path:
    """Return the folder that is meant: as it is given, else seen from the folder of all runs."""
    folder = meant(given)
    if not given or not folder.is_dir():
        what = "is a file" if os.path.isfile(folder) else "no such folder"
        raise EvidenceError(f"{given or repr('')}: {what} - {GIVE_FOLDER}")
    return folder


def show_run(folder: Path, out: Console) -> None:
    """Print a finished run as it printed itself, or how far another one came."""
    facts = record_in(folder).facts
    run = RunFolder(folder)
    if facts["state"] == DAMAGED:
        raise EvidenceError(str(facts["error"]))
    if run.finished:
        config = run.manifest.config
        shown = config.get("show")
        sections = [word for word in shown if word in SECTIONS] if isinstance(shown, list) else []
        print_run(
            out,
            folder,
            results_of(run),
            run.manifest,
            sections if isinstance(shown, list) else SECTIONS,
            config.get("fold") is not False,
        )
    if facts["state"] != FINISHED:
        show_state(folder, dict(facts), out)


def results_of(run: RunFolder) -> Results:
    """Return what a finished run has to show, from its files. What loaded tensors were converted from is
    said as long as their file is there.
    """
    plan: dict[str, Any] = run.plan
    rows = [
        Planned(path, row["shape"], row["dtype"], row["law"], row["alias_of"])
        for path, row in plan.items()
    ]
    remarks = list(run.remarks)
    with suppress(OSError, FormatError, LawError):
        remarks += conversions(row for row in rows if row.described.get("kind") == LOADED)
    return Results.of(rows, remarks, run.stats, run.diagnosis)


def show_state(folder: Path, facts: dict[str, object], out: Console) -> None:
    """Print how far a run came that did not finish, and why it did not."""
    style = "cyan" if facts["state"] == RUNNING else "bold red"
    error = f": {facts['error']}" if facts["error"] else ""
    print_line(out, f"{facts['state']}  {facts['run_id']}{error}", style)
    words = facts["words"]
    lines = {
        "words": " ".join(words) if isinstance(words, list) else "",
        "since": time_text(str(facts["when"]), datetime.now().astimezone()),
        "took": "" if facts["seconds"] is None else f"{facts['seconds']} s",
        "log": str(folder / LOG) if (folder / LOG).exists() else "",
    }
    for name, text in lines.items():
        if text:
            out.print(f"{name:<5}  {text}", markup=False, highlight=False, soft_wrap=True)


def show_name(folder: Path, out: Console) -> None:
    """Print what the last sweep into a name comes to, or all its runs."""
    runs = named(folder)
    summary = summary_of(runs, SweepData(folder).largest)
    print_summary(out, summary)
    if summary.others:
        print_line(out, f"{folder} holds {counted(summary.others, 'more run')}")
    print_line(out, f"{summary.done} of {summary.runs} runs completed")
