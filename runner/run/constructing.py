"""The order in which torch draws: first the constructors of all layers, then what is initialized over
them.
"""

from __future__ import annotations

from initlab.engine import init, streams
from initlab.engine.device import Device
from initlab.runner.plan.network import Network
from initlab.runner.plan.rows import describe
from initlab.runner.plan.semantics import TORCHS


def construct(network: Network, initializer: init.Initializer, device: Device) -> None:
    """Draw all parameters in the order of a program that builds the network in torch and then applies
    the network's initializer.

    Every constructor draws, whether its values stay or not. What other initializers decide is drawn
    afterwards, in the order of the network.
    """
    kept = {path for path in network.owners if _is_torchs(network, path, initializer)}

    def fill(path: str) -> None:
        place = streams.Place("", path, network.aliases_of(path))
        network.owners[path].initialize(None, device, initializer, path=place)

    for drawn in network.constructors:
        if drawn.last and drawn.path in kept:
            fill(drawn.path)
        else:
            drawn.law.draw_from(streams.current(), drawn.shape)
    for path in network.owners:
        if path not in kept:
            fill(path)


def _is_torchs(network: Network, path: str, initializer: init.Initializer) -> bool:
    """Return whether a parameter keeps what its layer's constructor writes."""
    if not network.sources.get(path, "").startswith(TORCHS):
        return False
    own = network.owners[path].init
    return init.filler(own, initializer, describe(network, path)) is not initializer
