"""From a resolved config to a `RunConfig`: everything is checked, and everything wrong is said at
once.

Hydra has checked the names of options and simple types; here come values, the model, and what one
part needs of another.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from initlab.engine import dtypes, formats, init, streams
from initlab.engine.device import Device, dtype_problem, gpu_problem
from initlab.engine.errors import MXNetError
from initlab.engine.registry import advice
from initlab.runner.claims.claim import Claim, parse_claims
from initlab.runner.config.identity import Declaration
from initlab.runner.config.objective import parse_objective
from initlab.runner.config.schema import Config, kinds
from initlab.runner.data import Data
from initlab.runner.errors import ConfigError, Problem
from initlab.runner.evidence.shard import Shard
from initlab.runner.evidence.shard import parse as parse_shard
from initlab.runner.measures import Measure
from initlab.runner.plan.model import ModelSpec, construct, parse_initializer, parse_model
from initlab.runner.plan.network import Network, build_twin
from initlab.runner.plan.rows import Plan, Row, make_plan
from initlab.runner.plan.shards import aliases_of, rows_of
from initlab.runner.plan.sketch import sketch
from initlab.runner.plan.streamable import check_data_scaled, check_one_pass, check_streamed
from initlab.runner.probes import Probe
from initlab.runner.stats import Statistic
from initlab.runner.trackers import Tracker

STREAMS = streams.VERSIONS
LARGEST_MXNET_SEED = 2**32 - 1
DTYPES = ("float32", "float16", "float64", "bfloat16")
INIT_MODES = ("deferred", "eager", "streamed")
TASKS = ("run", "plan")
ON_ERROR = ("continue", "stop")
REPORTS = ("none", "sweep", "all")
DEVICES = ("cpu", "gpu")
UNTRACKED = {"kind": "none"}
LARGEST_SEED = 2**64 - 1
LARGEST_ARRAY = 2**63 - 1
"""Bytes, of any array; whether there is as much memory is seen when it is asked for."""


@dataclass
class RunConfig:
    """A config that can be run: every part an object, and the declaration they came from."""

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
    measure: dict[str, Measure]
    tracker: Tracker
    sample_shape: tuple[int, ...]
    plan: Plan
    layers: tuple[str, ...]
    """Paths of the layers that hold no other, in the order of the network."""
    claims: list[Claim]
    threads: int | None
    """How many threads share the work; None for as many as there are processors."""
    shard: Shard | None
    declaration: Declaration

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The owners that this run draws: all, or those of its shard."""
        return rows_of(self.plan, self.shard)

    @cached_property
    def sketch(self) -> dict[str, Any]:
        """What the run's `stats.json` will hold, as far as that is known before it."""
        measures, statistics = self.measure.values(), self.stats.values()
        return sketch(self.rows, self.layers, self.probe, measures, statistics)

    @property
    def aliases(self) -> dict[str, str]:
        """Alias -> owner, for the owners that this run draws."""
        return self.plan.aliases if self.shard is None else aliases_of(self.plan, self.rows)

    @property
    def resolved(self) -> dict[str, Any]:
        """The plain mapping that the parts came from."""
        return self.declaration.resolved

    @property
    def canonical(self) -> dict[str, Any]:
        """The part of it that identifies the run."""
        return self.declaration.canonical

    @property
    def run_id(self) -> str:
        """The id its folder is named by."""
        return self.declaration.run_id


