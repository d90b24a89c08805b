"""The type `Symbol`, for annotations and `isinstance` (MXNet: `mx.sym`).

The engine computes at once and builds no graphs of symbols. Only `Parameter.var` gives a Symbol: a
name, good for printing. Anything else of MXNet's module is one error that says so.
"""

from __future__ import annotations

import sys
from typing import NoReturn, Self

from initlab.engine.errors import MXNetError

ABSENT = (
    "there are no symbols here: the engine computes at once - write the network as a gluon.Block or "
    "HybridBlock and call it with arrays (mx.nd)"
)


class Symbol:
    """MXNet's node of a graph; here the name of one. Making one raises MXNetError."""

    name: str

    def __init__(self, *args: object, **options: object) -> None:
        raise MXNetError(f"mx.sym.Symbol: {ABSENT}")

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the symbol that stands for the array of a parameter."""
        made = cls.__new__(cls)
        made.name = name
        return made

    def __repr__(self) -> str:
        return f"<Symbol {self.name}>"


__all__ = ["Symbol"]

sys.modules[f"{__name__}.symbol"] = sys.modules[__name__]  # MXNet's module inside of its package


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"mx.sym.{name}: {ABSENT}")
