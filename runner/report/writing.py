"""The report of a folder, whatever it holds."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from initlab.runner.errors import EvidenceError, RunnerError
from initlab.runner.evidence.folder import MANIFEST, REPORT, RunFolder
from initlab.runner.evidence.named import is_named
from initlab.runner.files import storage_errors, write_bytes
from initlab.runner.report.charts import run_charts
from initlab.runner.report.drawing import svg_text
from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import sweep_charts, write_sweep_report


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
        if _is_name(folder, last):
            return write_sweep_report(folder, last=last)
        return write_run_report(folder)


def write_charts(folder: Path, into: Path, last: bool = False) -> list[Path]:
    """Write each chart of the folder's report as an SVG file into a folder, black on white, and return
    their paths. Errors are those of `write_report`.
    """
    with storage_errors(folder):
        charts = sweep_charts(folder, last) if _is_name(folder, last) else run_charts(folder)
    with storage_errors(into):
        into.mkdir(parents=True, exist_ok=True)
        written = [into / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', chart.name)}.svg" for chart in charts]
        for path, chart in zip(written, charts, strict=True):
            write_bytes(path, svg_text(chart.figure).encode("utf-8"))
    return written


def _is_name(folder: Path, last: bool) -> bool:
    """Return whether a folder is that of a name, not of a run; EvidenceError if it is neither."""
    if is_named(folder):
        return True
    if last and folder.is_dir():
        raise EvidenceError(f"{folder}: is no folder of a sweep - leave out --last")
    if not folder.is_dir() or RunFolder(folder).finished:
        return False
    raise EvidenceError(
        f"{folder}: is neither a finished run (no {MANIFEST}) nor a folder of runs - give "
        "outputs/<name>/<run id> or outputs/<name>"
    )