def validate(declaration: Declaration) -> RunConfig:
    """The run that is declared, planned. ConfigError with every problem found."""
    resolved = declaration.resolved
    resolved.setdefault("stream", streams.VERSION)
    resolved.setdefault("tracker", dict(UNTRACKED))
    problems: list[Problem] = []
    claims = check_root(resolved, problems)
    model = parse_model(_mapping(resolved, "model", problems), problems)
    parts = {group: _parse_kind(group, resolved, problems) for group in ("data", "probe")}
    initializer = parse_initializer(resolved.get("init"), "init", problems)
    stats = _parse_several("stats", resolved, problems)
    resolved.setdefault("measure", {})
    measures = _parse_several("measure", resolved, problems)
    tracker = _parse_tracker(resolved, problems)
    shard = _parse_shard(resolved, problems)
    device = _parse_device(
        _mapping(resolved, "device", problems), str(resolved.get("dtype")), problems
    )
    snapshot = _parse_snapshot(resolved, problems)
    sample = _sample_shape(model, parts["data"], resolved, problems)
    if resolved.get("init_mode") == "streamed":
        check_streamed(resolved, problems)
    if problems or sample is None:
        raise ConfigError(problems)
    with streams.using(resolved["stream"]):
        plan, layers = _plan(resolved, model, initializer, parts, sample, measures)
    _check_parts(plan, shard)
    check_data_scaled(plan, resolved["init_mode"])
    if resolved["init_mode"] == "streamed" and snapshot is None:
        check_one_pass(plan, stats)
    run = RunConfig(
        stream=resolved["stream"],
        seed=resolved["seed"],
        name=resolved["name"],
        dtype=resolved["dtype"],
        init_mode=resolved["init_mode"],
        task=resolved["task"],
        resume=resolved.get("resume", False),
        model=model,
        init=initializer,
        device=device,
        snapshot=snapshot,
        stats=stats,
        measure=measures,
        tracker=tracker,
        sample_shape=sample,
        plan=plan,
        layers=layers,
        claims=claims,
        threads=resolved.get("threads"),
        shard=shard,
        declaration=declaration,
        **parts,
    )
    check_objective(run)
    return run


def check_objective(run: RunConfig) -> None:
    """ConfigError for an objective that is no number of the run, as far as that is known before."""
    objective = parse_objective(run.resolved.get("objective"), [])
    if objective is not None:
        objective.check(run.resolved, run.sketch)


def revalidate(plain: dict[str, Any]) -> RunConfig:
    """The run that a manifest's `config` declares, untracked: what was tracked is, and this machine
    may lack the library.

    ConfigError as from `validate`.
    """
    judged: dict[str, Any] = {"expect": [], "control": [], "objective": None}
    return validate(Declaration(copy.deepcopy({**plain, "tracker": UNTRACKED, **judged})))


def _or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _mapping(resolved: dict[str, Any], key: str, problems: list[Problem]) -> dict[str, Any]:
    value = resolved.get(key)
    if isinstance(value, dict):
        return value
    problems.append(
        Problem(key, f"must be a mapping, got {value!r} - choose an option of the group: {key}=…")
    )
    return {}


def seed_problems(resolved: dict[str, Any]) -> list[Problem]:
    """What is wrong with the seed of a resolved config."""
    seed, stream = resolved.get("seed"), resolved.get("stream")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        return [Problem("seed", f"must be a whole number from 0 to 2^64-1, got {seed!r}")]
    if stream in STREAMS and stream != streams.VERSION and seed > LARGEST_MXNET_SEED:
        said = f"must be a whole number from 0 to 2^32-1 with stream {stream}, got {seed!r}"
        return [Problem("seed", said)]
    return []


def check_root(resolved: dict[str, Any], problems: list[Problem]) -> list[Claim]:
    """Note what is wrong with the plain keys of a resolved config; gives its claims."""
    known = list(Config.__dataclass_fields__)
    for key in resolved:
        if key not in known:
            problems.append(Problem(key, f"no such key - {advice(key, known)}"))
    problems += seed_problems(resolved)
    name = resolved.get("name")
    if not isinstance(name, str) or not name or name in (".", "..") or set(name) & set("/\\\0"):
        problems.append(Problem("name", f"must be one path component, got {name!r}"))
    for key in ("resume", "dry_run"):
        if not isinstance(resolved.get(key, False), bool):
            problems.append(Problem(key, f"must be true or false, got {resolved.get(key)!r}"))
    if resolved.get("report", "none") not in REPORTS:
        problems.append(
            Problem(
                "report",
                f"cannot be {resolved['report']!r} - {advice(str(resolved['report']), REPORTS)}",
            )
        )
    _check_sweep(resolved.get("sweep"), problems)
    claims = _check_experiment(resolved, problems)
    parse_objective(resolved.get("objective"), problems)
    threads = resolved.get("threads")
    if threads is not None and (
        isinstance(threads, bool) or not isinstance(threads, int) or threads < 1
    ):
        problems.append(
            Problem(
                "threads",
                f"must be a whole number of at least 1, or null for all processors, got {threads!r}",
            )
        )
    stream = resolved.get("stream")
    for key, allowed in (
        ("stream", STREAMS),
        ("dtype", DTYPES),
        ("init_mode", INIT_MODES),
        ("task", TASKS),
    ):
        if resolved.get(key) not in allowed:
            problems.append(
                Problem(
                    key,
                    f"cannot be {resolved.get(key)!r} - {advice(str(resolved.get(key)), allowed)}",
                )
            )
    drawn = streams.DTYPES.get(str(stream), DTYPES)
    if resolved.get("dtype") in DTYPES and resolved["dtype"] not in drawn:
        problems.append(
            Problem(
                "dtype",
                f"{resolved['dtype']} is not specified in stream {stream} - use {_or(drawn)}",
            )
        )
    elif resolved.get("dtype") in DTYPES:
        try:
            dtypes.resolve(resolved["dtype"])
        except MXNetError as error:
            problems.append(Problem("dtype", str(error)))
    return claims


