"""Threads that share work: one pool a process, kept from draw to draw."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class _State:
    def __init__(self) -> None:
        self.count = min(os.cpu_count() or 1, 8)
        self.forget()

    def forget(self) -> None:
        """Begin without a pool, in a child process: it has none of its parent's threads, and another
        thread may have held the lock.
        """
        self.lock = threading.Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.pool_size = 0


_state = _State()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.forget)


def threads(count: int | None = None) -> int:
    """Return how many threads share one large tensor, or many small ones. With `count`, set it
    first. Results never depend on it.
    """
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"threads must be a whole number of at least 1, got {count!r}")
        _state.count = count
    return _state.count


_alone = threading.local()


@contextmanager
def alone(on: bool = True) -> Iterator[None]:
    """While open, this thread shares nothing with the pool, for threads that work side by side
    already; or with `on` false, shares its work again."""
    before = getattr(_alone, "on", False)
    _alone.on = on
    try:
        yield
    finally:
        _alone.on = before


def workers() -> int:
    """Return how many threads share the work of this thread: `threads()`, or 1 within `alone`."""
    return 1 if getattr(_alone, "on", False) else _state.count


def share(work: Callable[[Any], None], parts: Iterable[Any]) -> None:
    """Call `work` with every part, on as many threads as `threads` says. The first error is raised
    once all have ended.
    """
    with _state.lock:
        if _state.pool is None or _state.pool_size != _state.count:
            _state.pool_size = _state.count
            # The threads of a replaced pool end after their last draw.
            _state.pool = ThreadPoolExecutor(_state.pool_size, "initlab-draw")
        futures = [_state.pool.submit(work, part) for part in parts]
    errors = [future.exception() for future in futures]
    for error in errors:
        if error is not None:
            raise error
