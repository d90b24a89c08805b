"""One GPU for each process of a launcher that assigns none itself: by the environment, before
anything has loaded CUDA.

`device.index` stays 0 in every config, so that run ids are those of a machine with one GPU. Ray and
Slurm set the environment themselves.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
ASSIGNED = "INITLAB_GPU"
"""Set once a process has its GPU: what VISIBLE held before."""
OTHERS = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "RAY_JOB_ID")
"""Environment of a process whose launcher assigns GPUs."""
_held: list[int] = []
"""Descriptors of this process's locks, which end with it."""


def visible() -> list[str]:
    """The GPUs that this process may use, by number or id: those of the environment, else those
    that the driver lists.
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
    """Take a GPU for this process, for as long as it lives: one that no other process has taken, or
    where all are taken, one in turn.

    None where there are fewer than two, or where a launcher assigns them.
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