def _check_experiment(resolved: dict[str, Any], problems: list[Problem]) -> list[Claim]:
    """Note what is wrong with the declared numbers, with claims, and with the words that must
    refute them; gives the claims.
    """
    if not isinstance(resolved.get("vars", {}), dict):
        problems.append(
            Problem("vars", f"must be a mapping of names to values, got {resolved['vars']!r}")
        )
    claims = parse_claims(resolved.get("expect"), problems)
    control = resolved.get("control") or []
    if not isinstance(control, list) or not all(
        isinstance(words, str) and words.strip() for words in control
    ):
        problems.append(
            Problem("control", f'must be a list of words like "init=normal", got {control!r}')
        )
    return claims


def _check_sweep(options: Any, problems: list[Problem]) -> None:
    """Note what is wrong with how a sweep is to be run; what it varies is checked where it is
    expanded.
    """
    if options is None:
        return  # a config of an older manifest
    if not isinstance(options, dict):
        problems.append(
            Problem(
                "sweep",
                f"must be a mapping, got {options!r} - choose an option of the group: sweep=…",
            )
        )
        return
    if options.get("on_error") not in ON_ERROR:
        said = f"cannot be {options.get('on_error')!r} - {advice(str(options.get('on_error')), ON_ERROR)}"
        problems.append(Problem("sweep.on_error", said))
    retries = options.get("retries")
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        problems.append(
            Problem("sweep.retries", f"must be a whole number of at least 0, got {retries!r}")
        )


def _parse_kind(group: str, resolved: dict[str, Any], problems: list[Problem]) -> Any:
    before = len(problems)
    options = dict(_mapping(resolved, group, problems))
    return _of_kind(group, options, group, problems) if len(problems) == before else None


def _of_kind(group: str, options: dict[str, Any], place: str, problems: list[Problem]) -> Any:
    kind = options.pop("kind", None)
    known = kinds(group)
    if not (isinstance(kind, str) and kind in known):
        problems.append(
            Problem(f"{place}.kind", f"no {group} '{kind}' - {advice(str(kind), known)}")
        )
        return None
    return construct(known[kind], options, place, f"{group} {kind}", problems)


