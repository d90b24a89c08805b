"""How a process ends that a signal asks to end: as after Ctrl-C."""

from __future__ import annotations

import os
import signal
import time
from typing import NoReturn

from initlab.runner.errors import Terminated

AT_ONCE = 1.0
"""Seconds within which a second signal is the first one again: `timeout` sends it to a process, and to
the group of the process.
"""


def end_in_order() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does. A second one, a second later, ends it at
    once.

    A signal that is ignored, as by nohup, stays so.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, frame: object) -> NoReturn:
    asked = time.monotonic()

    def again(number: int, frame: object) -> None:
        if time.monotonic() - asked > AT_ONCE:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(number, again)
    raise Terminated(number)
