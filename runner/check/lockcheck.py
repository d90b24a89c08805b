"""Draw every run of a lock again and report what changed, and why (`initlab verify --lock FILE`).

    config          a key of the canonical config has another value: which, from what to what
    stream version  the values come from another version of the streams
    law             a parameter follows another law
    values          a parameter's values differ: in a bit, or by more than the tolerance of its law
    ties            other parameters share their values
    missing run     the lock holds a run that its words no longer declare
    new run         the words declare a run that the lock does not hold

Runs are matched by their overrides. A run may have changed for several reasons; each is one line. A
changed config is reported even if all values are the same, since the lock must be written again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from initlab.runner.check import junit, lockfile
from initlab.runner.check.fingerprint import difference
from initlab.runner.check.lock import DrawnRun, draw, runs_of
from initlab.runner.check.lockfile import Lock, LockedRun, LockedTensor
from initlab.runner.config import plugins
from initlab.runner.errors import ConfigError, EvidenceError, LedgerError, Problem, RunnerError
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.flat import Change, changes
from initlab.runner.listing import Listing, print_line
from initlab.runner.sweep.declared import DeclaredMember

SAID = 4
"""Keys or parameters of one reason named at most; the others are counted."""
STREAM = "stream"


@dataclass(frozen=True)
class Finding:
    """One reason why a run differs from the lock."""

    why: str
    what: str


@dataclass(frozen=True)
class Checked:
    """A run and its findings; without findings it agrees with the lock."""

    run_id: str
    overrides: list[str]
    findings: list[Finding]
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The name of the run in reports: run id and overrides."""
        return f"{self.run_id} {' '.join(self.overrides)}"

    @property
    def lines(self) -> list[str]:
        """`why: what` for each finding."""
        return [f"{finding.why}: {finding.what}" for finding in self.findings]


def open_lock(path: Path) -> Lock:
    """Read the lock.

    Raises EvidenceError if it is damaged or a plugin it was made with is not loaded.
    """
    lock = lockfile.read(path)
    loaded = {plugin.file for plugin in plugins.loaded()}
    for plugin in lock.plugins:
        if plugin.file not in loaded:
            raise EvidenceError(
                f"{path}: the lock was made with the plugin {plugin.file} - give it with --plugin "
                f"{plugin.file}"
            )
    return lock


def pairs(
    lock: Lock, path: Path, config_dir: str | None = None
) -> Iterator[tuple[LockedRun | None, DeclaredMember | None]]:
    """Yield every run as (locked, declared by the words now); None if one of the two lacks it.

    Raises ConfigError if the words no longer declare a sweep.
    """
    left = {run.key: run for run in lock.runs}
    try:
        for run in runs_of(lock.words, config_dir):
            yield left.pop(tuple(run.member.overrides), None), run
    except ConfigError as error:
        raise _in_lock(path, error, config_dir) from error
    for locked in left.values():
        yield locked, None


def _in_lock(path: Path, error: ConfigError, config_dir: str | None) -> ConfigError:
    """Return the error with the lock's file. An unknown option may be one of a folder that is not given."""
    said = [problem.message.rstrip(".") for problem in error.problems]
    if config_dir is None:
        hint = ". If it is an option of your own, give --config-dir DIR"
        said = [s + hint if s.startswith("no option") else s for s in said]
    return ConfigError(
        Problem(f"{path}: {problem.place}" if problem.place else str(path), message)
        for problem, message in zip(error.problems, said, strict=True)
    )


def name_of(locked: LockedRun | None, run: DeclaredMember | None) -> str:
    """Return the name of a run in reports: run id, from the lock if it has the run, and overrides."""
    if locked is not None:
        return Checked(locked.run_id, locked.overrides, []).name
    assert run is not None
    return Checked(run.member.run_id, run.member.overrides, []).name


def check(lock: Lock, locked: LockedRun | None, run: DeclaredMember | None) -> Checked:
    """Draw a run again and compare it with the lock. Raises MemoryShortage."""
    if run is None:
        assert locked is not None
        return Checked(
            locked.run_id,
            locked.overrides,
            [Finding("missing run", "the lock's words declare it no longer")],
        )
    if locked is None:
        return Checked(
            run.member.run_id,
            run.member.overrides,
            [Finding("new run", "the lock does not hold it")],
        )
    started = time.perf_counter()
    try:
        findings = compare(locked, draw(run.config, run.member.overrides), lock.laws)
    except ConfigError as error:
        findings = [Finding("config", f"is refused now: {'; '.join(str(error).splitlines())}")]
    except LedgerError as error:
        findings = [Finding("values", str(error))]
    return Checked(locked.run_id, locked.overrides, findings, time.perf_counter() - started)


LATER = ("probe.mode", "probe.dropout")
"""Keys that a lock of an earlier version lacks and no first value depends on."""


