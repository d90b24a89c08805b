"""From a composed config to a `RunConfig`: everything is checked, and everything wrong is said at once.

Hydra has checked the names of options and simple types; here come values, the model, and what one part needs of another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from engine import dtypes, formats, init, streams
from engine.device import Device, gpu_problem
from engine.errors import MXNetError
from engine.registry import advice
from runner.build import Network, build, check_shapes, infer_shapes
from runner.data import Data
from runner.errors import ConfigError, Problem
from runner.identity import canonical_of, resolve, run_id
from runner.model import ModelSpec, construct, parse_initializer, parse_model
from runner.plan import Plan, make_plan
from runner.probes import Probe
from runner.schema import Config, kinds
from runner.stats import Statistic

STREAMS = streams.VERSIONS
LARGEST_MXNET_SEED = 2**32 - 1
DTYPES = ("float32", "float16", "float64", "bfloat16")
INIT_MODES = ("deferred", "eager")
TASKS = ("run", "plan")
DEVICES = ("cpu", "gpu")
SNAPSHOTS = ("safetensors", "npz", "none")
LARGEST_SEED = 2**64 - 1
LARGEST_ARRAY = 2**63 - 1
"""Bytes, of any array; whether there is as much memory is seen when it is asked for."""


@dataclass
class RunConfig:
    """A config that can be run: every part an object, and `resolved`, the plain mapping they came from."""

    seed: int
    stream: str
    name: str
    dtype: str
    init_mode: str
    task: str
    resume: bool
    model: ModelSpec
    init: init.Initializer
    device: Device
    data: Data
    probe: Probe
    snapshot: formats.Format | None
    stats: dict[str, Statistic]
    sample_shape: tuple[int, ...]
    plan: Plan
    resolved: dict[str, Any]
    canonical: dict[str, Any]

    @property
    def run_id(self) -> str:
        """The id its folder is named by."""
        return run_id(self.canonical)


def validate(config: DictConfig) -> RunConfig:
    """The run that a composed config declares, planned. ConfigError with every problem found."""
    resolved = resolve(config)
    resolved.setdefault("stream", streams.VERSION)
    problems: list[Problem] = []
    _check_root(resolved, problems)
    model = parse_model(_mapping(resolved, "model", problems), problems)
    parts = {group: _parse_kind(group, resolved, problems) for group in ("data", "probe")}
    initializer = parse_initializer(resolved.get("init"), "init", problems)
    stats = _parse_stats(resolved, problems)
    device = _parse_device(_mapping(resolved, "device", problems), problems)
    snapshot = _parse_snapshot(_mapping(resolved, "snapshot", problems), problems)
    sample = _sample_shape(model, parts["data"], resolved, problems)
    if problems or sample is None:
        raise ConfigError(problems)
    with streams.using(resolved["stream"]):
        plan = _plan(resolved, model, initializer, parts, sample)
    return RunConfig(
        stream=resolved["stream"],
        seed=resolved["seed"],
        name=resolved["name"],
        dtype=resolved["dtype"],
        init_mode=resolved["init_mode"],
        task=resolved["task"],
        resume=resolved["resume"],
        model=model,
        init=initializer,
        device=device,
        snapshot=snapshot,
        stats=stats,
        sample_shape=sample,
        plan=plan,
        resolved=resolved,
        canonical=canonical_of(resolved),
        **parts,
    )


def _or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _mapping(resolved: dict[str, Any], key: str, problems: list[Problem]) -> dict[str, Any]:
    value = resolved.get(key)
    if isinstance(value, dict):
        return value
    problems.append(Problem(key, f"must be a mapping, got {value!r} - choose an option of the group: {key}=…"))
    return {}


def _check_root(resolved: dict[str, Any], problems: list[Problem]) -> None:
    known = list(Config.__dataclass_fields__)
    for key in resolved:
        if key not in known:
            problems.append(Problem(key, f"no such key - {advice(key, known)}"))
    seed = resolved.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        problems.append(Problem("seed", f"must be a whole number from 0 to 2^64-1, got {seed!r}"))
    name = resolved.get("name")
    if not isinstance(name, str) or not name or name in (".", "..") or set(name) & set("/\\\0"):
        problems.append(Problem("name", f"must be one path component, got {name!r}"))
    if not isinstance(resolved.get("resume"), bool):
        problems.append(Problem("resume", f"must be true or false, got {resolved.get('resume')!r}"))
    stream = resolved.get("stream")
    if stream in STREAMS and stream != streams.VERSION and isinstance(seed, int) and seed > LARGEST_MXNET_SEED:
        problems.append(Problem("seed", f"must be a whole number from 0 to 2^32-1 with stream {stream}, got {seed!r}"))
    for key, allowed in (("stream", STREAMS), ("dtype", DTYPES), ("init_mode", INIT_MODES), ("task", TASKS)):
        if resolved.get(key) not in allowed:
            problems.append(Problem(key, f"cannot be {resolved.get(key)!r} - {advice(str(resolved.get(key)), allowed)}"))
    drawn = streams.DTYPES.get(str(stream), DTYPES)
    if resolved.get("dtype") in DTYPES and resolved["dtype"] not in drawn:
        problems.append(Problem("dtype", f"{resolved['dtype']} is not specified in stream {stream} - use {_or(drawn)}"))
    elif resolved.get("dtype") in DTYPES:
        try:
            dtypes.resolve(resolved["dtype"])
        except MXNetError as error:
            problems.append(Problem("dtype", str(error)))


def _parse_kind(group: str, resolved: dict[str, Any], problems: list[Problem]) -> Any:
    before = len(problems)
    options = dict(_mapping(resolved, group, problems))
    return _of_kind(group, options, group, problems) if len(problems) == before else None


def _of_kind(group: str, options: dict[str, Any], place: str, problems: list[Problem]) -> Any:
    kind = options.pop("kind", None)
    known = kinds(group)
    if not (isinstance(kind, str) and kind in known):
        problems.append(Problem(f"{place}.kind", f"no {group} '{kind}' - {advice(str(kind), known)}"))
        return None
    return construct(known[kind], options, place, f"{group} {kind}", problems)


def _parse_stats(resolved: dict[str, Any], problems: list[Problem]) -> dict[str, Statistic]:
    stats = {}
    for name, options in _mapping(resolved, "stats", problems).items():
        if not isinstance(options, dict):
            problems.append(Problem(f"stats.{name}", f"must be a mapping, got {options!r}"))
            continue
        stats[name] = _of_kind("stats", dict(options), f"stats.{name}", problems)
    return stats


def _parse_device(options: dict[str, Any], problems: list[Problem]) -> Device:
    for key in options:
        if key not in ("kind", "index"):
            problems.append(Problem(f"device.{key}", f"no such key - {advice(key, ('kind', 'index'))}"))
    kind, index = options.get("kind"), options.get("index", 0)
    if kind not in DEVICES:
        problems.append(Problem("device.kind", f"no device '{kind}' - {advice(str(kind), DEVICES)}"))
        return Device("cpu")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        problems.append(Problem("device.index", f"must be a whole number of at least 0, got {index!r}"))
        return Device(kind)
    problem = gpu_problem(index) if kind == "gpu" else None
    if problem is not None:
        problems.append(Problem("device", f"no gpu({index}): {problem}"))
    return Device(kind, index)


def _parse_snapshot(options: dict[str, Any], problems: list[Problem]) -> formats.Format | None:
    for key in options:
        if key != "kind":
            problems.append(Problem(f"snapshot.{key}", f"no such key - {advice(key, ('kind',))}"))
    kind = options.get("kind")
    if kind not in SNAPSHOTS:
        problems.append(Problem("snapshot.kind", f"no snapshot format '{kind}' - {advice(str(kind), SNAPSHOTS)}"))
        return None
    return None if kind == "none" else formats.get(kind)


def _sample_shape(model: ModelSpec, data: Data | None, resolved: dict[str, Any], problems: list[Problem]) -> tuple[int, ...] | None:
    """The shape of one sample, from the model or else from data that knows its own."""
    if data is None or any(problem.place == "model.input" for problem in problems):
        return None
    if model.input is None and resolved.get("init_mode") == "eager":
        said = "is not declared - eager mode infers all shapes from it: give the shape of one sample, or use init_mode=deferred"
        problems.append(Problem("model.input", said))
        return None
    try:
        shape = data.sample_shape(model.input)
    except ValueError as error:
        problems.append(Problem("data", str(error).removeprefix("kind ")))
        return None
    if shape is None:
        said = f"is not declared, and data '{data.kind}' has no shape of its own - give the shape of one sample"
        problems.append(Problem("model.input", said))
    return shape


def _plan(
    resolved: dict[str, Any], model: ModelSpec, initializer: init.Initializer, parts: dict[str, Any], sample: tuple[int, ...]
) -> Plan:
    batch_shape = (parts["data"].batch, *sample)
    problems = check_shapes(model, resolved["dtype"], initializer, batch_shape)
    if problems:
        raise ConfigError(problems)
    network = build(model, resolved["dtype"], initializer)
    output = infer_shapes(network, batch_shape)
    _check_sizes(network, batch_shape)
    plan = make_plan(network, output, initializer, resolved["seed"])
    data = parts["data"]
    wrong = parts["probe"].check(tuple(output), data.classes, (data.batch, *data.label_shape(sample)))
    if wrong is not None:
        raise ConfigError.of("probe", wrong)
    return plan


def _check_sizes(network: Network, batch_shape: tuple[int, ...]) -> None:
    """ConfigError for arrays that no machine can address."""
    problems = []
    if math.prod(batch_shape) * 8 > LARGEST_ARRAY:
        problems.append(Problem("data.batch", f"{batch_shape[0]} samples have more bytes than any array can hold"))
    for path, parameter in network.owners.items():
        if math.prod(parameter.shape) * 8 > LARGEST_ARRAY:
            place = network.places.get(path.rpartition(".")[0], "model")
            problems.append(Problem(place, f"'{path}' of shape {tuple(parameter.shape)} has more bytes than any array can hold"))
    if problems:
        raise ConfigError(problems)
