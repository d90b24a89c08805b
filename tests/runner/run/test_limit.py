"""The time that a run may take: what ends when it is over, and what a run that ended so leaves."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from initlab import declare
from initlab.engine import autograd, streams
from initlab.engine.device import Device, current_device
from initlab.runner.config import plugins
from initlab.runner.errors import TimedOut
from initlab.runner.evidence import status
from initlab.runner.run.limit import limited

ROOT = Path(__file__).parents[3]
SOON = 0.05
PLUGIN = """
import time
from initlab.engine import init, streams


@init.register
class NAME(init.Initializer):
    def _init_weight(self, name, data):
        while streams.current_seed() == 1:
            try:
                BODY
            except Exception:
                pass
        data[:] = 1
"""
NUMBERS = count()


def forever():
    while True:
        pass


def deaf():
    """Swallow the exception once."""
    try:
        forever()
    except BaseException:
        forever()


def call_forever():
    while True:
        with suppress(Exception):
            time.sleep(60)


@pytest.mark.parametrize("work", [forever, deaf, call_forever])
def test_work_that_never_ends_is_ended(work):
    began = time.monotonic()
    said = r"it took longer than timeout=0\.05 \(seconds\)"
    with pytest.raises(TimedOut, match=said), limited(SOON):
        work()
    assert time.monotonic() - began < 10


def test_work_in_another_thread_is_ended():
    found = []

    def work():
        try:
            with limited(SOON):
                while True:
                    time.sleep(0.001)
        except TimedOut as error:
            found.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    assert len(found) == 1


def test_the_engine_is_afterwards_as_before_wherever_the_work_was_interrupted():
    def state():
        modes = autograd.is_recording(), autograd.is_training(), autograd.is_dropping()
        return *modes, current_device(), streams.version(), streams.current_seed()

    before = state()
    with pytest.raises(TimedOut), limited(SOON):
        autograd.set_recording(True)
        autograd.set_training(True)
        autograd.without_dropout().__enter__()
        Device("cpu", 3).__enter__()
        streams.use("torch-2.13")
        streams.seed(7)
        forever()
    assert state() == before


@pytest.mark.parametrize("seconds", [None, SOON])
def test_what_follows_the_end_of_the_limit_takes_any_time(seconds):
    with limited(seconds) as limit:
        limit.end()
        time.sleep(3 * SOON)
    time.sleep(SOON)


def test_an_error_of_the_work_stays_what_it_is():
    with pytest.raises(KeyError), limited(60):
        raise KeyError


@pytest.fixture
def endless(tmp_path):
    """`endless(body)` writes a plugin whose initializer repeats `body` with seed 1; it returns the
    words that choose it.
    """

    def write(body="time.sleep(0.01)"):
        name = f"Endless{next(NUMBERS)}"  # a name is registered once in a process
        path = tmp_path / "endless.py"
        path.write_text(PLUGIN.replace("NAME", name).replace("BODY", body))
        return "--plugin", str(path), f"init={name.lower()}"

    return write


def test_a_single_run_ends_with_one_line_and_is_not_finished(endless, command, tmp_path):
    done = command(*endless(), "seed=1", "timeout=0.2")
    [folder] = tmp_path.glob("outputs/runs/endless*")
    said = f"error: {folder.relative_to(tmp_path)}: it took longer than timeout=0.2 (seconds)"
    assert (done.code, done.err) == (1, f"{said} - give it more, or leave timeout out\n")
    assert not (folder / "manifest.json").exists()
    assert status.read(folder).state == "timed out"
    assert command("ls", "--columns", "state").out.count("timed out") == 2
    again = command("init=normal", "timeout=60")
    assert again.code == 0


def test_in_a_sweep_the_other_runs_go_on(endless, command, tmp_path):
    words = (*endless(), "-m", "seed=0,1,2", "timeout=3", "sweep.retries=1")
    done = command(*words)
    with open(tmp_path / "outputs/runs/summary.csv") as file:
        states = {row["seed"]: row["state"] for row in csv.DictReader(file)}
    assert (done.code, states) == (1, {"0": "completed", "1": "timed out", "2": "completed"})
    assert "timed out  endless" in done.out
    assert "seed=1" in done.out
    [folder] = tmp_path.glob("outputs/runs/endless*seed1*")
    found = status.read(folder)
    assert (found.state, found.attempts) == ("timed out", 1)
    assert "_init_weight" in (found.traceback or "")


def test_a_run_that_is_in_time_is_made_as_without(command, tmp_path):
    assert command("init=normal", "timeout=60").code == 0
    assert next(tmp_path.glob("outputs/runs/*")).name == "normal-seed0-046dba22b31ff360"


def test_python_raises(endless, command, tmp_path):
    _, path, word = endless()
    plugins.load(path)
    run = declare(word, "seed=1", "timeout=0.2")
    with pytest.raises(TimedOut, match="it took longer than"):
        run.run(tmp_path / "run")
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_single_run_that_hangs_in_c_ends_with_its_process(endless, tmp_path):
    words = [*endless("sum(range(10**12))"), "seed=1", "timeout=0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Timeout (0:00:02")
    assert "in _init_weight" in done.stderr
    assert not list(tmp_path.glob("outputs/runs/*/manifest.json"))


def test_a_run_whose_process_was_ended_is_told_from_one_that_crashed(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    running = status.Status(status.RUNNING, "x", limit=1.0, pid=gone.pid)
    status.write(tmp_path, running)
    assert status.read(tmp_path).state == status.CRASHED
    (tmp_path / "runner.log").write_text("INFO begun\nTimeout (0:00:03)!\nThread 1:\n")
    found = status.read(tmp_path)
    assert found.state == status.TIMED_OUT
    assert found.error == "it took longer than timeout=1 (seconds), hung, and was killed"
