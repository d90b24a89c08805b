"""The status of a run of a sweep, in `status.json` of its folder; summaries are made from it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

from initlab.engine import strict_json
from initlab.runner.evidence.folder import LOG, RunFolder
from initlab.runner.files import write_json

NAME = "status.json"
RUNNING, COMPLETED, FAILED = "running", "completed", "failed"
TIMED_OUT = "timed out"
CRASHED, PENDING = "crashed", "pending"
UNFINISHED, DAMAGED = "unfinished", "damaged"
"""States in a list of runs: of a run that is no sweep's and did not finish, and of a finished one whose
manifest cannot be read.
"""
HUNG = "Timeout ("
"""How the interpreter's own lines begin in the log of a run that it ended, since it hung."""


@dataclass
class Status:
    """The status of a run.

    In the file, `state` is pending, running, completed, failed or timed out. `read` also returns
    crashed, and pending if there is no file. `limit` is the run's timeout in seconds.
    """

    state: str
    run_id: str
    overrides: list[str] = field(default_factory=list)
    error: str | None = None
    traceback: str | None = None
    seconds: float | None = None
    root: str | None = None
    objective: float | None = None
    resumed: bool = False
    attempts: int = 0
    changed: str | None = None
    """What is not as in the run of the same config that was there before."""
    limit: float | None = None
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)


def write(folder: Path, status: Status) -> None:
    """Write the status of the run in `folder`, atomically.

    It is not synced, because only a manifest says that a run is finished.
    """
    write_json(folder / NAME, vars(status), durable=False)


def remove(folder: Path) -> None:
    """Remove the status that an earlier sweep left in the folder of a single run."""
    (folder / NAME).unlink(missing_ok=True)


def read(folder: Path) -> Status:
    """Return the status of a run. Only a manifest makes it completed.

    pending     there is no status, or it says so: a launcher has the run
    crashed     it says running and its process is gone, or completed and there is no manifest
    timed out   it says so, or it says running, its process is gone, and the log says that it hung
    completed   there is a manifest, and it says completed, or running by a process that is gone, or nothing
    """
    finished = RunFolder(folder).finished
    status = stored(folder)
    if status is None:
        return Status(COMPLETED if finished else PENDING, folder.name)
    if status.state == COMPLETED and not finished:
        status.state, status.error = CRASHED, "it has no manifest"
    if status.state == RUNNING and status.host == socket.gethostname() and not alive(status.pid):
        return _ended(status, True, "") if finished else gone(folder, status)
    return status


def gone(folder: Path, status: Status) -> Status:
    """Return the status of a run without manifest that says running, and whose process is gone."""
    if status.limit is not None and _hung(folder):
        said = f"it took longer than timeout={status.limit:g} (seconds), hung, and was killed"
        return replace(status, state=TIMED_OUT, error=said)
    return _ended(status, False, f"its process {status.pid} is gone")


def stored(folder: Path) -> Status | None:
    """Return what the file says; None if there is no file, or it is damaged."""
    try:
        return _parse(strict_json.read(folder / NAME))
    except (OSError, ValueError, TypeError):
        return None


def _parse(content: object) -> Status:
    """Return a status written by any version; fields unknown to this one are ignored.

    Raises ValueError or TypeError if the content is no status.
    """
    if not isinstance(content, dict) or content.get("state") not in (
        PENDING,
        RUNNING,
        COMPLETED,
        FAILED,
        TIMED_OUT,
    ):
        raise ValueError("this is no status")
    status = Status(
        **{key: value for key, value in content.items() if key in Status.__dataclass_fields__}
    )
    sound = (
        isinstance(status.run_id, str)
        and isinstance(status.overrides, list)
        and isinstance(status.pid, int)
    )
    numbers = all(
        isinstance(number, (int, float, type(None)))
        for number in (status.seconds, status.objective, status.limit)
    )
    texts = all(
        isinstance(text, (str, type(None)))
        for text in (status.error, status.traceback, status.root, status.host, status.changed)
    )
    if not (sound and numbers and texts):
        raise ValueError("this is no status")
    return status


def _hung(folder: Path) -> bool:
    """Return whether the log of a run says that it was ended, since it hung."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.startswith(HUNG) for line in text.splitlines())


def conclude(folder: Path) -> Status:
    """Return the status of a run after its launcher has ended, when no run can be running."""
    status = read(folder)
    return (
        _ended(status, RunFolder(folder).finished, "it did not end")
        if status.state == RUNNING
        else status
    )


def _ended(status: Status, finished: bool, said: str) -> Status:
    # A process may be killed after it wrote the manifest and before it wrote the last status.
    state = COMPLETED if finished else CRASHED
    return replace(status, state=state, error=None if finished else said)


def alive(pid: int) -> bool:
    """Return whether there is a process of this number on this machine."""
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
