"""Show a finished run to the chosen tracker: the stage after the manifest, which no finished run
depends on.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.plan.validate import UNTRACKED, RunConfig, tracker_of
from initlab.runner.report.drawing import available, png
from initlab.runner.trackers import Evidence, Picture

LOG = logging.getLogger("runner")


def track_run(config: RunConfig, folder: Path) -> None:
    """Show the finished run in `folder` to the tracker of its config; see `track`."""
    track(config.resolved, folder)


def track(resolved: dict[str, Any], folder: Path) -> None:
    """Show the finished run in `folder` to the tracker that a resolved config chooses; the rest of
    the config need not be sound here.

    Whatever goes wrong is one line on stderr, and that line with the traceback in the run's log:
    the run is finished all the same.
    """
    options = resolved.get("tracker") or UNTRACKED
    if options == UNTRACKED:
        return
    kind = options.get("kind") if isinstance(options, dict) else options
    try:
        tracker = tracker_of(resolved)
        run = RunFolder(folder)
        name = str(resolved.get("name"))
        tracker.track(
            Evidence(name, run.manifest, run.stats, run.evidence_digest(), pictures(folder))
        )
    except Exception as error:
        text = " ".join(str(error).split())
        said = (
            f"tracker {kind} failed ({type(error).__name__}: {text}) - the run itself is finished: "
            f"{folder}"
        )
        print(f"warning: {said}", file=sys.stderr, flush=True)
        _note(folder, said)


def _note(folder: Path, said: str) -> None:
    """Keep a warning with its traceback in the log of a run that is over."""
    try:
        RunFolder(folder).append_log(
            f"{datetime.now():%Y-%m-%d %H:%M:%S} WARNING runner.tracking: "
            f"{said}\n{traceback.format_exc()}"
        )
    except OSError as error:
        LOG.debug("%s: %s", folder, error)


def pictures(folder: Path) -> tuple[Picture, ...]:
    """The charts of a finished run as PNG; none where matplotlib is not installed."""
    if not available():
        return ()
    from initlab.runner.report.charts import run_charts

    return tuple(
        Picture(_file_name(chart.name), chart.title, png(chart.figure), chart.description)
        for chart in run_charts(folder)
    )


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