def compare(locked: LockedRun, drawn: DrawnRun, laws: dict[str, str]) -> list[Finding]:
    """Return the reasons why a run differs from the lock, whose law texts are `laws`."""
    now = drawn.run
    config = {k: v for k, v in now.config.items() if k in locked.config or k not in LATER}
    altered = changes(locked.config, config)
    renamed = not same_run(locked.run_id, now.run_id) and config == now.config
    streams = [change for change in altered if change.key == STREAM]
    others = [change for change in altered if change.key != STREAM]
    values = _values(locked, drawn)
    findings = []
    if others or (renamed and not streams):
        findings.append(
            Finding("config", _listed(others or [Change("run id", locked.run_id, now.run_id)]))
        )
    findings += [Finding("stream version", f"{' -> '.join(change.texts())}") for change in streams]
    findings += _laws(locked, drawn, laws)
    findings += [Finding("values", values)] if values else []
    if locked.ties != now.ties:
        findings.append(Finding("ties", _listed(changes(locked.ties, now.ties))))
    if not findings and locked.root != now.root:
        findings.append(
            Finding("values", f"the root digest is {now.root[:16]}…, locked is {locked.root[:16]}…")
        )
    if findings and not any(finding.why in ("values", "ties") for finding in findings):
        findings[-1] = Finding(findings[-1].why, f"{findings[-1].what} (all values are the same)")
    return findings


def _listed(items: list[Change] | list[str]) -> str:
    said = "; ".join(str(item) for item in items[:SAID])
    return f"{said}; and {len(items) - SAID} more" if len(items) > SAID else said


def _laws(locked: LockedRun, drawn: DrawnRun, laws: dict[str, str]) -> list[Finding]:
    """Return the parameters that follow another law; equal changes are reported together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for path, tensor in locked.tensors.items():
        now = drawn.run.tensors.get(path)
        if now is not None and now.law != tensor.law:
            before, after = laws[tensor.law], drawn.laws[now.law]
            alike.setdefault(
                (before, after if before != after else f"{after}, not to the last digit"), []
            ).append(path)
    said = [f"{_paths(paths)}: {before} -> {after}" for (before, after), paths in alike.items()]
    return [Finding("law", _listed(said))] if said else []


def _paths(paths: list[str]) -> str:
    """Return `'0.weight', '1.weight'`; if there are many, the first one and the number of others."""
    if len(paths) > SAID:
        return f"'{paths[0]}' and {len(paths) - 1} more"
    return ", ".join(f"'{path}'" for path in paths)


def _values(locked: LockedRun, drawn: DrawnRun) -> str:
    """Return a text about parameters that are missing, new or have other values; empty if there are
    none.
    """
    before, now = locked.tensors, drawn.run.tensors
    gone, new = sorted(before.keys() - now.keys()), sorted(now.keys() - before.keys())
    both = sorted(before.keys() & now.keys())
    bits = [path for path in both if before[path].bits != now[path].bits]
    said = [f"gone: {_paths(gone)}"] if gone else []
    said += [f"new: {_paths(new)}"] if new else []
    said += [f"{len(bits)} of {len(before)} tensors: {_paths(bits)}"] if bits else []
    loose = ((path, _apart(before[path], now[path])) for path in both if path not in bits)
    beyond = [f"'{path}': {apart}" for path, apart in loose if apart]
    said += [_listed(beyond)] if beyond else []
    return "; ".join([*said, *([drawn.violation] if drawn.violation else [])])


def _apart(before: LockedTensor, now: LockedTensor) -> str | None:
    if before.tolerance is None or now.tolerance is None:
        return None
    return difference(before.tolerance, now.tolerance)


def verify_lock(
    path: Path, out: Console, config_dir: str | None = None, report: Path | None = None
) -> int:
    """Check every run of a lock, print what changed, and return the exit code.

    `report` is the path of a JUnit report to write. Raises RunnerError if the lock, its words or
    the report cannot be used; an error of the lock or of its words is also written to the report.
    """
    checked: list[Checked] = []
    try:
        lock = open_lock(path)
        checked = [check(lock, locked, run) for locked, run in pairs(lock, path, config_dir)]
    except RunnerError as error:
        if report is not None:
            junit.write(report, str(path), [junit.Case(str(path), error=str(error))])
        raise
    if report is not None:
        junit.write(
            report,
            str(path),
            [
                junit.Case(run.name, run.seconds, [(f.why, f.what) for f in run.findings])
                for run in checked
            ],
        )
    print_checked(out, path, checked)
    return 1 if any(run.findings for run in checked) else 0


def print_checked(out: Console, path: Path, checked: list[Checked]) -> None:
    """Print a line for each reason why a run differs from the lock, and one line with the result."""
    changed = [run for run in checked if run.findings]
    if changed:
        table = Listing(("run", "left"), ("overrides", "left"), ("why", "left"), ("what", "left"))
        for run in changed:
            for number, finding in enumerate(run.findings):
                first = (run.run_id, " ".join(run.overrides)) if number == 0 else ("", "")
                table.add_row(*first, Text(finding.why, "bold red"), finding.what)
        table.print(out)
        out.print()
    count = len(checked) - len(changed)
    if not changed:
        print_line(out, f"{path}: {count} {'run is' if count == 1 else 'runs are'} as locked")
        return
    advice = "if that is meant, write the lock again with initlab lock and have the change reviewed"
    said = f"{count} of {len(checked)} runs as locked, {len(changed)} changed"
    print_line(out, f"{path}: {said} - {advice}")