def _parse_several(group: str, resolved: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The objects of a group of which a run takes several, by the names they have in the config."""
    chosen = {}
    for name, options in _mapping(resolved, group, problems).items():
        if not isinstance(options, dict):
            problems.append(Problem(f"{group}.{name}", f"must be a mapping, got {options!r}"))
            continue
        chosen[name] = _of_kind(group, dict(options), f"{group}.{name}", problems)
    return chosen


def tracker_of(resolved: dict[str, Any]) -> Tracker:
    """The tracker of a resolved config, of which nothing else is looked at. ConfigError unless it
    can be used.
    """
    problems: list[Problem] = []
    tracker: Tracker = _parse_tracker(resolved, problems)
    if problems:
        raise ConfigError(problems)
    return tracker


def _parse_tracker(resolved: dict[str, Any], problems: list[Problem]) -> Any:
    tracker = _parse_kind("tracker", resolved, problems)
    missing = None if tracker is None else tracker.missing()
    if missing is not None:
        problems.append(Problem("tracker", missing))
    return tracker


def _parse_shard(resolved: dict[str, Any], problems: list[Problem]) -> Shard | None:
    text = resolved.get("shard")
    if text is None:
        return None
    try:
        shard = parse_shard(text)
    except ValueError as error:
        problems.append(Problem("shard", str(error)))
        return None
    if resolved.get("init_mode") != "streamed":
        said = (
            "is for init_mode=streamed, which never holds a model whole, got "
            f"init_mode={resolved.get('init_mode')}"
        )
        problems.append(Problem("shard", f"{said} - add init_mode=streamed"))
    return shard


def _check_parts(plan: Plan, shard: Shard | None) -> None:
    """ConfigError for a plan that cannot be cut into so many parts."""
    if shard is None:
        return
    try:
        rows_of(plan, shard)
    except ValueError as error:
        raise ConfigError.of("shard", str(error)) from None


def _parse_device(options: dict[str, Any], dtype: str, problems: list[Problem]) -> Device:
    for key in options:
        if key not in ("kind", "index"):
            problems.append(
                Problem(f"device.{key}", f"no such key - {advice(key, ('kind', 'index'))}")
            )
    kind, index = options.get("kind"), options.get("index", 0)
    if kind not in DEVICES:
        problems.append(
            Problem("device.kind", f"no device '{kind}' - {advice(str(kind), DEVICES)}")
        )
        return Device("cpu")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        problems.append(
            Problem("device.index", f"must be a whole number of at least 0, got {index!r}")
        )
        return Device(kind)
    problem = gpu_problem(index) if kind == "gpu" else None
    if problem is not None:
        problems.append(Problem("device", f"no gpu({index}): {problem}"))
    elif (lacking := dtype_problem(Device(kind, index), dtype)) is not None:
        problems.append(Problem("dtype", lacking))
    return Device(kind, index)


def _parse_snapshot(resolved: dict[str, Any], problems: list[Problem]) -> formats.Format | None:
    chosen = _parse_kind("snapshot", resolved, problems)
    return chosen if isinstance(chosen, formats.Format) else None


def _sample_shape(
    model: ModelSpec, data: Data | None, resolved: dict[str, Any], problems: list[Problem]
) -> tuple[int, ...] | None:
    """The shape of one sample, from the model or else from data that knows its own."""
    if data is None or any(problem.place == "model.input" for problem in problems):
        return None
    mode = resolved.get("init_mode")
    if model.input is None and mode in ("eager", "streamed"):
        said = (
            f"is not declared - {mode} mode infers all shapes from it: give the shape of one sample, or "
            "use init_mode=deferred"
        )
        problems.append(Problem("model.input", said))
        return None
    try:
        shape = data.sample_shape(model.input)
    except ValueError as error:
        problems.append(Problem("data", str(error).removeprefix("kind ")))
        return None
    if shape is None:
        said = (
            f"is not declared, and data '{data.kind}' has no shape of its own - give the shape of "
            "one sample"
        )
        problems.append(Problem("model.input", said))
    return shape


def _plan(
    resolved: dict[str, Any],
    model: ModelSpec,
    initializer: init.Initializer,
    parts: dict[str, Any],
    sample: tuple[int, ...],
    measures: dict[str, Measure],
) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and the paths of the layers that hold no other."""
    batch_shape = (parts["data"].batch, *sample)
    network, output = build_twin(model, resolved["dtype"], initializer, batch_shape)
    _check_sizes(network, batch_shape)
    plan = make_plan(network, output, initializer, resolved["seed"])
    data = parts["data"]
    wrong = parts["probe"].check(
        tuple(output), data.classes, (data.batch, *data.label_shape(sample))
    )
    if wrong is not None:
        raise ConfigError.of("probe", wrong)
    wanted = (
        tuple(output),
        data.classes,
        (data.batch, *data.label_shape(sample)),
        data.whole_numbers,
    )
    refused = [(name, measure.check(*wanted)) for name, measure in measures.items()]
    problems = [Problem(f"measure.{name}", said) for name, said in refused if said is not None]
    if problems:
        raise ConfigError(problems)
    return plan, tuple(network.leaves)


def _check_sizes(network: Network, batch_shape: tuple[int, ...]) -> None:
    """ConfigError for arrays that no machine can address."""
    problems = []
    if math.prod(batch_shape) * 8 > LARGEST_ARRAY:
        problems.append(
            Problem(
                "data.batch", f"{batch_shape[0]} samples have more bytes than any array can hold"
            )
        )
    for path, parameter in network.owners.items():
        if math.prod(parameter.shape) * 8 > LARGEST_ARRAY:
            place = network.places.get(path.rpartition(".")[0], "model")
            problems.append(
                Problem(
                    place,
                    f"'{path}' of shape {tuple(parameter.shape)} has more bytes than any array can hold",
                )
            )
    if problems:
        raise ConfigError(problems)
