"""The third part of the study behind docs/diagnosis.md: what follows from what is declared.

    python docs/diagnosis_declared.py rates FILE.jsonl …        each network at each of its rates
    python docs/diagnosis_declared.py names FILE.jsonl PART …   the factor of a chain's wrong variances

FILE and PART are those of diagnosis_study.py; nothing is trained again.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diagnosis_study import (
    FAILS,
    SEEDS,
    STEPS,
    WELL,
    cases,
    declared,
    observation_of,
    progress_of,
)

from initlab.runner.symptoms import Examined
from initlab.runner.symptoms.backward import UpdateTooLarge, fastest
from initlab.runner.symptoms.promise import NotAsNamed


def at_rates(records: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """Yield (relative change of the fastest weight by a step, progress) of each network that trains
    well, at each rate.
    """
    for record, best in zip(records, progress_of(records), strict=True):
        found = fastest(observation_of(record["observation"]))
        if found is None or best < WELL:
            continue
        ignorance = record["observation"]["ignorance"]
        top = min(_end(losses) for losses in record["trained"].values())
        for rate, losses in record["trained"].items():
            come = (ignorance - _end(losses)) / (ignorance - top) * best
            yield float(rate) * found[0], come


def _end(losses: list[float]) -> float:
    """Return the mean of the last losses, infinite if training diverged."""
    end = sum(losses[-10:]) / 10
    return end if len(losses) == STEPS and math.isfinite(end) else math.inf


def of_names(path: Path, part: str) -> Iterator[tuple[float, float]]:
    """Yield (figure of `not-as-named`, progress) of each network that it says something of."""
    records = {one["name"]: one for one in map(json.loads, path.open())}
    progress = dict(zip(records, progress_of(list(records.values())), strict=True))
    for case in cases(SEEDS[part]):
        with tempfile.TemporaryDirectory() as folder:
            rows = {row.path: row for row in declared(case, folder).plan.rows}
        seen = observation_of(records[case.name]["observation"])
        for reading in NotAsNamed().look(Examined(seen, rows=rows)):
            yield reading.figure, progress[case.name]


def tell(points: list[tuple[float, float]], ends: list[float]) -> None:
    """Print a row for each interval of figures: how many fail, come half way, and train well."""
    for low, high in zip([0.0, *ends], [*ends, math.inf], strict=True):
        inside = [p for figure, p in points if low <= figure < high]
        cells = [sum(p < FAILS for p in inside), 0, sum(p > WELL for p in inside)]
        cells[1] = len(inside) - cells[0] - cells[2]
        print(f"{low:8g} to {high:8g}: {'/'.join(map(str, cells))}")


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    if command == "rates":
        files = [[json.loads(line) for line in Path(one).read_text().splitlines()] for one in given]
        marks = [1e-3, 1e-2, 0.1, *(e for e in vars(UpdateTooLarge.scale).values() if e)]
        tell([point for records in files for point in at_rates(records)], marks)
    else:
        pairs = zip(given[::2], given[1::2], strict=True)
        points = [point for path, part in pairs for point in of_names(Path(path), part)]
        tell(points, [4.0, 30.0, 1000.0])
