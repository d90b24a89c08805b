"""Where runs lie: every folder of a run below a folder, finished or not.

A folder is that of a run if it has a manifest, a status, or two of the other files that a run writes,
and is not that of a sweep. Folders whose names begin with a dot are not searched. A link to a folder
outside is followed, once, unless it lies in a run; one to a folder inside, or to a folder around, is
not: what is inside is found at its own place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import DIAGNOSIS, HYDRA, LOG, MANIFEST, PLAN, STATISTICS, SWEEP
from initlab.runner.evidence.status import NAME as STATUS

MARKS = frozenset({PLAN, STATISTICS, LOG, HYDRA})
"""What a run writes before its manifest; two of these make a folder that of a run."""
CONFIG = f"{HYDRA}/config.yaml"
READ = (MANIFEST, STATISTICS, DIAGNOSIS, STATUS, CONFIG, LOG)
"""The files from which a run is described, the last two only without a manifest."""
ENVIRONMENT = "INITLAB_OUTPUTS"
"""The variable that names the folder of all runs, in place of `outputs`."""

Stamp = list[int] | None
"""Inode, size, time of the content and time of the last change of a file, both in ns; None without
one. The last cannot be set by a program, so that no change keeps the stamp.
"""


@dataclass(frozen=True)
class Place:
    """The folder of a run: `path` is relative to the folder that was searched, with `/`.

    `stamps` are those of the files `READ`. `linked` says whether it lies behind a link.
    """

    folder: Path
    path: str
    stamps: list[Stamp]
    linked: bool = False

    @property
    def changed(self) -> int:
        """When one of the files changed last, in ns."""
        return max((stamp[3] for stamp in self.stamps if stamp is not None), default=0)


def root_of(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of all runs: the one given, else that of `INITLAB_OUTPUTS`, else `outputs`.

    Raises EvidenceError if there is no such folder.
    """
    said = os.environ.get(ENVIRONMENT) if given is None else given
    named = "outputs" if given is None and not said else said
    if named == "" or named is None or not Path(named).is_dir():
        what = f"{ENVIRONMENT}={said}" if given is None and said else named or "''"
        raise EvidenceError(f"{what}: no such folder - give one that holds runs, like outputs")
    return Path(named)


def meant(given: str | os.PathLike[str]) -> Path:
    """Return the file or folder that a person means: as given, else seen from the folder of all runs,
    as `initlab ls` prints it.
    """
    path = Path(given)
    if os.fspath(given) and not path.is_absolute() and not os.path.lexists(path):
        with suppress(EvidenceError):
            inside = root_of() / path
            return inside if inside.exists() else path
    return path


def below(root: Path, refused: Callable[[OSError], None]) -> Iterator[Place]:
    """Yield the folders of runs, in order; `refused` is told of a folder that cannot be listed."""
    top = os.path.realpath(root)
    seen = {top}
    waiting = [(os.fspath(root), False)]
    while waiting:
        start, linked = waiting.pop(0)
        for place, links in _walk(start, os.fspath(root), linked, refused):
            if place is not None:
                yield place
            for link in links:
                real = os.path.realpath(link)
                if os.path.isdir(real) and not any(_nested(real, one) for one in seen):
                    seen.add(real)
                    waiting.append((link, True))


def _nested(one: str, other: str) -> bool:
    """Return whether one of two folders is the other one or lies in it."""
    return f"{one}{os.sep}".startswith(f"{other}{os.sep}") or other.startswith(f"{one}{os.sep}")


def _walk(
    start: str, root: str, linked: bool, refused: Callable[[OSError], None]
) -> Iterator[tuple[Place | None, list[str]]]:
    """Yield each run from `start` on, and the links to folders on the way."""
    open_folders = [start]
    while open_folders:
        folder = open_folders.pop()
        try:
            with os.scandir(folder) as listed:
                entries = {entry.name: entry for entry in listed}
        except OSError as error:
            refused(error)
            continue
        names = sorted((n for n in entries if not n.startswith(".")), reverse=True)
        inner = [entries[name] for name in names]
        open_folders += [entry.path for entry in inner if entry.is_dir(follow_symlinks=False)]
        if is_run(entries.keys()):
            path = os.path.relpath(folder, root).replace(os.sep, "/")
            yield Place(Path(folder), path, stamps_of(folder, entries.keys()), linked), []
        else:
            yield None, [entry.path for entry in reversed(inner) if entry.is_symlink()]


def place_of(folder: Path) -> Place | None:
    """Return the place of the run in a folder, listed by itself; None if it is no run."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return None
    if not is_run(names):
        return None
    path = f"{folder.absolute().parent.name}/{folder.absolute().name}"
    return Place(folder, path, stamps_of(os.fspath(folder), names))


def is_run(names: Set[str]) -> bool:
    """Return whether a folder with entries of these names is that of a run."""
    begun = STATUS in names or len(MARKS & names) > 1
    return MANIFEST in names or (begun and SWEEP not in names)


def stamps_of(folder: str, entries: Set[str]) -> list[Stamp]:
    """Return the stamps of the files `READ` in a folder with these entries."""
    return [
        stamp(os.path.join(folder, name)) if name.partition("/")[0] in entries else None
        for name in (READ[:-2] if MANIFEST in entries else READ)
    ]


def stamp(path: str) -> Stamp:
    """Return the stamp of a file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
