"""The progress of a sweep, read from its status files, so that it looks the same under every
launcher.

In a terminal it is one live line: done, failed, rate, how far a long probe has come, time left.
Elsewhere, and where `CI` is set, it is one plain line for each run that ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from initlab.runner.evidence.members import Member
from initlab.runner.evidence.status import COMPLETED, CRASHED, FAILED, NAME, TIMED_OUT, Status, read
from initlab.runner.listing import print_line

EVERY = 0.5
"""Seconds between two reads of the status files of runs that other processes perform."""
ENDED = (COMPLETED, FAILED, TIMED_OUT, CRASHED)


class Monitor:
    """Reports each run of a sweep once, when it ends.

    Status files written before the launch of `members` are ignored.
    """

    def __init__(self, members: Sequence[Member], bar: Progress | None) -> None:
        self._members = list(members)
        self._bar = bar
        self._task = None if bar is None else bar.add_task("", total=len(members), said="")
        self._open = dict.fromkeys(range(len(members)))
        self._before = {number: _written(member) for number, member in enumerate(members)}
        self._started = time.monotonic()
        self.completed = self.failed = self.changed = 0

    def add(self, members: Sequence[Member]) -> int:
        """Add runs to the sweep; return the number of the first one."""
        first = len(self._members)
        for number, member in enumerate(members, first):
            self._before[number] = _written(member)
            self._open[number] = None
        self._members += members
        return first

    def expect(self, total: int) -> None:
        """Set the number of runs that the live line counts up to."""
        if self._bar is not None:
            self._bar.update(self._task, total=total)  # type: ignore[arg-type]

    def ended(self, number: int, status: Status) -> None:
        """Report that run `number` has ended with `status`."""
        if number not in self._open:
            return
        del self._open[number]
        if status.changed is not None:
            self._warn(f"{self._members[number].folder}: {status.changed}")
        self.completed += status.state == COMPLETED
        self.failed += status.state != COMPLETED
        if self._bar is None:
            print(line(status, self._members[number]), flush=True)
            return
        if status.state != COMPLETED:
            print_line(self._bar.console, line(status, self._members[number]))
        done = self.completed + self.failed
        self._bar.update(self._task, completed=done, said=self._said())  # type: ignore[arg-type]

    def _warn(self, said: str) -> None:
        """Print the first warning about a run that came out differently; the others are counted."""
        self.changed += 1
        if self.changed == 1:
            print(f"warning: {said}", file=sys.stderr, flush=True)

    def of_run(self, done: int, total: int, said: str) -> None:
        """Show how far the run that this process performs has come."""
        if self._bar is not None:
            text = f"{self._said()}  step {done} of {total}{f', {said}' if said else ''}"
            self._bar.update(self._task, said=text)  # type: ignore[arg-type]

    def _said(self) -> str:
        """Return what the live line says beside the number of runs: failures and rate."""
        ended = self.completed + self.failed
        rate = ended / max(1e-9, time.monotonic() - self._started)
        failed = [f"{self.failed} failed"] * bool(self.failed)
        return "  ".join([*failed, *([f"{rate:.3g} runs/s"] if ended else [])])

    def poll(self) -> None:
        """Read the status files that have changed and report the runs that ended."""
        for number in list(self._open):
            member = self._members[number]
            written = _written(member)
            if written in (None, self._before[number]):
                continue
            status = read(Path(member.folder))
            if status.state in ENDED:
                self.ended(number, status)
            self._before[number] = written if status.state != "running" else self._before[number]


def _written(member: Member) -> int | None:
    try:
        return os.stat(os.path.join(member.folder, NAME)).st_mtime_ns
    except OSError:
        return None


def line(status: Status, member: Member) -> str:
    """Return the line of a run: `completed  he-seed3-…  init=he seed=3  (0.02 s)`, or its error."""
    text = f"{status.state:<9}  {member.run_id}  {' '.join(member.overrides)}".rstrip()
    if status.state == COMPLETED:
        return (
            f"{text}  ({'finished before' if status.resumed else f'{status.seconds or 0:.2f} s'})"
        )
    return f"{text}: {(status.error or 'it did not end').splitlines()[0]}"


@contextmanager
def following(members: Sequence[Member]) -> Iterator[Monitor]:
    """Report the runs of a sweep inside a `with`."""
    live = sys.stdout.isatty() and not os.environ.get("CI")
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(), transient=True) if live else None
    monitor = Monitor(members, bar)
    if bar is None:
        yield monitor
        return
    with bar:
        yield monitor


@contextmanager
def watching(monitor: Monitor) -> Iterator[None]:
    """Read the status files every `EVERY` seconds, in a thread, while other processes perform the
    runs.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            monitor.poll()

    thread = threading.Thread(target=watch, name="initlab-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        monitor.poll()
