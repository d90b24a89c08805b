"""The parts of a resolved config as objects: the choices of config groups, device, shard, sample
shape.

Each function raises ConfigError with all problems of its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from initlab.engine import formats
from initlab.engine.device import Device, check_dtype, check_gpu
from initlab.engine.errors import DeviceError, OptionError
from initlab.engine.init import Initializer
from initlab.runner.config.schema import DeviceOptions, kinds
from initlab.runner.data import Data
from initlab.runner.errors import ConfigError, Problems, each
from initlab.runner.evidence.shard import Shard
from initlab.runner.evidence.shard import parse as parse_shard
from initlab.runner.json_values import JSON
from initlab.runner.measures import Measure
from initlab.runner.plan.model import (
    ModelSpec,
    check_alone,
    construct,
    parse_initializer,
    parse_input,
    parse_model,
)
from initlab.runner.plan.root import Root, parse_root
from initlab.runner.plan.streamable import check_streamed
from initlab.runner.probes import Probe
from initlab.runner.stats import Statistic
from initlab.runner.trackers import Tracker


@dataclass
class Parts:
    """The objects that a resolved config declares, besides its plain keys."""

    model: ModelSpec
    data: Data
    probe: Probe
    init: Initializer
    stats: dict[str, Statistic]
    measure: dict[str, Measure]
    tracker: Tracker
    shard: Shard | None
    device: Device
    snapshot: formats.Format | None
    sample_shape: tuple[int, ...]


def parse_parts(resolved: Mapping[str, JSON]) -> tuple[Root, Parts]:
    """Return the plain keys and all parts. Raises ConfigError with all problems."""
    problems = Problems()
    mode, declared = resolved.get("init_mode"), None
    with problems.under():
        root = parse_root(resolved)
    with problems.under("model"):
        network = mapping_at(resolved, "model")
        with problems.under("model.input"):
            declared = parse_input(network.get("input"))
        model = parse_model(network, declared)
    with problems.under("data"):
        data = parse_group("data", mapping_at(resolved, "data"))
    with problems.under("probe"):
        probe = parse_group("probe", mapping_at(resolved, "probe"))
    with problems.under("init"):
        init = parse_initializer(resolved.get("init"))
        check_alone(init)
    with problems.under("stats"):
        stats = parse_several("stats", mapping_at(resolved, "stats"))
    with problems.under("measure"):
        measure = parse_several("measure", mapping_at(resolved, "measure"))
    with problems.under("tracker"):
        tracker = parse_tracker(mapping_at(resolved, "tracker"))
    with problems.under("shard"):
        shard = parse_part(resolved.get("shard"), mode)
    with problems.under("device"):
        device = parse_device(mapping_at(resolved, "device"))
    with problems.under("snapshot"):
        snapshot = parse_snapshot(mapping_at(resolved, "snapshot"))
    if not problems.concern("model.input", "data"):
        with problems.under():
            sample = sample_shape(declared, data, mode)
    if not problems.concern("device"):
        with problems.under():
            check_device(device, str(resolved.get("dtype")))
    if mode == "streamed":
        with problems.under():
            check_streamed(resolved)
    problems.raise_any()
    return root, Parts(
        model, data, probe, init, stats, measure, tracker, shard, device, snapshot, sample
    )


def mapping_at(resolved: Mapping[str, object], key: str) -> dict[str, object]:
    """Return the mapping at a key. Raises ConfigError if there is none."""
    value = resolved.get(key)
    if not isinstance(value, dict):
        said = f"must be a mapping, got {value!r} - choose an option of the group: {key}=…"
        raise ConfigError.of("", said)
    return value


def parse_group(group: str, options: Mapping[str, object]) -> Any:
    """Return the object that `options` choose in a group."""
    kind, known = options.get("kind"), kinds(group)
    if not (isinstance(kind, str) and kind in known):
        raise ConfigError.unknown("kind", f"no {group} '{kind}'", kind, known)
    rest = {name: value for name, value in options.items() if name != "kind"}
    return construct(known.get(kind), rest, f"{group} {kind}")


def parse_several(group: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return {name in the config: object} of a group of which a run takes several."""

    def parse(options: object) -> object:
        if not isinstance(options, dict):
            raise ConfigError.of("", f"must be a mapping, got {options!r}")
        return parse_group(group, options)

    return each(chosen, parse)


def parse_tracker(options: Mapping[str, object]) -> Tracker:
    """Return the tracker, after checking that its library is installed."""
    tracker: Tracker = parse_group("tracker", options)
    tracker.check_installed()
    return tracker


def parse_snapshot(options: Mapping[str, object]) -> formats.Format | None:
    """Return the format of the snapshot, or None if no values are stored."""
    chosen = parse_group("snapshot", options)
    return chosen if isinstance(chosen, formats.Format) else None


def parse_part(text: object, init_mode: object) -> Shard | None:
    """Return the shard that `shard` names, or None for the whole run."""
    if text is None:
        return None
    try:
        shard = parse_shard(text)
    except ValueError as error:
        raise ConfigError.of("", str(error)) from error
    if init_mode != "streamed":
        raise ConfigError.of(
            "",
            "is for init_mode=streamed, which never holds a model whole, got "
            f"init_mode={init_mode} - add init_mode=streamed",
        )
    return shard


def parse_device(options: Mapping[str, object]) -> Device:
    """Return the device, after checking that it exists."""
    chosen: DeviceOptions = construct(DeviceOptions, options)
    try:
        if chosen.kind == "gpu":
            check_gpu(chosen.index)
    except DeviceError as error:
        raise ConfigError.of("", f"no gpu({chosen.index}): {error}") from error
    return Device(chosen.kind, chosen.index)


def check_device(device: Device, dtype: str) -> None:
    """Raise ConfigError if the device does not support the dtype."""
    try:
        check_dtype(device, dtype)
    except DeviceError as error:
        raise ConfigError.of("dtype", str(error)) from error


def sample_shape(
    declared: tuple[int, ...] | None, data: Data, init_mode: object
) -> tuple[int, ...]:
    """Return the shape of one sample, from the model, else from data with a shape of its own."""
    if declared is None and init_mode in ("eager", "streamed"):
        raise ConfigError.of(
            "model.input",
            f"is not declared - {init_mode} mode infers all shapes from it: give the shape of one "
            "sample, or use init_mode=deferred",
        )
    try:
        shape = data.sample_shape(declared)
    except ValueError as error:
        said = error.problem if isinstance(error, OptionError) else str(error)
        raise ConfigError.of("data", said) from error
    if shape is None:
        raise ConfigError.of(
            "model.input",
            f"is not declared, and data '{data.kind}' has no shape of its own - give the shape of "
            "one sample",
        )
    return shape
