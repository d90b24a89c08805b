"""A run's folder held against the list of files in its manifest.

Every listed file must be there, within the folder, with its size and digest. The files without
which there is no run must be listed. A file that our readers would take for the run's values and
that is not listed is refused; other files are named as not covered.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from initlab.engine import formats
from initlab.engine.errors import FormatError
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import (
    HYDRA,
    JOURNAL,
    MANIFEST,
    PLAN,
    STATISTICS,
    TABLE,
    RunFolder,
)
from initlab.runner.evidence.manifest import RUN_AGAIN
from initlab.runner.evidence.shard import INDEX
from initlab.runner.evidence.written import Written, of_file

ALWAYS = (PLAN, STATISTICS, TABLE)
"""What every run writes."""
COMPOSED = (f"{HYDRA}/config.yaml", f"{HYDRA}/overrides.yaml")
"""What every run writes that is not joined from parts."""
SHOWN = 3
"""Names of files that a line shows."""


def check_contents(run: RunFolder) -> None:
    """Raise EvidenceError if a file is missing, is no file within the folder, or is not listed
    though it would be taken for the run's values.
    """
    values = _values(run)
    written = run.manifest.written
    if written is not None:
        composed = COMPOSED if run.manifest.joined is None else ()
        lacking = sorted({*ALWAYS, *composed, *values} - written.keys())
        if lacking:
            said = f"the manifest is damaged, it does not list {lacking[0]}"
            raise EvidenceError(f"{run.path}: {said} - {RUN_AGAIN}")
    for name in sorted({MANIFEST, *values} | (written or {}).keys()):
        check_inside(run.path, name, "the snapshot is missing" if name in values else "is missing")
    strays = run.snapshots() - values - {JOURNAL}
    if written is None and values:
        return  # older versions left such files behind
    for name in sorted(strays):
        raise EvidenceError(
            f"{run.path / name}: is no file of this run, the manifest does not list it - remove it"
        )


def check_inside(folder: Path, name: str, missing: str) -> None:
    """Raise EvidenceError unless this is a file within the folder, reached by no link out of it;
    `missing` is what is said if it is not there.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise EvidenceError(f"{path}: is a link out of the run's folder - {RUN_AGAIN}")
    if not path.exists():
        raise EvidenceError(f"{path}: {missing} - {RUN_AGAIN}")
    if not path.is_file():
        raise EvidenceError(f"{path}: is no file - {RUN_AGAIN}")


def changed_file(run: RunFolder, values: bool) -> str | None:
    """Return how the first file differs from the manifest's list, or None.

    With `values` only the files of the values are read, which are safetensors files as a rule and
    then hashed by their headers; without it, all others.
    """
    of_values = _values(run)
    for name, recorded in (run.manifest.written or {}).items():
        if (name in of_values) is not values:
            continue
        try:
            found = of_file(run.path / name)
        except OSError as error:
            raise EvidenceError(f"{run.path / name}: cannot be read ({error.strerror})") from error
        if found != recorded:
            return f"{name} is not as the manifest says: {_apart(recorded, found)}"
    return None


def _apart(recorded: Written, found: Written) -> str:
    if recorded.bytes != found.bytes:
        return f"{found.bytes} bytes, {recorded.bytes} were written"
    ours, theirs = (one.sha256 or one.header_sha256 or "" for one in (recorded, found))
    return f"SHA-256 {theirs[:16]}…, {ours[:16]}… was written"


def uncovered(run: RunFolder) -> list[str]:
    """Return the names of the files in the folder that verify does not look at."""
    listed = {MANIFEST, *_values(run), *(run.manifest.written or {})}
    inner = [f"{HYDRA}/{name}" for name in _names(run.path / HYDRA)]
    return sorted({*_names(run.path), *inner} - listed - {HYDRA})


def listed(names: Iterable[str], most: int = SHOWN) -> str:
    """Return names for a line: the first, and how many more there are."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")


def _values(run: RunFolder) -> set[str]:
    """Return the names of the files that hold the run's values, with their index."""
    path = run.snapshot_path
    if path is None:
        return set()
    if path.name == INDEX:
        try:
            return {INDEX, *formats.sharded.files_of(path).values()}
        except FileNotFoundError:
            return {INDEX}
        except (FormatError, OSError) as error:
            raise EvidenceError(str(error)) from error
    return {path.name, INDEX} if run.manifest.shard is not None else {path.name}


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
