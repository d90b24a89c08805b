"""The states that a parameter can be in, and the record of how it was filled.

Unset ──initialize──> Pending ──shape known──> Ready
  └───────initialize, shape known──────────────┘

Unset      nothing is known of its values
Pending    how it will be filled is fixed (initializer, stream key, devices); its shape is not known yet
Ready      an array, and a gradient unless `grad_req` is null, on each device
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
    """Never initialized."""


@dataclass(frozen=True)
class Source:
    """How a parameter is filled: its own initializer (or None), the net's, and the key of its
    stream; or `data` to copy.
    """

    own: Any
    default: Any
    key: Key
    data: nd.NDArray | None = None


@dataclass(frozen=True)
class Pending:
    """Will be filled from `source` on `devices` once the shape is known."""

    source: Source
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Filled:
    """How a parameter got its first values: the record that observers get."""

    path: str
    key: Key
    initializer: str
    law: laws.Law | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Ready:
    """Has values: one array and one gradient (or None) a device."""

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
    """While open, `callback(parameter, filled)` is called whenever an initializer fills a
    parameter.
    """
    _observers.append(callback)
    try:
        yield
    finally:
        _observers.remove(callback)


def announce(parameter: object, filled: Filled) -> None:
    """Call all observers, in the order in which they began."""
    for observer in tuple(_observers):
        observer(parameter, filled)


@dataclass(frozen=True, repr=False)
class Symbol:
    """A name that stands for an array, as MXNet's symbolic interface prints it."""

    name: str

    def __repr__(self) -> str:
        return f"<Symbol {self.name}>"
