"""Leftovers: `initlab gc` removes what runs left that never finished, and files that killed processes left.

A run without manifest on which no process is at work; in the folders of finished runs and of names,
temporary files, and journals and parts of streamed snapshots.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from initlab.engine.formats.base import TEMPORARY
from initlab.runner.errors import EXIT_FAILED, StorageError
from initlab.runner.evidence.folder import JOURNAL, MANIFEST, PARTIAL
from initlab.runner.evidence.found import root_of
from initlab.runner.evidence.record import at_work
from initlab.runner.evidence.runs import Runs
from initlab.runner.excerpt import counted
from initlab.runner.files import locked
from initlab.runner.keeping.listing import listed, print_default
from initlab.runner.keeping.removing import (
    BUSY,
    BUSY_RUN,
    confirmed,
    is_linked,
    remove,
    renew,
    size_of,
)
from initlab.runner.terminal.tables import bytes_text, console

NEEDED = re.compile(
    rf".+\.\d+-[0-9a-f]+{re.escape(TEMPORARY)}|{re.escape(JOURNAL)}.*"
    rf"|(snapshot\.|model-\d+-of-\d+\.).*{re.escape(PARTIAL)}"
)
"""The names of files that only a process that is at work needs; files of other programs have others."""
AGE = 60.0
"""Seconds that a file must be old, so that nobody is writing it."""


@dataclass(frozen=True)
class Leftovers:
    """Runs that never finished, and files that nobody needs."""

    runs: Runs
    files: list[Path]

    @property
    def size(self) -> int:
        """The bytes of all."""
        return sum(size_of(run.path) for run in self.runs) + sum(map(_size, self.files))

    @property
    def resumable(self) -> tuple[int, int]:
        """How many of the runs have a journal, so that `resume=true` would go on, and the bytes that it
        would then keep.
        """
        begun = [run.path for run in self.runs if (run.path / JOURNAL).exists()]
        return len(begun), sum(_size(part) for at in begun for part in at.glob(f"*{PARTIAL}"))


def collect(root: str | None, yes: bool) -> int:
    """List what is left over, ask, and remove it; return the exit code.

    Raises ConfigError where nobody can be asked.
    """
    every, _ = listed(root, None)
    top = root_of(root).absolute()
    found = leftovers(top, every)
    if not len(found.runs) and not found.files:
        print("nothing is left over")
        return 0
    if len(found.runs):
        print_default(console(), found.runs)
    for path in found.files:
        print(path)
    print(f"\n{said(found)}")
    if not confirmed(f"remove {bytes_text(found.size)}", yes):
        return 0
    gone = remove(top, found.runs)
    files = [path for path in found.files if _removed(path)]
    names = {path.parent for path in gone}
    for name in sorted(names):
        renew(top, name, (), concerned=True)
    left = len(found.runs) + len(found.files) - len(gone) - len(files)
    counts = [counted(len(gone), "run")] * bool(gone) + [counted(len(files), "file")] * bool(files)
    print(f"removed {' and '.join(counts) or 'nothing'}" + (f", {left} not" if left else ""))
    return EXIT_FAILED if left else 0


def said(found: Leftovers) -> str:
    """Return what is left over in a line, and what `resume=true` would lose."""
    counts = Counter(sorted(str(run.state) for run in found.runs))
    parts = [f"{count} {state}" for state, count in counts.most_common()]
    runs = [f"{counted(len(found.runs), 'run')} without manifest ({', '.join(parts)})"]
    files = [counted(len(found.files), "file")]
    text = ", ".join(runs * bool(parts) + files * bool(found.files))
    begun, size = found.resumable
    if begun:
        text += (
            f"; resume=true would go on with {bytes_text(size)} of {counted(begun, 'streamed run')}"
        )
    elif parts:
        text += "; nothing of these runs can be resumed, so that nothing is lost"
    return text


def leftovers(root: Path, every: Runs) -> Leftovers:
    """Return what is left over below a root, of whose runs these are `every` one."""
    dead = [
        at
        for at, run in enumerate(every)
        if not (run.path / MANIFEST).exists() and not _stays(root, run.path)
    ]
    whole = [run.path for run in every if (run.path / MANIFEST).exists()]
    places = [path for path in whole if not _stays(root, path)]
    names = {root, *(run.path.parent for run in every)}
    places += [name for name in sorted(names) if not is_linked(root, name)]
    return Leftovers(every.of(dead), [path for place in places for path in _files(place)])


def _stays(root: Path, folder: Path) -> bool:
    return at_work(folder) or is_linked(root, folder)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the leftover files of a folder that are old enough."""
    for path in sorted(path for path in folder.iterdir() if NEEDED.fullmatch(path.name)):
        with suppress(OSError):
            old = time.time() - path.lstat().st_mtime > AGE
            if old and path.is_file() and not path.is_symlink():
                yield path


def _removed(path: Path) -> bool:
    """Remove a file while nobody else is at work in its folder; return whether it is gone."""
    try:
        with locked(path.parent, BUSY_RUN if (path.parent / MANIFEST).exists() else BUSY):
            path.unlink(missing_ok=True)
    except (StorageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    return True


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
