"""A finished run as what is exported: its declared layers, and the values that each has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.runner.check.verify import check_plugins
from initlab.runner.errors import ConfigError, EvidenceError, Problems
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.layers import Layer
from initlab.runner.plan.model import LayerSpec, parse_input, parse_model
from initlab.runner.plan.network import Network, build, build_twin
from initlab.runner.plan.parts import mapping_at

KEEP = "run it with snapshot=safetensors"


@dataclass(frozen=True)
class Declared:
    """A declared layer that contains no other."""

    path: str
    place: str
    """Where the config declares it: `model.layers[1]`."""
    layer: Layer
    values: dict[str, np.ndarray]
    """Its parameters by their names within it."""
    shape: tuple[int, ...] | None
    """The shape of its output, with a batch axis; None if it is not known."""
    frozen: frozenset[str] = frozenset()
    """The names of those of its parameters that are not trained."""


@dataclass(frozen=True)
class Source:
    """A finished run: its layers in the order of the network, and the containers that hold them."""

    layers: list[Declared]
    containers: dict[str, LayerSpec]
    aliases: dict[str, str]
    """Path of a tied parameter -> path of its owner."""
    root: str
    """The root digest."""


def read(folder: Path) -> Source:
    """Return a finished run. Its values are mapped and read on access.

    Raises EvidenceError unless the run is whole, not a part of another, and kept its values.
    """
    run = RunFolder(folder)
    manifest = run.manifest
    if manifest.shard is not None:
        said = f"is part {manifest.shard} of a run - join the parts first, with initlab join"
        raise EvidenceError(f"{folder}: {said}")
    if manifest.snapshot is None:
        raise EvidenceError(f"{folder}: the run kept no snapshot - {KEEP}")
    saved = run.snapshot
    assert saved is not None
    if not run.is_whole():
        said = "a file is not as its manifest says - initlab verify says which"
        raise EvidenceError(f"{folder}: {said}")
    check_plugins(manifest, folder)
    try:
        network = network_of(run.config)
    except ConfigError as error:
        raise EvidenceError(f"{folder}: its config cannot be read: {error}") from error
    if network.whole is not None:
        said = "is a run of a PyTorch model: its snapshot has torch's names already, a tied parameter once"
        raise EvidenceError(f"{folder}: {said}")
    layers = list(_declared(network, saved))
    found = {f"{one.path}.{name}" for one in layers for name in one.values}
    lost = sorted(set(saved) ^ found)
    if lost:
        raise EvidenceError(f"{folder}: '{lost[0]}' is no parameter of a layer that it declares")
    containers = {path: spec for path, spec in network.specs.items() if path not in network.leaves}
    return Source(layers, containers, manifest.aliases, manifest.digests.root)


def network_of(config: Mapping[str, object]) -> Network:
    """Return the network of a run's config, with all shapes if the config has that of a sample.

    Raises ConfigError with all problems.
    """
    problems = Problems()
    with problems.under("model"):
        options = mapping_at(config, "model")
        shape = parse_input(options.get("input"))
        model = parse_model(options, shape)
    problems.raise_any()
    dtype = str(config.get("dtype"))
    return build(model, dtype) if shape is None else build_twin(model, dtype, (1, *shape))[0]


def _declared(network: Network, saved: Mapping[str, np.ndarray]) -> Iterator[Declared]:
    parameters = network.root.structural_params()
    for path in network.leaves:
        values = {
            name[len(path) + 1 :]: saved[name] for name in saved if name.startswith(f"{path}.")
        }
        spec = network.specs[path]
        frozen = frozenset(name for name in values if parameters[f"{path}.{name}"].frozen)
        yield Declared(path, spec.place, spec.layer, values, network.shapes.get(path), frozen)
