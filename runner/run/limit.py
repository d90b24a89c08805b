"""The time that a run may take, `timeout`.

When it is over, an exception ends the run wherever Python executes its code: the values, the probe,
a loop of somebody's own. Code in C is ended when it returns to Python. If it does not return within
`GRACE` seconds, the process ends where it holds this one run only, and else the place is printed.
"""

from __future__ import annotations

import ctypes
import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType

from initlab.engine import autograd, device, naming, streams
from initlab.runner.errors import TimedOut

GRACE = 2.0
"""Seconds after which a run is hung that did not end when its time was over."""
STDERR = 2
AGAIN = 1.0
"""Seconds after which code that swallowed the exception gets another."""


class Over(BaseException):
    """The time is over. No handler of `Exception` in somebody's code catches it."""


@dataclass(frozen=True)
class Hung:
    """What happens to a run that does not end when its time is over: its place is written to an open
    file, and with `ends` the process ends with code 1.
    """

    descriptor: int
    ends: bool


class Limit:
    """The time that is left to a run."""

    def __init__(self) -> None:
        self.over = False
        """Whether nothing more is to be interrupted."""

    def begin(self, seconds: float) -> None:
        """Begin to count."""

    def end(self) -> None:
        """Let the rest of the run take any time."""
        self.over = True


class Alarm(Limit):
    """A limit of the main thread, by the timer of the process; waiting for the system ends too."""

    def begin(self, seconds: float) -> None:
        """Set the timer."""
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if not self.over:
            raise Over

    def end(self) -> None:
        """Stop the timer."""
        if not self.over:
            super().end()
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)


class Tap(Limit):
    """A limit of any other thread, which an exception reaches between two steps of Python."""

    def begin(self, seconds: float) -> None:
        """Start the thread that waits."""
        self._ended = threading.Event()
        self._lock = threading.Lock()
        found = threading.get_ident()
        waiting = threading.Thread(target=self._wait, args=(found, seconds), daemon=True)
        waiting.start()

    def _wait(self, thread: int, seconds: float) -> None:
        while not self._ended.wait(seconds):
            with self._lock:
                if not self.over:
                    raising = ctypes.pythonapi.PyThreadState_SetAsyncExc
                    raising(ctypes.c_ulong(thread), ctypes.py_object(Over))
            seconds = AGAIN

    def end(self) -> None:
        """Let the thread end that waits."""
        with self._lock:
            super().end()
        self._ended.set()


@contextmanager
def limited(seconds: float | None, hung: Hung | None = None) -> Iterator[Limit]:
    """Limit the time of what is done inside a `with`, until the limit's `end` is called.

    Raises TimedOut when the time is over; the state of the engine is then as it was. `hung` says what
    happens if that does not end it.
    """
    if seconds is None:
        yield Limit()
        return
    limit = Alarm() if threading.current_thread() is threading.main_thread() else Tap()
    with ExitStack() as state:
        for kept in (streams.kept, naming.kept, autograd.kept, device.kept):
            state.enter_context(kept())
        yield from _counted(limit, seconds, hung)


def _counted(limit: Limit, seconds: float, hung: Hung | None) -> Iterator[Limit]:
    """Yield the limit while it counts. The exception may come between two steps of anything, so what
    it leaves of the engine's state is for the caller to put right.
    """
    try:
        try:
            limit.begin(seconds)
            if hung is not None:
                faulthandler.dump_traceback_later(
                    seconds + GRACE, exit=hung.ends, file=hung.descriptor
                )
            yield limit
        finally:
            limit.end()
            if hung is not None:
                faulthandler.cancel_dump_traceback_later()
    except Over as error:
        limit.end()
        raise TimedOut(f"it took longer than timeout={seconds:g} (seconds)") from error
