"""The type `Symbol`, for annotations and `isinstance` (MXNet: `mx.sym`).

The engine computes at once and builds no graphs of symbols. No object is a Symbol, so
`isinstance(x, Symbol)` is false. Anything else of MXNet's module is one error that says so.
"""

from __future__ import annotations

from typing import NoReturn

from initlab.engine.errors import MXNetError
from initlab.engine.nd import NDArray

ABSENT = (
    "there are no symbols here: the engine computes at once - write the network as a gluon.Block or "
    "HybridBlock and call it with arrays (mx.nd)"
)


class Symbol:
    """MXNet's node of a graph. It cannot be made here: making one raises MXNetError."""

    def __init__(self, *args: object, **options: object) -> None:
        raise MXNetError(f"mx.sym.Symbol: {ABSENT}")


tensor_types = (Symbol, NDArray)
"""What a block may be called with, by MXNet's name in `gluon`."""

__all__ = ["Symbol"]


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"mx.sym.{name}: {ABSENT}")
