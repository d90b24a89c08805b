"""Progress of a long stage, on stderr: a bar in a terminal, elsewhere a plain line now and then.

Where `CI` is set, a terminal gets plain lines too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY = 10.0
"""Seconds between two plain lines."""
SHOWN_FROM = 1.0
"""A stage that takes less than so many seconds says nothing."""

Report: TypeAlias = Callable[[int, int, str], None]
"""Takes how many steps are done, of how many, and what else there is to say, like a loss."""

Line: TypeAlias = Callable[[int, int, float, str], str]
"""Makes a plain line from what is done, the total, the seconds so far and what is said."""


def unheard(done: int, total: int, said: str) -> None:
    """Report nothing."""


class Stage:
    """Shows how far a stage has come: on `bar`, or in lines that `plain` makes."""

    def __init__(self, what: str, bar: Progress | None, quiet: bool, plain: Line) -> None:
        self.what = what
        self._bar, self._quiet, self._plain = bar, quiet, plain
        self._task: Any = None
        self._started = time.monotonic()
        self._due = EVERY

    def update(self, done: int, total: int, said: str = "") -> None:
        """Report that `done` of `total` are done; shown only when it is due."""
        passed = time.monotonic() - self._started
        if self._quiet or passed < SHOWN_FROM:
            return
        if self._bar is not None:
            if self._task is None:
                self._bar.start()
                self._task = self._bar.add_task(self.what, total=total, said=said)
            self._bar.update(self._task, completed=done, total=total, said=said)
        elif passed >= self._due:
            self._due = passed + EVERY
            line = self._plain(done, total, passed, said)
            print(f"{self.what}: {line}", file=sys.stderr, flush=True)


def bytes_line(done: int, total: int, seconds: float, said: str = "") -> str:
    """Return `1.20 of 4.00 GB, 0.61 GB/s, 5 s left`."""
    rate = done / seconds
    left = _left(done, total, seconds)
    return f"{done / 1e9:.2f} of {total / 1e9:.2f} GB, {rate / 1e9:.2f} GB/s, {left}"


def steps_line(done: int, total: int, seconds: float, said: str = "") -> str:
    """Return `120 of 290 steps, loss 1.23, 5 s left`."""
    parts = [f"{done} of {total} steps", *([said] if said else []), _left(done, total, seconds)]
    return ", ".join(parts)


def _left(done: int, total: int, seconds: float) -> str:
    return f"{(total - done) * seconds / done:.0f} s left" if done else "no end in sight"


def _bar(of_bytes: bool) -> Progress:
    """Return a progress bar with the time left: for bytes with their rate, for steps with what is
    said of the last one.
    """
    from rich import progress as rich
    from rich.console import Console

    columns: list[rich.ProgressColumn] = (
        [rich.DownloadColumn(), rich.TransferSpeedColumn()]
        if of_bytes
        else [rich.MofNCompleteColumn(), rich.TextColumn("{task.fields[said]}")]
    )
    return rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        *columns,
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


@contextmanager
def progress_of(what: str, total: int, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show the progress of a stage of `total` bytes inside a `with`; nothing if `quiet`.

    Gives a function that takes how many bytes are done.
    """
    with _shown(what, quiet, bytes_line) as stage:
        yield lambda done: stage.update(done, total)


@contextmanager
def steps_of(what: str, quiet: bool = False) -> Iterator[Report]:
    """Show the progress of a stage of some steps inside a `with`; nothing if `quiet`."""
    with _shown(what, quiet, steps_line) as stage:
        yield stage.update


@contextmanager
def _shown(what: str, quiet: bool, plain: Line) -> Iterator[Stage]:
    live = not quiet and sys.stderr.isatty() and not os.environ.get("CI")
    bar = _bar(plain is bytes_line) if live else None
    try:
        yield Stage(what, bar, quiet, plain)
    finally:
        if bar is not None:
            bar.stop()
