"""Progress of a long stage, on stderr: a bar in a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY = 10.0
"""Seconds between two plain lines."""
SHOWN_FROM = 1.0
"""A stage that takes less than so many seconds says nothing."""


class ByteProgress:
    """Shows how many of `total` bytes are done."""

    def __init__(self, what: str, total: int, bar: Progress | None, quiet: bool) -> None:
        self.what, self.total = what, total
        self._bar = bar
        self._quiet = quiet
        self._task: Any = None
        self._started = time.monotonic()
        self._due = EVERY

    def update(self, done: int) -> None:
        """Report that `done` bytes are done; shown only when it is due."""
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
    """Return `1.20 of 4.00 GB, 0.61 GB/s, 5 s left`."""
    rate = done / seconds
    left = f"{(total - done) / rate:.0f} s left" if rate else "no end in sight"
    return f"{done / 1e9:.2f} of {total / 1e9:.2f} GB, {rate / 1e9:.2f} GB/s, {left}"


def progress_bar() -> Progress:
    """Return a progress bar for bytes, with their rate and the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def progress_of(what: str, total: int, quiet: bool = False) -> Iterator[ByteProgress]:
    """Show the progress of a stage of `total` bytes inside a `with`; nothing if `quiet`."""
    bar = None if quiet or not sys.stderr.isatty() else progress_bar()
    try:
        yield ByteProgress(what, total, bar, quiet)
    finally:
        if bar is not None:
            bar.stop()
