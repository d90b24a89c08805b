"""The report of a folder, whatever it holds."""

from __future__ import annotations

import sys
from pathlib import Path

from initlab.runner.errors import EvidenceError, RunnerError
from initlab.runner.evidence.folder import MANIFEST, REPORT, RunFolder
from initlab.runner.evidence.named import is_named
from initlab.runner.files import storage_errors
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report


def renew_report(folder: Path) -> None:
    """Write the report of a folder again if it has one; a failure is a warning.

    A report that was written before the claims were judged gets their table.
    """
    if not (folder / REPORT).exists():
        return
    try:
        write_report(folder)
    except (RunnerError, OSError) as error:
        print(f"warning: report.html is without the claims: {error}", file=sys.stderr)


def write_report(folder: Path, last: bool = False) -> Path:
    """Write the report of a run, or of all runs of a name, into its folder; with `last` that of the
    name's last sweep.

    Raises EvidenceError if the folder is neither.
    """
    with storage_errors(folder):
        if is_named(folder):
            return write_sweep_report(folder, last=last)
        if last and folder.is_dir():
            raise EvidenceError(f"{folder}: is no folder of a sweep - leave out --last")
        if not folder.is_dir() or RunFolder(folder).finished:
            return write_run_report(folder)
    raise EvidenceError(
        f"{folder}: is neither a finished run (no {MANIFEST}) nor a folder of runs - give "
        "outputs/<name>/<run id> or outputs/<name>"
    )
