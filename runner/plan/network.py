"""From a checked declaration to blocks: builds the network, ties what `model.share` lists, and
knows which path is what.

Nothing is drawn and nothing allocated: parameters are left uninitialized, those of unknown shape
too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from initlab.engine import gluon
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.layers import Context
from initlab.runner.plan.model import LayerSpec, ModelSpec


@dataclass
class Network:
    """A built network.

    `layers` has every layer by path, containers too; `leaves` those that hold no other; `owners`
    the parameters that have values of their own; `aliases` maps the path of a tied parameter to its
    owner's; `sources` says where in the config a parameter's own initializer was chosen.
    """

    root: gluon.Block
    layers: dict[str, gluon.Block] = field(default_factory=dict)
    leaves: dict[str, gluon.Block] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    owners: dict[str, gluon.Parameter] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def build(model: ModelSpec, dtype: str) -> Network:
    """The network, tied and uninitialized. ConfigError for share groups that name nothing or cannot
    be tied.
    """
    network = _assemble(model, dtype)
    _tie_all(network, model)
    return network


def build_twin(
    model: ModelSpec, dtype: str, shape: tuple[int, ...]
) -> tuple[Network, tuple[int, ...]]:
    """The network with the shapes of all parameters known, for an input of `shape`, batch axis
    included; and the shape of its output.

    ConfigError with what is wrong with the shapes: by layer, then by share group; then as `build`.
    """
    network = _assemble(model, dtype)
    output = _first_shapes(network, shape)
    _check_alike(network, model)
    _tie_all(network, model)
    return network, output


def network_of(root: gluon.Block) -> Network:
    """The network that a block made in Python is; where its initializers were chosen is not known."""
    network = Network(root)
    _name_owners(network)
    return network


def _tie_all(network: Network, model: ModelSpec) -> None:
    """Tie what `model.share` lists. ConfigError with everything that cannot be tied."""
    problems = Problems()
    for group, members in model.share.items():
        with problems.under():
            _tie(network, members, f"model.share.{group}")
    problems.raise_any()
    _name_owners(network)


def _assemble(model: ModelSpec, dtype: str) -> Network:
    """The network with nothing tied yet."""
    network = Network(nn.HybridSequential(prefix=""))
    _add_children(network, network.root, model.layers, "", dtype)
    _name_owners(network)
    return network


def _name_owners(network: Network) -> None:
    """Sort the structural paths into owners (a parameter's first path) and aliases."""
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
        network.places[path] = spec.place
        if not spec.children:
            network.leaves[path] = block


def _context(network: Network, spec: LayerSpec, path: str, dtype: str) -> Context:
    def own_initializer(parameter: str, default: Any, named_after: str | None = None) -> Any:
        option = f"{named_after or parameter}_initializer"
        chosen = getattr(spec.layer, option, None)
        full = f"{path}.{parameter}"
        if chosen is not None:
            network.sources[full] = f"{spec.place}.{option}"
            return chosen
        if default is None:
            return None
        network.sources[full] = f"{spec.layer.kind}'s default"
        return default if isinstance(default, str) else default.dumps()

    def children(container: gluon.Block, under: str, option: str = "layers") -> Any:
        _add_children(network, container, spec.children[option], f"{path}.{under}", dtype)
        return container

    return Context(dtype, own_initializer, children)


def _tie(network: Network, members: list[str], place: str) -> None:
    """Give all members the parameters of the first of them in the order of the network."""
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
    """Relative name -> path of the parameters that a member of a share group stands for."""
    if member in parameters:
        return {"": member}
    if member not in network.layers:
        return {}
    return {path[len(member) + 1 :]: path for path in parameters if path.startswith(f"{member}.")}


def _listed(names: dict[str, str]) -> str:
    return ", ".join(name or "one parameter" for name in names)


def _block_at(root: gluon.Block, path: str) -> gluon.Block:
    """The block that a structural path leads to, inside a layer too."""
    for name in path.split("."):
        root = root._children[name]
    return root


def _tie_parameter(network: Network, owner: str, path: str, place: str) -> None:
    problems = Problems()
    parameters = network.root.structural_params()
    block_path, _, name = path.rpartition(".")
    try:
        _block_at(network.root, block_path).tie(name, parameters[owner])
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
    """Fill in the shapes of all parameters from the shape of one batch of inputs; gives the
    output's shape.
    """
    found: tuple[int, ...] = network.root.infer_shape(shape)
    return found


def _first_shapes(network: Network, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The output's shape, all others filled in. ConfigError where the first layer stands that
    cannot take what it is given.
    """
    try:
        return infer_shapes(network, shape)
    except MXNetError as error:
        place = network.places.get(error.path, "model.layers")
        said = error.message
        raise ConfigError.of(
            place, f"layer '{error.path}' cannot take its input: {said}" if error.path else said
        ) from error


def _check_alike(network: Network, model: ModelSpec) -> None:
    """ConfigError with each share group whose members' parameters differ in shape."""
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
