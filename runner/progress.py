"""How far a long stage has come: a bar with rate and remaining time in a terminal, a plain line now
and then elsewhere. On stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

EVERY = 10.0
"""Seconds between two plain lines."""
SHOWN_FROM = 1.0
"""A stage that takes less than so many seconds says nothing."""


class Told:
    """Takes the number of bytes done so far, and says it where and when it is due."""

    def __init__(self, what: str, total: int, bar: Progress | None, quiet: bool) -> None:
        self.what, self.total = what, total
        self._bar = bar
        self._quiet = quiet
        self._task: Any = None
        self._started = time.monotonic()
        self._due = EVERY

    def at(self, done: int) -> None:
        """`done` bytes are done."""
        passed = time.monotonic() - self._started
        if self._quiet or passed < SHOWN_FROM:
            return
        if self._bar is not None:
            if self._task is None:
                self._bar.start()
                self._task = self._bar.add_task(self.what, total=self.total)
            self._bar.update(self._task, completed=done)
        elif passed >= self._due:
            self._due = passed + EVERY
            print(f"{self.what}: {plain(done, self.total, passed)}", file=sys.stderr, flush=True)


def plain(done: int, total: int, seconds: float) -> str:
    """`1.20 of 4.00 GB, 0.61 GB/s, 5 s left`."""
    rate = done / seconds
    left = f"{(total - done) / rate:.0f} s left" if rate else "no end in sight"
    return f"{done / 1e9:.2f} of {total / 1e9:.2f} GB, {rate / 1e9:.2f} GB/s, {left}"


@contextmanager
def told(what: str, total: int, quiet: bool = False) -> Iterator[Told]:
    """Tell of a stage of `total` bytes while it lasts; nothing at all if `quiet`."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bar = (
        Progress(*columns, console=console, transient=True)
        if console.is_terminal and not quiet
        else None
    )
    try:
        yield Told(what, total, bar, quiet)
    finally:
        if bar is not None:
            bar.stop()
