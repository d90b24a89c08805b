"""Names of blocks: a counter for each hint, per thread or per block whose name scope is open
(MXNet: `_BlockScope`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _State(threading.local):
    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.scopes: list[NameScope] = []


_state = _State()


def _numbered(counters: dict[str, int], hint: str) -> str:
    number = counters.get(hint, 0)
    counters[hint] = number + 1
    return f"{hint}{number}_"


@contextmanager
def kept() -> Iterator[None]:
    """While open, names count from zero outside any scope; afterwards the thread's counters and
    open scopes are as they were.
    """
    before = _state.counters, _state.scopes
    _state.counters, _state.scopes = {}, []
    try:
        yield
    finally:
        _state.counters, _state.scopes = before


class NameScope:
    """The scope of one block: inside `with block.name_scope():` names of new blocks start with its
    prefix.
    """

    def __init__(self, block: Any) -> None:
        self.block = block
        self.counters: dict[str, int] = {}

    def __enter__(self) -> NameScope:
        if self.block._empty_prefix:
            return self
        _state.scopes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        if not self.block._empty_prefix:
            _state.scopes.pop()


def current_scope() -> NameScope | None:
    """Return the innermost open scope."""
    return _state.scopes[-1] if _state.scopes else None


def new_name(prefix: str | None, hint: str) -> tuple[str, NameScope | None]:
    """Return (the part of a new block's prefix after its scope's prefix, that scope or None).

    `prefix` is the prefix given to the block.
    """
    scope = current_scope()
    if prefix is not None:
        return prefix, scope
    return _numbered(_state.counters if scope is None else scope.counters, hint), scope
