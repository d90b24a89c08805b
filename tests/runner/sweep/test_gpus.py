"""Each process of a launcher has a GPU of its own while there are enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.sweep import gpus

ROOT = Path(__file__).parents[3]
HOLDS = "from initlab.runner.sweep import gpus; import os, sys; print(gpus.assign(), os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); sys.stdin.read()"


@pytest.fixture
def worker(tmp_path):
    """`worker()` starts a process that takes a GPU and holds it; gives the process and what it
    took.
    """
    started = []

    def call(visible: str = "2,5", **more: str) -> tuple[subprocess.Popen[str], str]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(tmp_path),
            "CUDA_VISIBLE_DEVICES": visible,
            **more,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield call
    for process in started:
        process.kill()
        process.communicate()


def test_two_processes_get_their_own_gpus_and_a_third_shares_one(worker):
    assert worker()[1] == "2 2"
    assert worker()[1] == "5 5"
    assert worker()[1] in ("2 2", "5 5")


def test_the_gpu_of_a_process_that_was_killed_is_free_again(worker):
    first, said = worker()
    assert said == "2 2"
    first.kill()
    first.communicate()
    assert worker()[1] == "2 2"


@pytest.mark.parametrize("visible", ["", "3", "-1"])
def test_one_gpu_or_none_is_left_as_it_is(visible, worker):
    assert worker(visible)[1] == f"None {visible}".strip()


@pytest.mark.parametrize("name", ["SLURM_JOB_GPUS", "RAY_JOB_ID"])
def test_a_launcher_that_assigns_gpus_is_left_to_it(name, worker):
    assert worker(**{name: "1"})[1] == "None 2,5"


def test_a_process_keeps_its_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv(gpus.VISIBLE, "2,5")
    monkeypatch.delenv(gpus.ASSIGNED, raising=False)
    try:
        assert gpus.assign() == "2"
        assert gpus.assign() is None
        assert os.environ[gpus.VISIBLE] == "2"
    finally:
        os.close(gpus._held.pop())
        os.environ.pop(gpus.ASSIGNED)
        monkeypatch.setattr("tempfile.tempdir", None)
