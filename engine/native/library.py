"""Find the compiled library, and load one of its cores.

A core is the code for one instruction set. All give the same bits.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "kernels.native.so"
"""Two dots: `kernels.so` would be taken for a Python module by tools that list a package's modules."""
PYTHON = ("PyList_GetItem", "PyCapsule_GetPointer", "PyEval_SaveThread", "PyEval_RestoreThread")
"""The functions of Python that the library calls (`struct python` in arrays.h)."""
NAMES = ("avx512", "avx2", "baseline")
"""The cores, the fastest first. A processor that is not x86-64 has the baseline only; on x86-64 that
needs SSE4.1, as NumPy 2.4 does.
"""


class Core(NamedTuple):
    """The functions of one instruction set. They give up the interpreter's lock.

    `draw(rows, interfaces)` draws packed rows (`struct row` in host.c) into arrays, each given by its
    `__array_struct__`. It returns how many arrays were left out: they have gaps, are not flat or not
    aligned, or are read-only. Raises MemoryError.
    `measure(elements, count, type, histogram, records)` takes three addresses and returns the number
    of zeros (statistics.h).
    `tally(elements, count, wide, low, scale, last, counts)` and `pick(…, wanted, picked)` count
    elements in parts of their range, and pick those of some (buckets.h).
    """

    name: str
    draw: Callable[[bytes, list[Any]], int]
    measure: Callable[[int, int, int, int, int], int]
    tally: Callable[[int, int, int, float, float, int, int], None]
    pick: Callable[[int, int, int, float, float, int, int, int], None]


@cache
def _opened() -> tuple[ctypes.CDLL | None, str]:
    """Return the library, or None and the reason."""
    if not LIBRARY.exists():
        return None, "the package was built without a C compiler"
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.made_of.restype = ctypes.c_char_p
        made_of = library.made_of().decode()
        _python()
    except (OSError, AttributeError) as error:
        return None, f"{LIBRARY.name} cannot be loaded: {error}"
    if made_of != source_digest():
        return None, f"{LIBRARY.name} was made of other C text - run python hatch_build.py"
    return library, ""


def source_digest() -> str:
    """Return the SHA-256 of all C text, in hex, as `hatch_build.py` computes it."""
    found = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.[ch]")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@cache
def cores() -> tuple[str, ...]:
    """Return the cores that the library has and this processor runs, the fastest first."""
    library, _ = _opened()
    return tuple(
        name
        for name in NAMES
        if library is not None and hasattr(library, f"runs_{name}") and library[f"runs_{name}"]()
    )


def why_not(name: str | None = None) -> str:
    """Return why no core can be used, or not the named one; empty if it can."""
    _, reason = _opened()
    usable = bool(cores()) if name is None else name in cores()
    if reason or usable:
        return reason
    return "this processor does not have these instructions"


@cache
def core(name: str) -> Core:
    """Return a core of `cores()`. Raises KeyError for another one."""
    library, _ = _opened()
    if library is None or name not in cores():
        raise KeyError(name)
    address, number, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    range_ = [address, number, ctypes.c_int, real, real, ctypes.c_int32]
    arguments: dict[str, tuple[list[Any], Any]] = {
        "measure": ([address, number, ctypes.c_int, address, address], number),
        "tally": ([*range_, address], None),
        "pick": ([*range_, address, address], None),
    }
    functions: dict[str, Callable[..., Any]] = {"draw": _drawing(library, f"draw_{name}")}
    for function, (types, gives) in arguments.items():
        found = functions[function] = library[f"{function}_{name}"]
        found.argtypes, found.restype = types, gives
    return Core(name, **functions)


@cache
def _python() -> ctypes.Array[ctypes.c_void_p]:
    """Return the addresses of Python's functions. Raises AttributeError if one is not there."""
    found = [ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p) for name in PYTHON]
    return (ctypes.c_void_p * len(found))(*found)


def _drawing(library: ctypes.CDLL, name: str) -> Callable[[bytes, list[Any]], int]:
    """Return `Core.draw`. The C function reads Python's objects, so it is called with the
    interpreter's lock, and gives it up itself.
    """
    arguments = ctypes.c_void_p, ctypes.c_char_p, ctypes.py_object, ctypes.c_int64
    function = ctypes.PYFUNCTYPE(ctypes.c_int64, *arguments)((name, library))
    python = _python()

    def draw(rows: bytes, interfaces: list[Any]) -> int:
        left_out: int = function(python, rows, interfaces, len(interfaces))
        if left_out < 0:
            raise MemoryError
        return left_out

    return draw


@cache
def pair_hasher() -> Callable[[int, int, int, int], None] | None:
    """Return `hash_pairs(messages, bytes, pairs, digests)` of sha256.c, which hashes two messages at
    once and gives up the interpreter's lock; None if it or the processor's instructions are missing.
    """
    library, _ = _opened()
    if library is None or not hasattr(library, "hash_pairs") or not library.runs_sha256():
        return None
    address, number = ctypes.c_void_p, ctypes.c_int64
    hash_pairs = library.hash_pairs
    hash_pairs.argtypes, hash_pairs.restype = [address, number, number, address], None
    return hash_pairs
