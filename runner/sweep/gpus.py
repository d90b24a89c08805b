"""One GPU for each process of a launcher that assigns none, by an environment variable set before
CUDA is loaded.

`device.index` stays 0 in every config, so run ids are the same as on a machine with one GPU. Ray
and Slurm set the environment variable themselves.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
ASSIGNED = "INITLAB_GPU"
"""Environment variable of a process that has its GPU: the earlier value of VISIBLE."""
OTHERS = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "RAY_JOB_ID")
"""Environment variables of a process whose launcher assigns GPUs."""
_held: list[int] = []
"""Descriptors of this process's locks, which are released when it ends."""


def visible() -> list[str]:
    """Return the GPUs that this process may use, by number or id.

    They come from the environment if it names any, else from the driver.
    """
    given = os.environ.get(VISIBLE)
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip() and name.strip() != "-1"]
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split() if done.returncode == 0 else []


def assign() -> str | None:
    """Assign a GPU to this process until it ends, and return it.

    It is one that no other process has; if all are taken, they are shared in turn. Returns None if
    there are fewer than two GPUs or the launcher assigns them.
    """
    if ASSIGNED in os.environ or any(name in os.environ for name in OTHERS):
        return None
    found = visible()
    if len(found) < 2:
        return None
    folder = Path(tempfile.gettempdir()) / f"initlab-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    taken = next((name for name in found if _lock(folder / name.replace("/", "_"))), None)
    chosen = taken if taken is not None else found[os.getpid() % len(found)]
    os.environ[ASSIGNED] = os.environ.get(VISIBLE, "")
    os.environ[VISIBLE] = chosen
    return chosen


def _lock(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    return True
