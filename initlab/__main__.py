"""The entry of the command `initlab` and of `python -m initlab …`."""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType

from initlab.starting import let_blas_rest, uncollected

STOPPED = 130
"""The exit code of a command that Ctrl-C ended, as in `runner.errors`, which takes long to import."""


def main(*before: str) -> None:
    """Run the words of this process's command line, after the words `before`; exit the process.

    Ctrl-C during the imports ends it as it does later: one line, and exit code 130.
    """
    waiting = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waiting:
        signal.signal(signal.SIGINT, _stop)
    let_blas_rest()
    with uncollected():
        from initlab.runner import cli

        gc.freeze()  # what was imported stays in this process: never look for garbage there

    if waiting:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli.main(*before)
    finally:
        # Python dies of SIGINT, whatever the exit code, if Ctrl-C once ended an `exec` of text, as
        # dataclasses use it. The next one that ends well makes it forget that.
        exec("")


def _stop(number: int, frame: FrameType | None) -> None:
    """End the process at once. As an exception, an import could turn it into another error."""
    os.write(2, b"error: stopped from the keyboard\n")
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
