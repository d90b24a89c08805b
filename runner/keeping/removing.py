"""Removal: `initlab rm` of whole runs, and what must stay true of the runs that are left.

Nothing is removed that another process is at work on, that lies behind a link or outside the folder of
all runs, that changed since it was listed, or that holds folders which no run writes. A run loses its
manifest first, so that one that is removed in part never passes for finished.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from initlab.engine.formats.base import sync
from initlab.runner.errors import EXIT_FAILED, ConfigError, RunnerError, StorageError
from initlab.runner.evidence.finished import Run
from initlab.runner.evidence.folder import HYDRA, MANIFEST
from initlab.runner.evidence.found import place_of, root_of
from initlab.runner.evidence.members import (
    OWN,
    SUMMARY,
    Member,
    forget,
    is_sweep,
    places_of,
    read_members,
)
from initlab.runner.evidence.named import is_named
from initlab.runner.evidence.record import at_work, record_of
from initlab.runner.evidence.runs import Runs
from initlab.runner.evidence.summary import write_summary
from initlab.runner.excerpt import counted
from initlab.runner.files import locked
from initlab.runner.keeping.listing import listed, print_default
from initlab.runner.report.reading import SweepData
from initlab.runner.report.writing import renew_report
from initlab.runner.terminal.tables import bytes_text, console

BUSY = "a sweep is at work in this folder, so none of its runs is removed - wait for it to end"
BUSY_RUN = "a process is at work on this run, so it is not removed"
CHANGED = "it has changed since it was listed, so it is not removed - give the command again"
LINKED = "lies behind a link, so it is not removed - remove it where it lies"


def remove_runs(root: str | None, where: str, yes: bool) -> int:
    """List the runs that match a condition, ask, and remove them; return the exit code.

    Raises QuantityError for a wrong name, and ConfigError where nobody can be asked.
    """
    if Path(where).is_dir():
        raise ConfigError.of(
            "rm", f"takes a condition, not a folder - write \"path == '…'\" for {where}"
        )
    every, chosen = listed(root, where)
    if not len(chosen):
        print(f"none of {counted(len(every), 'run')} matches; nothing was removed")
        return 0
    print_default(console(), chosen)
    size = bytes_text(sum(size_of(run.path) for run in chosen))
    if not confirmed(f"remove {counted(len(chosen), 'run')}, {size}", yes):
        return 0
    top = root_of(root).absolute()
    gone = remove(top, chosen)
    keep_true(top, every, gone)
    left = len(chosen) - len(gone)
    print(f"removed {counted(len(gone), 'run')}" + (f", {left} not" if left else ""))
    return EXIT_FAILED if left else 0


def confirmed(what: str, yes: bool) -> bool:
    """Return whether the user agrees. Raises ConfigError if nobody can be asked."""
    if yes:
        print(f"\n{what}")
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError.of("--yes", f"is needed where nobody can be asked whether to {what}")
    try:
        answer = input(f"\n{what}? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    print("nothing was removed")
    return False


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder; links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def remove(root: Path, chosen: Runs) -> list[Path]:
    """Remove the folders of runs below a root, those inside of others first; return those that are
    gone. Why another one stays is said on stderr.
    """
    gone: list[Path] = []
    inner = sorted(chosen, key=lambda run: -len(run.path.parts))
    for name in dict.fromkeys(run.path.parent for run in inner):
        try:
            with locked(name, BUSY):
                inside = [run for run in inner if run.path.parent == name]
                gone += [run.path for run in inside if _removed(root, run)]
        except (StorageError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
    return gone


def _removed(root: Path, run: Run) -> bool:
    """Remove the folder of a run; return whether it is gone."""
    folder = run.path
    try:
        if is_linked(root, folder):
            raise StorageError(f"{folder}: {LINKED}")
        if at_work(folder):
            raise StorageError(f"{folder}: {BUSY_RUN}")
        with locked(folder, BUSY_RUN):
            check_removable(run)
            manifest = folder / MANIFEST
            if manifest.exists():
                manifest.unlink()
                sync(folder)
            shutil.rmtree(folder)
    except (StorageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    return True


def check_removable(run: Run) -> None:
    """Raise StorageError if a run, which is locked, is not as it was listed, or if its folder holds
    another one that no run writes, like that of another run.
    """
    place = place_of(run.path)
    now = None if place is None else record_of(place)
    if now is None or any(now.facts[name] != run.facts[name] for name in ("state", "when", "root")):
        raise StorageError(f"{run.path}: {CHANGED}")
    for path in sorted(run.path.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            raise StorageError(
                f"{run.path}: holds the folder '{path.name}', which no run writes, so it is not removed - "
                "move it away first"
            )


def is_linked(root: Path, folder: Path) -> bool:
    """Return whether a folder below a root lies behind a link, or outside."""
    real = Path(os.path.realpath(root))
    return Path(os.path.realpath(folder)) != real / os.path.relpath(folder, root)


def keep_true(root: Path, every: Runs, gone: Sequence[Path]) -> None:
    """Let the lists, summaries and reports of all names be about the runs that are left; remove those
    of a name without runs, and its folder if nothing else is in it.
    """
    folders = {os.path.realpath(folder) for folder in gone}
    for name in sorted({run.path.parent for run in every}):
        renew(root, name, folders, any(folder.parent == name for folder in gone))


def renew(root: Path, name: Path, gone: Collection[str], concerned: bool) -> None:
    """Remove runs that are gone, by their real paths, from the lists of a name's sweeps; if one was in
    them, or the name is `concerned`, write its summary and report again.

    Without a run they are removed, and the folder if nothing else is in it. A failure is a warning.
    """
    if not name.is_dir():
        return
    try:
        if not concerned and not _lists(name, gone):
            return
        with locked(name, BUSY):
            if is_sweep(name):
                forget(name, gone)
            if is_named(name) and SweepData(name).named.runs:
                _write_again(name)
            else:
                _remove_own(name)
    except (RunnerError, OSError) as error:
        print(f"warning: {name}: what it says of its runs is old: {error}", file=sys.stderr)
    remove_empty(root, [name])


def _lists(name: Path, gone: Collection[str]) -> bool:
    """Return whether the sweep of a name lists one of these runs, which lie elsewhere."""
    found = read_members(name) if is_sweep(name) else []
    return any(os.path.realpath(place) in gone for place in places_of(found, name))


def _write_again(name: Path) -> None:
    if (name / SUMMARY).exists():
        members: list[Member] = read_members(name) if is_sweep(name) else []
        write_summary(name, members, SweepData(name).largest)
    renew_report(name)


def _remove_own(name: Path) -> None:
    """Remove the files of a sweep without runs."""
    for own in OWN:
        (name / own).unlink(missing_ok=True)
    hydra = name / HYDRA
    if hydra.is_dir() and not hydra.is_symlink() and not (name / MANIFEST).exists():
        shutil.rmtree(hydra)


def remove_empty(root: Path, folders: Iterable[Path]) -> None:
    """Remove folders in which nothing is left, and then those above them, but never the root."""
    for folder in folders:
        while folder != root and root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                break
            folder = folder.parent
