"""What a layer's own initializer is: `semantics` of a config.

initlab, mxnet    zeros for biases, ones for gammas, as Gluon's layers have them; weights are left to the
                  network's initializer, which `init=default` makes U(-0.07, 0.07)
torch             what the constructors of torch.nn's layers do, for every parameter

torch's for weights are used with `init=default`; another `init=` decides about everything that a Gluon
layer leaves to the network. A layer's option decides about its parameter, and a rule that names a
parameter beats a layer's own, as everywhere. docs/semantics.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterator

from initlab.engine import gluon, init
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.network import Drawn, Network
from initlab.runner.plan.torch_layers import constructor_of

TORCHS = "torch's default of "
"""What the place that chose an initializer begins with, if it is one of torch's."""


def note_defaults(network: Network, semantics: str, initializer: init.Initializer) -> None:
    """Give the parameters of a network, whose shapes are known, the own initializers of the library's
    layers. Note the places that chose them, and what constructors draw.

    `initializer` is the network's. Raises ConfigError for a parameter that nothing has an initializer
    for, and for an option without effect.
    """
    if semantics != "torch":
        return
    everything = isinstance(initializer, init.Default)
    if isinstance(initializer, init.Default) and initializer.scale != init.Default().scale:
        said = (
            "has no effect with semantics=torch, whose layers have initializers for all parameters"
        )
        raise ConfigError.of("init.scale", f"{said} - leave it out, or choose init=uniform")
    for path, block in _blocks(network.root, ""):
        name, writes = constructor_of(block)
        for number, (parameter, chosen) in enumerate(writes):
            full, shape = path + parameter, tuple(block._reg_params[parameter].shape)
            last = all(parameter != other for other, _ in writes[number + 1 :])
            network.constructors.append(
                Drawn(full, chosen.law(_described(full, shape)), shape, last)
            )
            if last:
                _note(network, full, chosen, TORCHS + name, everything)
    if everything:
        _check_complete(network)


def _described(path: str, shape: tuple[int, ...]) -> init.Description:
    return init.Description(path, path, shape, "float32")


def _blocks(block: gluon.Block, path: str) -> Iterator[tuple[str, gluon.Block]]:
    """Yield (the start of its parameters' paths, block) of a block and all in it, in their order."""
    yield path, block
    for name, child in block._children.items():
        yield from _blocks(child, f"{path}{name}.")


def _note(
    network: Network, path: str, chosen: init.Initializer, source: str, everything: bool
) -> None:
    """Make an initializer a parameter's own, unless an option chose one or the network's decides."""
    parameter = network.owners.get(path)
    if parameter is None or network.sources.get(path, "").startswith("model."):
        return
    if parameter.init is None and not everything:
        return
    parameter.init = chosen.dumps()
    network.sources[path] = source


def _check_complete(network: Network) -> None:
    """Raise ConfigError with each parameter that is left to the network's initializer."""
    problems = Problems()
    for path, parameter in network.owners.items():
        if parameter.init is None:
            layer = path.rpartition(".")[0]
            said = f"torch has no layer like this, and so no default for '{path}'"
            told = f"{said} - give it an initializer, or choose one for the network with init="
            problems.add(network.places.get(layer, "model.layers"), told)
    problems.raise_any()
