"""Weights & Biases: a run in a local folder, to be uploaded with `wandb sync`, or directly on the
server.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from initlab.engine.options import Text, choice
from initlab.runner.json_values import restored
from initlab.runner.trackers.base import Tracker, register
from initlab.runner.trackers.evidence import TABLE, Evidence, Spread

BINS = 512
"""The most that W&B draws."""


@register
@dataclass
class Wandb(Tracker):
    """Writes a run for Weights & Biases to `folder`/<project>/wandb/offline-run-<time>-<run id>/.

    The run's id is also W&B's id, so tracking the same run again replaces it on the server.
    Offline, its older folders are removed after the new one is written. W&B's service process ends
    with each run.

    Example: initlab tracker=wandb tracker.project=widths
    """

    packages = ("wandb",)
    mode: Annotated[str, choice("offline online")] = "offline"
    """Whether it is sent to the server at once (online)."""
    project: Text | None = None
    """The project; null: the run's name."""
    folder: Text = "outputs/wandb"
    """Where the files lie."""

    def track(self, evidence: Evidence) -> None:
        """Write the run, then remove older folders of the same id."""
        project = re.sub(r"[/\\#?%:]", "_", self.project or evidence.name)
        folder = Path(self.folder) / project
        folder.mkdir(parents=True, exist_ok=True)
        older = list((folder / "wandb").glob(f"*run-*-{evidence.run_id}"))
        with _quiet(), TemporaryDirectory() as files:
            written = _write(self.mode, project, folder.absolute(), evidence, Path(files))
        for path in older:
            if path.absolute() != written:
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn off W&B's error reports, which would use the network, inside a `with`."""
    before = os.environ.get("WANDB_ERROR_REPORTING")
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ["WANDB_ERROR_REPORTING"]
        else:
            os.environ["WANDB_ERROR_REPORTING"] = before


def _write(mode: Any, project: str, folder: Path, evidence: Evidence, files: Path) -> Path:
    """Write the run and return its local folder."""
    import wandb

    unasked: dict[str, Any] = {
        "disable_git": True,
        "disable_code": True,
        "x_disable_stats": True,
        "x_disable_meta": True,
        "x_disable_machine_info": True,
    }
    settings = wandb.Settings(silent=True, console="off", **unasked)
    try:
        run = wandb.init(
            project=project,
            id=evidence.run_id,
            name=evidence.run_id,
            group=evidence.name[:128],
            dir=str(folder),
            mode=mode,
            config={**evidence.params, "initlab": evidence.tags},
            settings=settings,
        )
        _log(wandb, run, evidence, files)
        run.finish()
        return Path(run.dir).parent
    finally:
        wandb.teardown()


def _log(wandb: Any, run: Any, evidence: Evidence, files: Path) -> None:
    for series in evidence.series:
        run.define_metric(series.axis)
        run.define_metric(series.name, step_metric=series.axis)
    for series in evidence.series:
        for step, value in zip(series.steps, series.values, strict=True):
            run.log({series.axis: step, series.name: value})
    once: dict[str, Any] = {
        "parameters": wandb.Table(
            columns=list(TABLE), data=[list(map(restored, row)) for row in evidence.table]
        )
    }
    for path, found in evidence.spreads.items():
        coarse = coarser(found, BINS)
        once[f"values/{path}"] = wandb.Histogram(np_histogram=(coarse.counts, coarse.edges))
    for picture in evidence.pictures:
        file = files / f"{picture.name}.png"
        file.write_bytes(picture.png)
        once[f"charts/{picture.name}"] = wandb.Image(str(file), caption=picture.title)
    run.log(once)
    run.summary.update(evidence.metrics)


def coarser(found: Spread, bins: int) -> Spread:
    """Return a histogram with at most `bins` bins, each of which merges neighbours."""
    step = -(-len(found.counts) // bins)
    starts = range(0, len(found.counts), step)
    edges = [found.edges[i] for i in starts] + [found.edges[-1]]
    return Spread(edges, [sum(found.counts[i : i + step]) for i in starts], found.mean, found.rms)
