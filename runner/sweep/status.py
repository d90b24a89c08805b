"""How far a run of a sweep has come, in `status.json` of its folder; the source of all aggregation."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runner import manifest
from runner.files import write_json

NAME = "status.json"
RUNNING, COMPLETED, FAILED = "running", "completed", "failed"
CRASHED, PENDING = "crashed", "pending"


@dataclass
class Status:
    """`state` is running, completed or failed in the file; crashed and pending are concluded by `read`."""

    state: str
    run_id: str
    overrides: list[str] = field(default_factory=list)
    error: str | None = None
    traceback: str | None = None
    seconds: float | None = None
    root: str | None = None
    resumed: bool = False
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)


def write(folder: Path, status: Status) -> None:
    """Write the status of the run in `folder`, atomically."""
    write_json(folder / NAME, asdict(status))


def read(folder: Path) -> Status:
    """The status of a run: pending where there is none, crashed where its process is gone, completed only with a manifest."""
    try:
        status = Status(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Status(PENDING, folder.name)
    if status.state == COMPLETED and not (folder / manifest.NAME).exists():
        status.state, status.error = CRASHED, "it has no manifest"
    if status.state == RUNNING and status.host == socket.gethostname() and not _alive(status.pid):
        status.state, status.error = CRASHED, f"its process {status.pid} is gone"
    return status


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
