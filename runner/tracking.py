"""Logs a finished run to the chosen tracker, after the manifest is written. No finished run depends
on it.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.plan.validate import UNTRACKED, RunConfig, tracker_of
from initlab.runner.report.drawing import available, png
from initlab.runner.trackers import Evidence, Picture

LOG = logging.getLogger("runner")


def track_run(config: RunConfig, folder: Path) -> None:
    """Log the finished run in `folder` to the tracker of its config; see `track`."""
    track(config.resolved, folder)


def track(resolved: Mapping[str, object], folder: Path) -> None:
    """Log the finished run in `folder` to the tracker that a resolved config chooses.

    The rest of the config may be invalid. An error is printed as one line on stderr, and written
    with its traceback to the run's log; the run stays finished.
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
            Evidence(
                name,
                run.manifest,
                run.stats,
                run.evidence_digest(),
                pictures(folder),
                folder.absolute().name,
            )
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
    """Write a warning with its traceback to the log of a finished run."""
    try:
        RunFolder(folder).append_log(
            f"{datetime.now():%Y-%m-%d %H:%M:%S} WARNING runner.tracking: "
            f"{said}\n{traceback.format_exc()}"
        )
    except OSError as error:
        LOG.debug("%s: %s", folder, error)


def pictures(folder: Path) -> tuple[Picture, ...]:
    """Return the charts of a finished run as PNG, or none if matplotlib is not installed."""
    if not available():
        return ()
    from initlab.runner.report.charts import run_charts

    return tuple(
        Picture(_file_name(chart.name), chart.title, png(chart.figure), chart.description)
        for chart in run_charts(folder)
    )


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
