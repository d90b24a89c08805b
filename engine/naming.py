"""Names of blocks: a counter for each hint, per thread or per block whose name scope is open
(MXNet: `_BlockScope` and `mx.name`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self


class _State(threading.local):
    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.scopes: list[NameScope] = []
        self.managers: list[NameManager] = []


_state = _State()


def _numbered(counters: dict[str, int], hint: str) -> str:
    number = counters.get(hint, 0)
    counters[hint] = number + 1
    return f"{hint}{number}"


class NameManager:
    """Names blocks outside any block's name scope, inside `with manager:` (MXNet: `mx.name`).

    A subclass may override `get`.
    """

    def __init__(self) -> None:
        self._counter: dict[str, int] = {}

    def get(self, name: str | None, hint: str) -> str:
        """Return `name`, or if it is None the hint with its next number."""
        return name or _numbered(self._counter, hint)

    def __enter__(self) -> Self:
        _state.managers.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _state.managers.pop()


class Prefix(NameManager):
    """A manager whose names all begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def get(self, name: str | None, hint: str) -> str:
        """Return the prefix, followed by the name or by the hint with its next number."""
        return self._prefix + super().get(name, hint)


@contextmanager
def kept() -> Iterator[None]:
    """While open, names count from zero outside any scope; afterwards the thread's counters, open
    scopes and managers are as they were.
    """
    before = _state.counters, _state.scopes, _state.managers
    _state.counters, _state.scopes, _state.managers = {}, [], []
    try:
        yield
    finally:
        _state.counters, _state.scopes, _state.managers = before


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


def new_name(prefix: str | None, hint: str) -> tuple[str, NameScope | None, bool]:
    """Return (the part of a new block's prefix after its scope's prefix, that scope or None, whether
    the part is the hint with a number that counts through the whole thread).

    `prefix` is the prefix given to the block.
    """
    scope = current_scope()
    if prefix is not None:
        return prefix, scope, False
    if scope is not None:
        return _numbered(scope.counters, hint) + "_", scope, False
    if _state.managers:
        return _state.managers[-1].get(None, hint) + "_", None, False
    return _numbered(_state.counters, hint) + "_", None, True
