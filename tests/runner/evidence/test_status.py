"""What a run's folder says of how far it came."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from initlab.runner.evidence.status import (
    COMPLETED,
    CRASHED,
    FAILED,
    NAME,
    PENDING,
    RUNNING,
    Status,
    conclude,
    read,
    remove,
    write,
)


@pytest.fixture
def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def finish(folder) -> None:
    (folder / "manifest.json").write_text("{}")


def test_a_status_comes_back_as_it_was_written(tmp_path):
    status = Status(FAILED, "x-1", ["seed=1"], "E: no", "Traceback", 0.5)
    write(tmp_path, status)
    assert read(tmp_path) == status
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_without_status_is_pending(tmp_path):
    assert read(tmp_path / "x-1") == Status(PENDING, "x-1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "running"}', '{"other": 1}'])
def test_a_damaged_status_is_none(text, tmp_path):
    (tmp_path / NAME).write_text(text)
    assert read(tmp_path).state == PENDING


def test_a_finished_folder_whose_status_is_lost_is_completed(tmp_path):
    finish(tmp_path)
    assert read(tmp_path).state == COMPLETED


def test_a_run_whose_process_lives_is_running(tmp_path):
    write(tmp_path, Status(RUNNING, "x-1", pid=os.getppid()))
    assert read(tmp_path).state == RUNNING


def test_a_run_whose_process_is_gone_has_crashed(tmp_path, gone):
    write(tmp_path, Status(RUNNING, "x-1", pid=gone))
    status = read(tmp_path)
    assert (status.state, status.error) == (CRASHED, f"its process {gone} is gone")


def test_a_run_killed_after_its_manifest_is_completed(tmp_path, gone):
    write(tmp_path, Status(RUNNING, "x-1", pid=gone))
    finish(tmp_path)
    assert (read(tmp_path).state, read(tmp_path).error) == (COMPLETED, None)


def test_a_process_of_another_host_is_not_looked_for(tmp_path, gone):
    write(tmp_path, Status(RUNNING, "x-1", pid=gone, host=f"not-{socket.gethostname()}"))
    assert read(tmp_path).state == RUNNING


def test_a_run_that_says_running_after_its_launcher_ended_has_crashed(tmp_path):
    write(tmp_path, Status(RUNNING, "x-1", host="elsewhere"))
    assert (conclude(tmp_path).state, conclude(tmp_path).error) == (CRASHED, "it did not end")
    finish(tmp_path)
    assert conclude(tmp_path).state == COMPLETED


def test_completed_without_a_manifest_is_crashed(tmp_path):
    write(tmp_path, Status(COMPLETED, "x-1"))
    assert (read(tmp_path).state, read(tmp_path).error) == (CRASHED, "it has no manifest")


def test_a_failure_stays_one_beside_an_older_manifest(tmp_path):
    write(tmp_path, Status(FAILED, "x-1", error="no gpu"))
    finish(tmp_path)
    assert read(tmp_path).state == FAILED


def test_a_removed_status_is_gone_and_none_is_no_error(tmp_path):
    write(tmp_path, Status(RUNNING, "x-1"))
    remove(tmp_path)
    remove(tmp_path)
    assert not (tmp_path / NAME).exists()


def test_the_file_holds_what_a_program_needs(tmp_path):
    write(tmp_path, Status(FAILED, "x-1", ["seed=1"], "E: no", "Traceback", 0.5))
    content = json.loads((tmp_path / NAME).read_text())
    assert content == {
        "state": "failed",
        "run_id": "x-1",
        "overrides": ["seed=1"],
        "error": "E: no",
        "traceback": "Traceback",
        "seconds": 0.5,
        "root": None,
        "objective": None,
        "resumed": False,
        "attempts": 0,
        "changed": None,
        "limit": None,
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }
