"""Write a lock: the digests that every run of some words must give (`initlab lock`).

Every run is drawn and digested on the CPU, one after the other; no run folder is made. `lockfile`
defines the file. `lockcheck` draws the runs again and says what changed, and why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from initlab.engine import digest
from initlab.engine.device import Device, is_shortage
from initlab.engine.errors import MXNetError
from initlab.runner.check.fingerprint import fingerprint_of
from initlab.runner.check.lockfile import SHORT, Draft, LockedRun, LockedTensor, drafting, law_id
from initlab.runner.check.recompute import Recomputed, first_violation
from initlab.runner.config import plugins
from initlab.runner.config.permissions import refuse_hydra
from initlab.runner.errors import (
    LedgerError,
    MemoryShortage,
    StorageError,
)
from initlab.runner.files import check_target
from initlab.runner.flat import flatten
from initlab.runner.listing import print_line
from initlab.runner.plan.validate import RunConfig
from initlab.runner.sweep.declared import DeclaredMember, declared
from initlab.runner.sweep.plugin import register
from initlab.runner.terminal.tables import console


@dataclass(frozen=True)
class DrawnRun:
    """The result of drawing a run.

    `run` is what a lock stores, `laws` are the texts of its laws, `violation` describes an
    invariant that does not hold, or is None.
    """

    run: LockedRun
    laws: dict[str, str]
    violation: str | None


def runs_of(words: list[str], config_dir: str | None = None) -> Iterator[DeclaredMember]:
    """Return the runs that the words declare. Raises ConfigError with all problems before the
    first.
    """
    refuse_hydra(words, "a lock")
    register()
    return declared(words, config_dir)


def draw(config: RunConfig, overrides: list[str]) -> DrawnRun:
    """Draw a run on the CPU and digest it.

    Raises LedgerError if a parameter is not filled as planned, and MemoryShortage.
    """
    try:
        return _draw(dataclasses.replace(config, device=Device("cpu")), overrides)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MXNetError):
            raise LedgerError(
                f"the values cannot be drawn: {' '.join(str(error).split())}"
            ) from error
        if not is_shortage(error):
            raise
        raise MemoryShortage.of(error, "the host") from error


def _draw(config: RunConfig, overrides: list[str]) -> DrawnRun:
    again = Recomputed(config)
    tensors: dict[str, LockedTensor] = {}
    exact: dict[str, bytes] = {}
    laws: dict[str, str] = {}
    wrong = None
    for row in config.rows:
        law = law_id(row.law.describe())
        laws[law] = str(row.law)
        if row.law.exactness == "bits":
            exact[row.path] = bytes.fromhex(again.digest(row.path))
            tensors[row.path] = LockedTensor(law, again.digest(row.path)[:SHORT], None)
            continue
        values = again.values(row)
        wrong = wrong or first_violation(row.path, row.law.invariants(values))
        try:
            tensors[row.path] = LockedTensor(law, None, fingerprint_of(values))
        except ValueError as error:
            raise LedgerError(f"parameter '{row.path}': {error}") from error
    root = digest.root_digest(exact, config.aliases).hex()
    run = LockedRun(
        overrides, config.run_id, flatten(config.canonical), root, dict(config.aliases), tensors
    )
    return DrawnRun(run, laws, wrong)


def write(words: list[str], path: Path, config_dir: str | None = None) -> int:
    """Draw every run that the words declare and write the lock; return the number of runs.

    If anything is wrong, nothing is written.
    """
    check_target(path)
    with drafting(words, plugins.loaded()) as draft:
        tensors = [_add(draft, run) for run in runs_of(words, config_dir)]
        try:
            written = draft.write(path)
        except OSError as error:
            raise StorageError(
                f"{path}: cannot be written ({error.strerror}) - give another file with -o"
            ) from error
    count, loose = len(tensors), sum(loose for _, loose in tensors)
    note = f", {loose} of them exact to a tolerance" if loose else ""
    total = sum(total for total, _ in tensors)
    print(
        f"{path}: {count} {'run' if count == 1 else 'runs'}, {total} tensors{note}; "
        f"{'written' if written else 'unchanged'}"
    )
    return count


def _add(draft: Draft, run: DeclaredMember) -> tuple[int, int]:
    """Draw a run and add it to the draft.

    Returns the number of its tensors, and of those that are exact to a tolerance only.
    """
    name = " ".join(run.member.overrides)
    try:
        drawn = draw(run.config, run.member.overrides)
    except LedgerError as error:
        raise LedgerError(f"{name}: {error}") from error
    if drawn.violation is not None:
        raise LedgerError(f"{name}: {drawn.violation}")
    draft.add(drawn.run, drawn.laws)
    total, loose = (
        len(drawn.run.tensors),
        sum(tensor.tolerance is not None for tensor in drawn.run.tensors.values()),
    )
    note = f"  ({loose} of {total} tensors to a tolerance)" if loose else ""
    print_line(console(), f"{drawn.run.root[:16]}  {drawn.run.run_id}  {name}{note}")
    return total, loose
