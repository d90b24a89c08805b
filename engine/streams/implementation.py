"""Which implementation draws. All give the same bits; they differ in time only.

auto       the fastest core of `engine.native` that this processor runs; numpy without one
numpy      `reference`, always there
avx512 avx2 baseline   this core
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from initlab.engine import native
from initlab.engine.registry import advice
from initlab.engine.streams import compiled, reference
from initlab.engine.streams.distribution import Piece

NAMES = ("auto", "numpy", *native.NAMES)
ENVIRONMENT = "ENGINE_DRAW"

Fill = Callable[[Sequence[Piece]], None]


class _State:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.name: str | None = None
        """None until `implementation` is called; then it is what the environment says."""
        self.fill: Fill = reference.fill


_state = _State()


def implementation(name: str | None = None) -> str:
    """Return the implementation in use, one of NAMES. With `name`, set it first.

    The environment variable ENGINE_DRAW sets the initial one. Raises ValueError for an unknown
    name, and ImportError for a core that cannot be used here.
    """
    if name is None and _state.name is not None:
        return _state.name
    with _state.lock:
        chosen = name if name is not None else _state.name or os.environ.get(ENVIRONMENT) or "auto"
        used = core(chosen)
        _state.fill = reference.fill if used == "numpy" else compiled.filler(used)
        _state.name = chosen
        return chosen


def core(name: str | None = None) -> str:
    """Return what draws if the implementation has this name: numpy, or the name of a core.

    By default it is the one in use. Errors are those of `implementation`.
    """
    name = implementation() if name is None else name
    if name not in NAMES:
        raise ValueError(f"no implementation '{name}' - {advice(str(name), NAMES)}")
    reason = native.why_not(name) if name in native.NAMES else ""
    if reason:
        raise ImportError(f"implementation '{name}' cannot be used: {reason}")
    if name != "auto":
        return name
    return native.cores()[0] if native.cores() else "numpy"


def why_core() -> str:
    """Return one sentence: what draws, and why. Errors are those of `implementation`."""
    name, used = implementation(), core()
    if name != "auto":
        return f"{used} draws, as {ENVIRONMENT} or the program says"
    reason = native.why_not()
    return f"numpy draws: {reason}" if reason else f"{used} draws, the fastest of this processor"


def filler() -> Fill:
    """Return the function that draws pieces."""
    if _state.name is None:
        implementation()
    return _state.fill
