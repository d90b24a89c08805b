"""Names for blocks: a counter a hint, global in a thread or of the block whose name scope is open
(MXNet: `_BlockScope`).
"""

from __future__ import annotations

import threading
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


class NameScope:
    """The scope of one block: inside `with block.name_scope():` new blocks' names start with the
    block's prefix.
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
    """The innermost open scope."""
    return _state.scopes[-1] if _state.scopes else None


def new_name(prefix: str | None, hint: str) -> tuple[str, NameScope | None]:
    """(what a new block's prefix adds to its scope's, that scope or None). `prefix` is what its
    maker asked for.
    """
    scope = current_scope()
    if prefix is not None:
        return prefix, scope
    return _numbered(_state.counters if scope is None else scope.counters, hint), scope
