"""The states of a parameter, and the record of how it was filled.

Unset ──initialize──> Pending ──shape known──> Ready
  └───────initialize, shape known──────────────┘

Unset      not initialized
Pending    initializer, stream key and devices are fixed, but the shape is not known yet
Ready      an array on each device, and a gradient unless `grad_req` is null
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from initlab.engine import laws, nd
from initlab.engine.device import Device
from initlab.engine.init.base import Initializer
from initlab.engine.streams import Key


@dataclass(frozen=True)
class Unset:
    """The state of a parameter that is not initialized."""


@dataclass(frozen=True)
class Source:
    """How a parameter is to be filled.

    `own` is its own initializer or None, `default` the network's, `key` the key of its stream,
    `aliases` its other paths if it is tied. If `data` is given, it is copied instead.
    """

    own: Any
    default: Any
    key: Key
    data: nd.NDArray | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pending:
    """The state of a parameter that will be filled from `source` on `devices` once its shape is
    known.
    """

    source: Source
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Filled:
    """The record of how a parameter got its first values; observers receive it."""

    path: str
    key: Key
    initializer: str
    law: laws.Law | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Ready:
    """The state of a parameter that has values: an array and a gradient (or None) for each device."""

    data: dict[Device, nd.NDArray]
    grad: dict[Device, nd.NDArray] | None
    key: Key | None
    origin: Filled | None


InitLike: TypeAlias = Initializer | str | None
"""An initializer, the name of one, or None for the network's."""
State = Unset | Pending | Ready
_observers: list[Callable[[Any, Filled], None]] = []


@contextmanager
def observe(callback: Callable[[Any, Filled], None]) -> Iterator[None]:
    """Call `callback(parameter, filled)` whenever an initializer fills a parameter, inside a
    `with`.
    """
    _observers.append(callback)
    try:
        yield
    finally:
        _observers.remove(callback)


def announce(parameter: object, filled: Filled) -> None:
    """Call all observers, in the order they were registered."""
    for observer in tuple(_observers):
        observer(parameter, filled)
