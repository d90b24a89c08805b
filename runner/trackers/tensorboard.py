"""TensorBoard: one event file for each run, written with tensorboardX."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initlab.engine.options import Text
from initlab.runner.trackers.base import Tracker, register
from initlab.runner.trackers.evidence import TABLE, Evidence, Spread


@register
@dataclass
class Tensorboard(Tracker):
    """Writes an event file for TensorBoard to `folder`/<name>/<run id>/.

    Tracking the same run again replaces that folder; the new event file is written next to it
    first.

    Example: initlab tracker=tensorboard tracker.folder=outputs/events
    """

    packages = ("tensorboardX",)
    folder: Text = "outputs/tensorboard"
    """Where the event files lie."""

    def track(self, evidence: Evidence) -> None:
        """Write the event file; afterwards it is the only file in the run's folder."""
        from tensorboardX import SummaryWriter

        target = Path(self.folder) / evidence.name / evidence.run_id
        fresh = target.with_name(f".{target.name}.part")
        shutil.rmtree(fresh, ignore_errors=True)
        with SummaryWriter(str(fresh)) as writer:
            _write(writer, evidence)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)


def _write(writer: Any, evidence: Evidence) -> None:
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.summary import hparams

    params = {
        key: value if isinstance(value, (bool, int, float, str)) else str(value)
        for key, value in evidence.params.items()
    }
    for summary in hparams(params, evidence.metrics):
        writer.file_writer.add_summary(summary)
    for name, value in evidence.metrics.items():
        writer.add_scalar(name, value, 0)
    for series in evidence.series:
        for step, value in zip(series.steps, series.values, strict=True):
            writer.add_scalar(series.name, value, step)
    writer.add_text("parameters", markdown(TABLE, evidence.table), 0)
    writer.add_text(
        "run", markdown(("tag", "value"), [list(item) for item in evidence.tags.items()]), 0
    )
    for path, spread in evidence.spreads.items():
        _write_histogram(writer, f"values/{path}", spread)
    for picture in evidence.pictures:
        # PNG stores width and height at bytes 16 and 20.
        width, height = (int.from_bytes(picture.png[at : at + 4], "big") for at in (16, 20))
        image = Summary.Image(
            height=height, width=width, colorspace=4, encoded_image_string=picture.png
        )
        writer.file_writer.add_summary(
            Summary(value=[Summary.Value(tag=f"charts/{picture.name}", image=image)]), 0
        )


def _write_histogram(writer: Any, tag: str, spread: Spread) -> None:
    count = sum(spread.counts)
    # TensorBoard's buckets have upper edges only, so an empty first bucket gives the lower edge.
    writer.add_histogram_raw(
        tag,
        min=spread.edges[0],
        max=spread.edges[-1],
        num=count,
        sum=spread.mean * count,
        sum_squares=spread.rms**2 * count,
        bucket_limits=spread.edges,
        bucket_counts=[0, *spread.counts],
        global_step=0,
    )


def markdown(columns: tuple[str, ...], rows: list[list[Any]]) -> str:
    """Return a table as Markdown, which TensorBoard renders."""
    cells = [
        list(columns),
        ["---"] * len(columns),
        *([_cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
