"""How many threads NumPy's BLAS uses, where that is an OpenBLAS, as in NumPy's own wheels.

OpenBLAS has one set of threads. If several threads of ours call it, its threads wait for each other
unless each call uses one thread only.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)
"""What NumPy's wheels call the function, and what other builds of OpenBLAS do."""


@cache
def _functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Return the functions that get and set the number, or None if NumPy uses another BLAS.

    The extension module is loaded already. Its symbols are those of the libraries it needs, too.
    """
    try:
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    for name in NAMES:
        if hasattr(library, name.format("set")) and hasattr(library, name.format("get")):
            return library[name.format("get")], library[name.format("set")]
    return None


class _State:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, in a child process: it has none of its parent's threads."""
        self.lock = threading.Lock()
        self.open = 0
        self.before = 1


_state = _State()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.forget)


@contextmanager
def one_thread() -> Iterator[bool]:
    """While open, in any thread, products of matrices use the thread that asks for them only.

    Gives False, and changes nothing, if NumPy's BLAS is not an OpenBLAS.
    """
    functions = _functions()
    if functions is None:
        yield False
        return
    get, put = functions
    with _state.lock:
        if not _state.open:
            _state.before = get()
            put(1)
        _state.open += 1
    try:
        yield True
    finally:
        with _state.lock:
            _state.open -= 1
            if not _state.open:
                put(_state.before)
