"""Builds the network of a checked declaration, ties what `model.share` lists, and records which
path is what.

Nothing is drawn or allocated: parameters stay uninitialized, and shapes may be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from initlab.engine import gluon, laws
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn
from initlab.engine.gluon.sites import note_sites
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.layers import Context
from initlab.runner.layers.base import B, Own
from initlab.runner.plan.freezing import freeze
from initlab.runner.plan.model import LayerSpec, ModelSpec
from initlab.runner.plan.shuffles import note_shuffles
from initlab.runner.probes.following import blocks_by_path
from initlab.runner.probes.roles import layers_with_rows

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Drawn:
    """What a constructor draws for the parameter of a path; unless `last`, it writes over it."""

    path: str
    law: laws.Law
    shape: Shape
    last: bool


@dataclass
class Network:
    """A built network.

    `layers` has every declared layer by path, containers included, and `specs` what declared each;
    `leaves` has the layers that contain no other; `measured` has those with a row in the table of
    layers, see `probes.roles`.
    `owners` has the parameters with values of their own; `aliases` maps the path of a tied
    parameter to the path of its owner. `sources` maps a parameter's path to the place in the config
    that chose its own initializer. `shapes` has the output shapes of the layers of a twin
    that are measured; None if it is no single shape. `constructors` is what the constructors of another
    library's layers draw, see `runner.plan.semantics`.
    """

    root: gluon.Block
    whole: LayerSpec | None = None
    """The one layer that is the network itself, if it is a whole model."""
    layers: dict[str, gluon.Block] = field(default_factory=dict)
    specs: dict[str, LayerSpec] = field(default_factory=dict)
    leaves: dict[str, gluon.Block] = field(default_factory=dict)
    measured: dict[str, gluon.Block] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    owners: dict[str, gluon.Parameter] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape | None] = field(default_factory=dict)
    constructors: list[Drawn] = field(default_factory=list)

    def aliases_of(self, owner: str) -> tuple[str, ...]:
        """Return the paths that are tied to an owner's."""
        return tuple(path for path, other in self.aliases.items() if other == owner)


def build(model: ModelSpec, dtype: str) -> Network:
    """Return the network, tied and uninitialized.

    Raises ConfigError if a share group names nothing or its members cannot be tied.
    """
    network = _assemble(model, dtype)
    _tie_all(network, model)
    return network


def build_twin(
    model: ModelSpec, dtype: str, shape: tuple[int, ...]
) -> tuple[Network, tuple[int, ...]]:
    """Return (the network with all shapes known, the shape of its output), for an input of `shape`.

    `shape` includes the batch axis. Raises ConfigError with the problems of shapes by layer, then
    by share group, then those of `build`.
    """
    network = _assemble(model, dtype)
    output = _first_shapes(network, shape)
    _check_alike(network, model)
    _tie_all(network, model)
    return network, output


def network_of(root: gluon.Block) -> Network:
    """Return the Network of a block made in Python; the places that chose its initializers are
    unknown.
    """
    network = Network(root, measured=layers_with_rows(root))
    _name_owners(network)
    note_sites(root)
    return network


def _tie_all(network: Network, model: ModelSpec) -> None:
    """Tie the members of all share groups and freeze what is to be. Raises ConfigError with all problems."""
    problems = Problems()
    for group, members in model.share.items():
        with problems.under():
            _tie(network, members, f"model.share.{group}")
    problems.raise_any()
    specs = network.specs if network.whole is None else {"": network.whole}
    freeze(network.root.structural_params(), specs, model)
    _name_owners(network)
    note_shuffles(network.root)
    note_sites(network.root)


def _assemble(model: ModelSpec, dtype: str) -> Network:
    """Return the network before anything is tied."""
    alone = model.layers[0] if len(model.layers) == 1 else None
    if alone is not None and alone.layer.model:
        network = _whole(alone, dtype)
    else:
        network = Network(nn.HybridSequential(prefix=""))
        _add_children(network, network.root, model.layers, "", dtype)
    network.measured = layers_with_rows(network.root, network.leaves)
    _name_owners(network)
    return network


def _whole(spec: LayerSpec, dtype: str) -> Network:
    """Return the network that one layer is, with the blocks inside as its layers."""
    network = Network(gluon.Block(prefix=""))
    network.whole = spec
    network.root = spec.layer.build(_context(network, spec, "", dtype))
    network.layers = {path: block for path, block in blocks_by_path(network.root).items() if path}
    network.places = dict.fromkeys(["", *network.layers], spec.place)
    return network


def _name_owners(network: Network) -> None:
    """Sort the structural paths into owners (the first path of a parameter) and aliases."""
    first: dict[int, str] = {}
    network.owners, network.aliases = {}, {}
    for path, parameter in network.root.structural_params().items():
        if id(parameter) in first:
            network.aliases[path] = first[id(parameter)]
        else:
            first[id(parameter)] = path
            network.owners[path] = parameter


def _add_children(
    network: Network,
    container: gluon.Block,
    specs: list[LayerSpec],
    above: str,
    dtype: str,
) -> None:
    """Build `specs` into `container`; their paths start with `above` ('' or 'encoder.')."""
    for spec in specs:
        path = above + spec.name
        block = spec.layer.build(_context(network, spec, path, dtype))
        container.register_child(block, spec.name)
        network.layers[path] = block
        network.specs[path] = spec
        network.places[path] = spec.place
        if not spec.children:
            network.leaves[path] = block


