"""Which implementation draws. All give the same bits; they differ in time only.

numpy    `reference`, always there
numba    `compiled`, with the extra `fast`
auto     numba's if it is loaded, or installed and worth loading; else numpy's
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from types import ModuleType

from initlab.engine.registry import advice
from initlab.engine.streams import reference
from initlab.engine.streams.distribution import Piece

NAMES = ("auto", "numpy", "numba")
ENVIRONMENT = "ENGINE_DRAW"
WORTH_LOADING = 1 << 27
"""Elements after which loading numba and its compiled code (0.3 s) pays off; it saves 1.3 to 2.6 ns
for each element.
"""
WORTH_COMPILING = 1 << 31
"""The same if its code has not been compiled on this machine yet (4 s)."""

Fill = Callable[[Sequence[Piece]], None]


class _State:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.name: str | None = None
        """None until `implementation` is called; then it is what the environment says."""
        self.compiled: ModuleType | None = None
        """The module, once loaded."""
        self.missing: str | None = None
        """Why it cannot be."""
        self.drawn = 0
        """Elements that `auto` left to NumPy so far."""


_state = _State()


def implementation(name: str | None = None) -> str:
    """Return the implementation in use, one of NAMES. With `name`, set it first.

    The environment variable ENGINE_DRAW sets the initial one. Raises ValueError for an unknown
    name, and ImportError for numba if it is not installed.
    """
    if name is None and _state.name is not None:
        return _state.name
    with _state.lock:
        chosen = name if name is not None else _state.name or os.environ.get(ENVIRONMENT) or "auto"
        if chosen not in NAMES:
            raise ValueError(f"no implementation '{chosen}' - {advice(str(chosen), NAMES)}")
        if chosen == "numba":
            _load()
            if _state.compiled is None:
                raise ImportError(
                    f"implementation 'numba' cannot be used: {_state.missing} - pip install 'initlab[fast]'"
                )
        _state.name = chosen
        return chosen


def filler(elements: int) -> Fill:
    """Return the function that draws pieces of `elements` elements in total. The elements are
    counted, see `announce`.
    """
    name = implementation()
    if name == "auto" and _state.compiled is None and _state.missing is None:
        _consider(elements)
    if name == "numpy" or _state.compiled is None:
        return reference.fill
    return _state.compiled.fill  # type: ignore[no-any-return]


def announce(elements: int) -> bool:
    """Count `elements` as about to be drawn, and say whether compiled code will draw them.

    Under `auto` the count decides when numba is worth loading, so this may load it. Call it once
    before many small pieces are drawn, whose sizes would each be counted too late.
    """
    return filler(elements) is not reference.fill


def _consider(elements: int) -> None:
    """Load numba's implementation as soon as the elements drawn so far would have paid for it. The
    elements of this work count."""
    with _state.lock:
        _state.drawn += elements
        if _state.drawn >= WORTH_LOADING:
            _load(compiling=_state.drawn >= WORTH_COMPILING)


def _load(compiling: bool = True) -> None:
    """Make numba's implementation ready. Without `compiling`, only if compiled code is on the
    disk."""
    with _state.lock:
        if _state.compiled is not None or _state.missing is not None:
            return
        try:
            from initlab.engine.streams import compiled

            if compiling or compiled.is_kept():
                compiled.load()
                _state.compiled = compiled
        except ImportError as error:
            _state.missing = str(error)
