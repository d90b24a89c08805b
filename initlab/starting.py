"""What makes a command start fast, besides importing late."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

BLAS = {"OPENBLAS_THREAD_TIMEOUT": "20"}
"""Environment variables that NumPy's OpenBLAS reads when it is imported. Its idle threads wait for
work in a loop of 2^26 cycles, by default: 25 ms of processor time each, after the import and after
each call. 2^20 cycles are less than a millisecond.
"""


def let_blas_rest() -> None:
    """Set `BLAS`, where the user does not. NumPy must not be imported yet."""
    for name, value in BLAS.items():
        os.environ.setdefault(name, value)


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch the garbage collector off inside a `with`.

    This is for imports and configs: they stay, and searching them takes a tenth of a short
    command's time. If the process has called `gc.freeze` before, as a command does at its start,
    what was made inside is frozen too, so that it is never searched.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            if gc.get_freeze_count():
                gc.freeze()
            gc.enable()
