"""The report of a folder, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import is_sweep
from initlab.runner.files import storage_errors
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report


def write_report(folder: Path) -> Path:
    """Write the report of a run or of a sweep into its folder.

    Raises EvidenceError if the folder is neither.
    """
    with storage_errors(folder):
        if is_sweep(folder):
            return write_sweep_report(folder)
        if not folder.is_dir() or RunFolder(folder).finished:
            return write_run_report(folder)
    raise EvidenceError(
        f"{folder}: is neither a finished run (no manifest.json) nor a sweep (no sweep.json) - give "
        "outputs/<name>/<run id> or outputs/<name>"
    )
