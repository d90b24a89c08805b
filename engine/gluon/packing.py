"""Filling of many parameters in one block of work, which makes small parameters cheap.

The result is the same as filling one parameter after the other: the same values, the same order of
calls to observers, and the same parameters filled if one of them fails. A parameter that needs more
than a law drawn on the CPU is filled alone, after all those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from initlab.engine import dtypes, laws, nd, streams
from initlab.engine import init as init_module
from initlab.engine.device import Device, Devices
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.gluon.state import Filled, InitLike, Pending, announce
from initlab.engine.streams import VERSION, Piece, Place

AT_ONCE = 1 << 22
"""Elements that are held at most before they are drawn: old values of parameters are freed as new
ones come.
"""
INITIALIZE = Parameter.initialize
"""As it is here: a class of somebody's own, or a test, may have another."""


class _Held(NamedTuple):
    """A parameter that has its array; `piece` is what is still to be drawn into it, or None."""

    parameter: Parameter
    pending: Pending
    values: nd.NDArray
    filled: Filled
    piece: Piece | None


class Pack:
    """Parameters that wait to be drawn together."""

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._waiting: set[Parameter] = set()
        self._size = 0

    def initialize(
        self,
        parameter: Parameter,
        ctx: Devices,
        default_init: InitLike,
        force_reinit: bool,
        path: Place | None,
    ) -> None:
        """Initialize a parameter like `Parameter.initialize`, but perhaps draw its values later.

        Errors are raised now.
        """
        if type(parameter).initialize is not INITIALIZE or parameter in self._waiting:
            self.draw()
            parameter.initialize(None, ctx, default_init, force_reinit=force_reinit, path=path)
            return
        pending = parameter._pending_for(None, ctx, default_init, force_reinit, path)
        if pending is None:
            return
        held = _hold(parameter, pending)
        if held is None:
            self.draw()
            parameter._assign(pending, parameter._fill(pending))
            return
        self._held.append(held)
        self._waiting.add(parameter)
        self._size += held.values.size
        if self._size >= AT_ONCE:
            self.draw()

    def draw(self) -> None:
        """Draw all waiting parameters.

        They become ready, and observers are called, in the order the parameters were added.
        """
        waiting, self._held, self._waiting, self._size = self._held, [], set(), 0
        streams.draw_many([held.piece for held in waiting if held.piece is not None])
        for parameter, pending, values, filled, _ in waiting:
            ready = parameter._ready({values.device: values}, pending.source.key, filled)
            announce(parameter, filled)
            parameter._assign(pending, ready)


@contextmanager
def packing() -> Iterator[Pack]:
    """Open a Pack. All its parameters are filled at exit, also if an error occurred."""
    pack = Pack()
    try:
        yield pack
    finally:
        pack.draw()


def _hold(parameter: Parameter, pending: Pending) -> _Held | None:
    """Return the parameter with its law chosen and its values still to be drawn.

    Returns None if the parameter must be filled alone.
    """
    source, device = pending.source, _only_processor(pending.devices)
    if device is None or source.data is not None or streams.version() != VERSION:
        return None
    description = parameter._description(source)
    own = source.own if source.own is not None else source.default
    found = init_module.create(source.default).law_alone(own, description)
    if found is None:
        return None
    chosen, law = found
    dtype = dtypes.resolve(parameter.dtype)
    if law.random and not law.elementwise:
        return None
    raw = np.empty(description.shape, dtype)
    piece = law.fill_or_defer(
        source.key if law.random else laws.NOWHERE, description.shape, 0, raw.reshape(-1)
    )
    filled = Filled(source.key.path, source.key, type(chosen).__name__, law, description.shape)
    return _Held(parameter, pending, nd.NDArray(raw, device), filled, piece)


def _only_processor(devices: tuple[Device, ...]) -> Device | None:
    return devices[0] if len(devices) == 1 and devices[0].device_type == "cpu" else None
