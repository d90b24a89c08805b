"""`python -m runner.report DIR …`: write `report.html` into the folders of finished runs and of
sweeps, from what lies there.

Exit code 0, or 2 where a folder is neither or cannot be read; an older report then stays as it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from initlab.runner.errors import EvidenceError, RunnerError
from initlab.runner.evidence.manifest import NAME as MANIFEST
from initlab.runner.files import storage_errors
from initlab.runner.report import write_run_report, write_sweep_report
from initlab.runner.report.evidence import is_sweep


def report(folder: Path) -> Path:
    """Write the report of a run or of a sweep. EvidenceError where it is neither."""
    with storage_errors(folder):
        if is_sweep(folder):
            return write_sweep_report(folder)
        if not folder.is_dir() or (folder / MANIFEST).exists():
            return write_run_report(folder)
    raise EvidenceError(
        f"{folder}: is neither a finished run (no {MANIFEST}) nor a sweep (no sweep.json) - give "
        "outputs/<name>/<run id> or outputs/<name>"
    )


def main(words: list[str] | None = None) -> int:
    """The command line; gives the worst exit code of all folders."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.report",
        description="Write report.html for finished runs and for sweeps.",
    )
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="DIR",
        help="outputs/<name>/<run id>, or outputs/<name> of a sweep",
    )
    worst = 0
    for folder in parser.parse_args(words).folders:
        try:
            print(report(Path(folder)))
        except RunnerError as error:
            print(f"error: {error}", file=sys.stderr)
            worst = max(worst, error.exit_code)
    return worst


if __name__ == "__main__":
    sys.exit(main())