def _context(network: Network, spec: LayerSpec, path: str, dtype: str) -> Context:
    def own_initializer(parameter: str, default: Own, named_after: str | None = None) -> Own:
        option = f"{named_after or parameter}_initializer"
        chosen: Own = getattr(spec.layer, option, None)
        full = f"{path}.{parameter}"
        if chosen is not None:
            network.sources[full] = f"{spec.place}.{option}"
            return chosen
        if default is None:
            return None
        network.sources[full] = f"{spec.layer.kind}'s default"
        return default if isinstance(default, str) else default.dumps()

    def children(container: B, under: str, option: str = "layers") -> B:
        _add_children(network, container, spec.children[option], f"{path}.{under}", dtype)
        return container

    return Context(dtype, own_initializer, children)


def _tie(network: Network, members: list[str], place: str) -> None:
    """Give all members the parameters of that member which comes first in the network."""
    problems = Problems()
    parameters = network.root.structural_params()
    resolved = {member: _members_parameters(member, network, parameters) for member in members}
    for member, found in resolved.items():
        if not found:
            known = [*network.layers, *parameters]
            said = (
                "has no parameters" if member in network.layers else "is no layer and no parameter"
            )
            problems.unknown(place, f"'{member}' {said}", member, known)
    nested = [(a, b) for a in members for b in members if b.startswith(f"{a}.")]
    for a, b in nested:
        problems.add(
            place, f"share cycle: '{b}' is part of '{a}', so neither can be the other's owner"
        )
    if nested or not all(resolved.values()):
        raise ConfigError(problems.found)
    order = list(parameters)
    ranked = sorted(members, key=lambda member: order.index(next(iter(resolved[member].values()))))
    owner, owned = ranked[0], resolved[ranked[0]]
    for member in ranked[1:]:
        if resolved[member].keys() != owned.keys():
            problems.add(
                place,
                f"'{owner}' has {_listed(owned)} but '{member}' has {_listed(resolved[member])}: they "
                "cannot be tied",
            )
            continue
        for name, path in resolved[member].items():
            with problems.under():
                _tie_parameter(network, owned[name], path, place)
    problems.raise_any()


def _members_parameters(
    member: str, network: Network, parameters: dict[str, gluon.Parameter]
) -> dict[str, str]:
    """Return {relative name: path} of the parameters of a member of a share group."""
    if member in parameters:
        return {"": member}
    if member not in network.layers:
        return {}
    return {path[len(member) + 1 :]: path for path in parameters if path.startswith(f"{member}.")}


def _listed(names: dict[str, str]) -> str:
    return ", ".join(name or "one parameter" for name in names)


def _block_at(root: gluon.Block, path: str) -> gluon.Block:
    """Return the block at a structural path, which may lead inside a layer."""
    for name in path.split("."):
        root = root._children[name]
    return root


def _tie_parameter(network: Network, owner: str, path: str, place: str) -> None:
    problems = Problems()
    parameters = network.root.structural_params()
    block_path, _, name = path.rpartition(".")
    try:
        rows = {*parameters[owner].zero_rows, *parameters[path].zero_rows}
        _block_at(network.root, block_path).tie(name, parameters[owner])
        parameters[owner].zero_rows = tuple(sorted(rows))
    except AssertionError:
        shapes = [
            f"'{p}' has shape {parameters[p].shape} and dtype {parameters[p].dtype}"
            for p in (owner, path)
        ]
        problems.add(place, f"{shapes[0]}, but {shapes[1]}: tied parameters need one shape")
    if path in network.sources and network.sources[path].startswith("model."):
        problems.add(
            network.sources[path],
            f"is never used: '{path}' is tied to '{owner}' ({place}), which is drawn once",
        )
    problems.raise_any()


def infer_shapes(network: Network, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Set the shapes of all parameters from the shape of one batch; return the output's shape."""
    found: tuple[int, ...] = network.root.output_shape(shape)
    return found


def _first_shapes(network: Network, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Set the shapes of all parameters and return the output's shape.

    Raises ConfigError at the first layer that cannot take its input.
    """
    try:
        with _noted_shapes(network):
            return infer_shapes(network, shape)
    except MXNetError as error:
        place = network.places.get(error.path, "model.layers")
        said = error.message
        raise ConfigError.of(
            place, f"layer '{error.path}' cannot take its input: {said}" if error.path else said
        ) from error


@contextmanager
def _noted_shapes(network: Network) -> Iterator[None]:
    """Note the output shapes that the measured layers infer inside a `with`."""

    def noting(path: str, rule: Callable[..., Any]) -> Callable[..., Any]:
        def output_shape(*given: Any) -> Any:
            output = rule(*given)
            one = isinstance(output, tuple) and all(isinstance(size, int) for size in output)
            same = network.shapes.get(path, output) == output
            network.shapes[path] = output if one and same else None
            return output

        return output_shape

    for path, layer in network.measured.items():
        object.__setattr__(layer, "output_shape", noting(path, layer.output_shape))
    try:
        yield
    finally:
        for layer in network.measured.values():
            object.__delattr__(layer, "output_shape")


def _check_alike(network: Network, model: ModelSpec) -> None:
    """Raise ConfigError with each share group whose members' parameters differ in shape."""
    parameters = network.root.structural_params()
    problems = Problems()
    for group, members in model.share.items():
        resolved = [_members_parameters(member, network, parameters) for member in members]
        for name in resolved[0]:
            paths = [found[name] for found in resolved if name in found]
            shapes = {path: parameters[path].shape for path in paths}
            other = next((p for p in paths if shapes[p] != shapes[paths[0]]), None)
            if other is not None:
                said = f"'{paths[0]}' has shape {shapes[paths[0]]}, but '{other}' has shape {shapes[other]}"
                problems.add(f"model.share.{group}", f"{said}: tied parameters need one shape")
    problems.raise_any()
