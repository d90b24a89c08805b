"""Files of a run's folder: small text files written atomically, locks between processes, and errors
of the disk.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine.errors import FormatError
from initlab.engine.formats.base import TEMPORARY, replacing, sync
from initlab.runner.errors import ConfigError, StorageError
from initlab.runner.json_values import JSON

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
POLL_SECONDS = 0.2
"""Seconds between two looks at a folder that another process has locked."""
LOOKS, LOOK_SECONDS = 5, 0.02
"""How often `locked` tries, as `is_locked` may be looking, and the seconds between."""
UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT, errno.ESTALE}
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""The beginning of an address like s3://bucket, which as a path would make a folder named `s3:`."""


def check_local(place: str, folder: str | os.PathLike[str]) -> None:
    """Raise ConfigError, at `place`, for an address of a remote storage in place of a folder."""
    if ADDRESS.match(str(folder)):
        said = f"must be a folder of this machine, got {str(folder)!r} - copy the folder afterwards"
        raise ConfigError.of(place, said)


BUSY_RUN = (
    "another process is at work on this very run - wait for it to end, or give name=… for a folder "
    "of its own"
)


@contextmanager
def locked(folder: Path, said: str = BUSY_RUN) -> Iterator[None]:
    """Lock a folder against other processes, inside a `with`.

    The lock is released when the process ends in any way. On a file system without locks (some NFS)
    there is none. Raises StorageError with the text `said` if another process holds the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        looks = 1
        while not _lock(descriptor):
            if looks == LOOKS:
                raise StorageError(f"{folder}: {said}")
            looks += 1
            time.sleep(LOOK_SECONDS)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_once_free(folder: Path) -> Iterator[None]:
    """Wait for the lock of a folder, and hold it inside a `with`.

    After a second of waiting, a line on stderr says so.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        waited = 0.0
        while not _lock(descriptor):
            if waited <= 1.0 < waited + POLL_SECONDS:
                print(
                    f"waiting: another process is at work in {folder}", file=sys.stderr, flush=True
                )
            time.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool | None:
    """Return whether a process holds the lock of a folder; None on a file system without locks.

    For the moment of the look it is locked against others, as long as `locked` is patient.
    Raises OSError if the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Try to lock; return whether the folder is locked by us now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def storage_errors(folder: Path, needed: int = 0) -> Iterator[None]:
    """Convert an OSError about a folder that cannot be written to StorageError, inside a `with`.

    `needed` is the number of bytes that the run will write, for the message about a full disk. A
    FormatError, about values that the chosen format cannot hold, becomes a StorageError too.
    """
    try:
        yield
    except FormatError as error:
        raise StorageError(f"{folder}: {error}") from error
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(
                f"{folder}: the disk is full: {_room(folder, needed)} - make room and go on with resume=true"
            ) from error
        inside = (
            error.filename is None
            or str(folder) in str(error.filename)
            or str(folder.absolute()) in str(error.filename)
        )
        if inside and not folder.is_dir():
            raise StorageError(
                f"{folder}: the folder disappeared while the run was writing it - run again"
            ) from error
        if inside and error.errno in UNWRITABLE:
            raise StorageError(
                f"{folder}: cannot be written ({error.strerror}) - run from another working directory"
            ) from error
        raise


def check_target(path: Path) -> None:
    """Raise StorageError unless a file can be written at `path`. Writes nothing."""
    folder = path.parent
    said = None
    if not folder.is_dir():
        said = "there is no such folder"
    elif path.is_dir():
        said = "it is a folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        said = "Permission denied"
    if said is not None:
        raise StorageError(f"{path}: cannot be written ({said}) - give another file with -o")


def _room(folder: Path, needed: int) -> str:
    """Return `the snapshot needs 4.00 GB, 1.20 GB are free`."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return f"the run writes {needed / 1e9:.3g} GB"
    return f"the run writes {needed / 1e9:.3g} GB, {status.f_bavail * status.f_frsize / 1e9:.3g} GB are free"


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write a file atomically; also durably, unless losing it in a power failure does no harm."""
    write_bytes(path, text.encode("utf-8"), durable)


def sync_files(folder: Path, names: Iterable[str]) -> None:
    """Sync several written files and their names to the disk."""
    for name in names:
        if (folder / name).exists():
            sync(folder / name)
    sync(folder)


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Write a file atomically, and durably unless losing it in a power failure does no harm."""
    with replacing(path, durable) as file:
        file.write(content)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that a killed process left in a folder."""
    for path in folder.glob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, value: object, durable: bool = True) -> None:
    """Write readable JSON. NaN and infinity, which JSON lacks, are written as texts that `float`
    reads.
    """
    write_text(path, json_text(value) + "\n", durable)


def json_text(value: Any, margin: str = "\n") -> str:
    """Return `value` as JSON, one part per line; a list of plain values is on one line.

    `margin` is the start of each line.
    """
    kind = type(value)
    if kind is str:
        return QUOTED(value)
    if kind is int or (kind is float and math.isfinite(value)):
        return repr(value)
    inner = margin + " "
    if isinstance(value, dict) and value:
        parts = [f"{_key(key)}: {json_text(item, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{margin}}}"
    if isinstance(value, (list, tuple)):
        parts = [json_text(item, inner) for item in value]
        nested = any(isinstance(item, (dict, list, tuple)) for item in value)
        return f"[{inner}{f',{inner}'.join(parts)}{margin}]" if nested else f"[{', '.join(parts)}]"
    if value is None:
        return "null"
    return PLAIN.encode(in_json(value))


PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
QUOTED = json.encoder.encode_basestring


def _key(key: Any) -> str:
    """Return a key as a JSON text."""
    return QUOTED(key) if isinstance(key, str) else PLAIN.encode({key: 0})[1:-4]


def in_json(value: Any) -> JSON:
    """Convert `value` to JSON types: NumPy numbers to Python's, NaN and infinity to text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {key: in_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [in_json(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, JSON]]) -> None:
    """Write a table; a missing figure is an empty cell."""
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, JSON]]) -> str:
    """Return a table as CSV; a missing figure is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: row.get(column) for column in columns})
    return text.getvalue()
