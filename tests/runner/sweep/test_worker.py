"""A process that a launcher started ends with its sweep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from initlab.runner.errors import Terminated
from initlab.runner.evidence import status
from initlab.runner.evidence.members import Member
from initlab.runner.evidence.provenance import Calling
from initlab.runner.sweep.worker import END, Sweeping, ending, following, settle

ROOT = Path(__file__).parents[3]
CALLED = Calling(None, "/", None, None, [])
RUN = """
import sys, time
from pathlib import Path
from initlab.runner.errors import Terminated
from initlab.runner.evidence.provenance import Calling
from initlab.runner.sweep.worker import Sweeping, following

sweep = Sweeping(Calling(None, "/", None, None, []), PID, HOST)
try:
    with following(sweep, Path("run")) as may_begin:
        print("may begin", may_begin, flush=True)
        time.sleep(60 * may_begin)
except Terminated as error:
    print(error, flush=True)
time.sleep(60 * may_begin)
"""


@pytest.fixture
def worker(tmp_path):
    """`worker(pid)` starts a process that performs a run for the sweep of another process."""
    begun = []

    def call(pid: int) -> subprocess.Popen[str]:
        program = RUN.replace("PID", str(pid)).replace("HOST", repr(socket.gethostname()))
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    (tmp_path / "run").mkdir()
    yield call
    for process in begun:
        process.kill()
        process.communicate()


def test_a_run_ends_when_its_sweep_is_asked_to_end(worker, tmp_path):
    process = worker(os.getpid())
    assert process.stdout.readline() == "may begin True\n"
    (tmp_path / END).touch()
    assert process.stdout.readline() == "stopped by SIGTERM\n"


def test_a_run_whose_process_somebody_else_ends_dies_with_it(worker):
    process = worker(os.getpid())
    assert process.stdout.readline() == "may begin True\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == -signal.SIGTERM


def test_no_run_begins_after_that(worker, tmp_path):
    (tmp_path / END).touch()
    process = worker(os.getpid())
    assert process.communicate(timeout=60)[0] == "may begin False\n"


def test_a_process_without_a_run_ends_when_the_one_that_started_it_is_gone(worker):
    program = (
        "import os, subprocess, sys; print(subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
        ".pid, flush=True); sys.stdin.readline()"
    )
    run = RUN.replace("time.sleep(60 * may_begin)", "time.sleep(0.1)", 1)
    run = run.replace("PID", "__import__('os').getppid()").replace(
        "HOST", repr(socket.gethostname())
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, run],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert int(parent.stdout.readline())
    assert parent.stdout.readline() == "may begin True\n"
    parent.kill()
    assert parent.stdout.read() == ""  # until the child has ended too
    parent.communicate()


def test_in_the_process_of_the_sweep_nothing_is_watched(tmp_path):
    before = threading.active_count()
    for sweep in (None, Sweeping.here(CALLED)):
        with following(sweep, tmp_path / "run") as may_begin:
            assert may_begin
            assert threading.active_count() == before


def member(folder: Path, number: int, **content) -> Member:
    """A run with a status."""
    place = folder / str(number)
    place.mkdir()
    status.write(place, replace(status.Status(status.RUNNING, str(number)), **content))
    return Member(str(number), str(place), [])


def test_a_sweep_that_is_asked_to_end_asks_its_runs_and_says_how_they_ended(tmp_path):
    process = subprocess.Popen(["sleep", "60"])
    members = [
        member(tmp_path, 0, pid=process.pid),
        member(tmp_path, 1, state=status.PENDING),
        member(tmp_path, 2, state=status.FAILED, error="its own"),
        member(tmp_path, 3, host="elsewhere", pid=process.pid),
    ]

    def stop(number: int, frame: object) -> None:
        raise Terminated(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(Terminated), ending(members):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (tmp_path / END).exists()
    assert process.wait(timeout=20) == -signal.SIGTERM
    found = [status.read(Path(one.folder)) for one in members]
    assert [(one.state, one.error) for one in found] == [
        ("failed", "stopped by SIGTERM"),
        ("pending", None),
        ("failed", "its own"),
        ("running", None),
    ]


def test_a_request_that_the_launcher_does_not_pass_on_is_kept(tmp_path):
    def stop(number: int, frame: object) -> None:
        raise Terminated(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(Terminated, match="SIGTERM"), ending([]), suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        with pytest.raises(Terminated, match="SIGTERM"), ending([]):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                signal.pause()
            except KeyboardInterrupt:
                raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_process_that_does_not_end_in_order_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("initlab.runner.sweep.worker.PATIENCE", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    settle([member(tmp_path, 0, pid=process.pid)], "stopped")
    assert process.wait(timeout=20) == -signal.SIGKILL
    process.communicate()


def test_the_handlers_of_signals_and_an_old_request_are_put_back(tmp_path):
    members = [member(tmp_path, 0, state=status.PENDING)]
    (tmp_path / END).touch()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with ending(members):
        assert not (tmp_path / END).exists()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
