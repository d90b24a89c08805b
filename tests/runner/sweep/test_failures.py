"""What a sweep does about runs that fail: goes on or stops, tries again or not."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FLAKY = """
import os
from initlab.engine import init, streams

@init.register
class Flaky(init.Initializer):
    def _init_weight(self, name, data):
        seed = streams.current_seed()
        tries = f"tries-{seed}"
        count = int(open(tries).read()) if os.path.exists(tries) else 0
        if seed == 1 and count < 2:
            open(tries, "w").write(str(count + 1))
            raise RuntimeError("not yet")
        data[:] = 1
"""


@pytest.fixture
def flaky(tmp_path):
    """`flaky(word, …)` sweeps over three seeds, the second of which fails twice, in a process of
    its own.
    """
    (tmp_path / "flaky.py").write_text(FLAKY)
    sweep = [
        sys.executable,
        "-m",
        "runner",
        "--plugin",
        "flaky.py",
        "-m",
        "init=flaky",
        "seed=0,1,2",
        "init_mode=eager",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*sweep, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return call


def statuses(tmp_path: Path) -> list[dict]:
    with open(tmp_path / "outputs" / "runs" / "summary.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        path = tmp_path / "outputs" / "runs" / row["run_id"] / "status.json"
        found.append(json.loads(path.read_text()) if path.exists() else {"state": row["state"]})
    return found


def test_a_failure_is_passed_over(flaky, tmp_path):
    assert flaky().returncode == 1
    assert [status["state"] for status in statuses(tmp_path)] == [
        "completed",
        "failed",
        "completed",
    ]
    assert [status["attempts"] for status in statuses(tmp_path)] == [1, 1, 1]


def test_a_failure_stops_the_sweep_where_that_was_asked_for_and_resuming_ends_it(flaky, tmp_path):
    done = flaky("sweep.on_error=stop")
    assert done.returncode == 1
    assert done.stdout.endswith("1 of 3 runs completed: outputs/runs/summary.md\n")
    assert [status["state"] for status in statuses(tmp_path)] == ["completed", "failed", "pending"]
    assert flaky("sweep.on_error=stop", "resume=true").returncode == 1
    assert flaky("sweep.on_error=stop", "resume=true").returncode == 0
    assert [status["state"] for status in statuses(tmp_path)] == ["completed"] * 3


def test_a_run_that_failed_is_tried_again_as_often_as_was_asked_for(flaky, tmp_path):
    done = flaky("sweep.retries=2", "sweep.on_error=stop")
    assert done.returncode == 0, done.stderr
    assert [status["attempts"] for status in statuses(tmp_path)] == [1, 3, 1]


def test_too_few_tries_leave_it_failed(flaky, tmp_path):
    assert flaky("sweep.retries=1").returncode == 1
    assert [(status["state"], status["attempts"]) for status in statuses(tmp_path)][1] == (
        "failed",
        2,
    )


def test_a_refused_config_is_not_tried_again(command, tmp_path):
    assert command("-m", "init=normal", "init.sigma=0.1,-1", "sweep.retries=5").code == 1
    assert statuses(tmp_path)[1]["attempts"] == 1
