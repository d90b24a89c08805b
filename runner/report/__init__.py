"""Reports: `report.html` for a run and for a sweep, one file that needs nothing else.

reading       the files of a run or a sweep, read and checked
prediction    what theory says of a chain of dense layers
drawing       how charts look; the one module that imports matplotlib, an extra
charts        a run's charts; svg: a figure as an element of a page
page          HTML, style and script (page.css, page.js)
run_page      the report of a run; sweep_page: that of a sweep
"""

from __future__ import annotations

from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import is_sweep
from initlab.runner.files import storage_errors
from initlab.runner.report.drawing import NotInstalled, available
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report

__all__ = [
    "NotInstalled",
    "available",
    "write_report",
    "write_run_report",
    "write_sweep_report",
]


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
