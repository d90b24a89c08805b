"""Snapshot files that several readers share: each is opened once, as long as somebody uses it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from initlab.engine.formats.base import Snapshot, get
from initlab.engine.formats.sharded import Sharded, files_of

Seen = tuple[tuple[str, int, int, int], ...]
_opened: WeakValueDictionary[Seen, Snapshot] = WeakValueDictionary()
_lock = Lock()


def open_shared(path: str | os.PathLike[str]) -> Snapshot:
    """Return the snapshot in `path`: the same object as long as one is in use and the file, and the
    parts that it names, do not change. Nobody may change it.

    Its tensors are mapped into memory where the format allows it (`Format.open`). Errors are
    `Format.read`'s.
    """
    file_format = get(path)
    seen = _seen(Path(path), isinstance(file_format, Sharded))
    with _lock:
        found = _opened.get(seen)
        if found is None:
            found = _opened[seen] = file_format.open(path)
        return found


def _seen(path: Path, has_parts: bool) -> Seen:
    parts = sorted({path.parent / name for name in files_of(path).values()}) if has_parts else []
    found = []
    for file in (path, *parts):
        stat = file.stat()
        found.append((str(file.resolve()), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
