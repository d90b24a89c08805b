"""Validation: a resolved config becomes a `RunConfig`, or one error with all problems.

Hydra has checked option names and simple types. Here values, the model, and dependences between
parts are checked.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from initlab.engine import formats, init, streams
from initlab.engine.device import Device
from initlab.runner.config.identity import Declaration
from initlab.runner.data import Data
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.evidence.shard import Shard
from initlab.runner.excerpt import counted
from initlab.runner.json_values import JSON
from initlab.runner.measures import Measure
from initlab.runner.plan.feeding import check_feeding, check_labels
from initlab.runner.plan.form import Form, form_declared
from initlab.runner.plan.model import ModelSpec
from initlab.runner.plan.network import Network, build_twin
from initlab.runner.plan.parts import Parts, mapping_at, parse_group, parse_parts, parse_tracker
from initlab.runner.plan.root import Root, check_made
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan, make_plan
from initlab.runner.plan.semantics import note_defaults
from initlab.runner.plan.shards import aliases_of, rows_of
from initlab.runner.plan.sketch import sketch
from initlab.runner.plan.streamable import check_data_scaled, check_one_pass, scaled_by_data
from initlab.runner.probes import Probe
from initlab.runner.stats import Statistic
from initlab.runner.trackers import Tracker

if TYPE_CHECKING:
    from initlab.runner.claims.claim import Claim

UNTRACKED = {"kind": "none"}
LARGEST_ARRAY = 2**63 - 1
"""The largest size of an array in bytes that can be addressed."""


@dataclass(repr=False)
class RunConfig:
    """A valid config: every part as an object, and the declaration they came from."""

    seed: int
    stream: str
    semantics: str
    name: str
    dtype: str
    init_mode: str
    task: str
    resume: bool
    diagnose: bool
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
    form: Form
    layers: dict[str, tuple[int, ...] | None]
    """Path -> output shape of the layers that are measured, in the order of the network; None if
    the output is not a single array.
    """
    claims: list[Claim]
    show: tuple[str, ...]
    """The sections that are printed; no part of the run."""
    fold: bool
    """Whether repeated blocks are printed as one line; no part of the run."""
    timeout: float | None
    """The seconds that the run may take; None without a limit."""
    threads: int | None
    """The number of threads; None for the number of processors."""
    shard: Shard | None
    declaration: Declaration

    def __repr__(self) -> str:
        return f"RunConfig({self.run_id}: {counted(len(self.plan.rows), 'parameter')})"

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The owners that this run draws: all, or those of its shard."""
        return rows_of(self.plan, self.shard)

    @cached_property
    def sketch(self) -> dict[str, object]:
        """A sketch of the run's `stats.json`, with a placeholder for each value."""
        measures, statistics = self.measure.values(), self.stats.values()
        return sketch(self.rows, self.layers, self.probe, measures, statistics)

    @property
    def aliases(self) -> dict[str, str]:
        """{alias: owner} for the owners that this run draws."""
        return self.plan.aliases if self.shard is None else aliases_of(self.plan, self.rows)

    @property
    def resolved(self) -> dict[str, JSON]:
        """The resolved config as plain mappings."""
        return self.declaration.resolved

    @property
    def canonical(self) -> dict[str, JSON]:
        """The part of the config that identifies the run."""
        return self.declaration.canonical

    @property
    def run_id(self) -> str:
        """The id that names the run's folder."""
        return self.declaration.run_id


def validate(declaration: Declaration, finished: bool = False) -> RunConfig:
    """Return the declared run, planned; with `finished`, one that was made before, perhaps by a
    version that refused less. Raises ConfigError with all problems.
    """
    resolved = declaration.resolved
    resolved.setdefault("stream", streams.VERSION)
    resolved.setdefault("tracker", dict(UNTRACKED))
    resolved.setdefault("measure", {})
    root, parts = parse_parts(resolved)
    if finished and "mode" not in mapping_at(resolved, "probe"):
        parts.probe.mode = None
    if not finished:
        check_mode(parts.probe, parts.measure.values())
    with streams.using(root.stream):
        plan, form, layers = _plan(root, parts, finished)
    _check_shard(plan, parts.shard)
    check_data_scaled(plan, root.init_mode)
    if root.init_mode == "streamed" and parts.snapshot is None:
        check_one_pass(plan, parts.stats)
    run = RunConfig(
        **vars(root), **vars(parts), plan=plan, form=form, layers=layers, declaration=declaration
    )
    check_objective(run)
    return run


def check_mode(probe: Probe, measures: Iterable[Measure]) -> None:
    """Raise ConfigError if a mode is chosen for a run that measures no layers."""
    if probe.former is not None or any(measure.watches for measure in measures):
        return
    chosen = "dropout" if probe.dropout else "mode" if probe.mode != "train" else None
    if chosen is not None:
        why = (
            "the training of probe=train is in train mode with dropout"
            if probe.kind == "train"
            else "neither the probe nor a measurement looks at layers"
        )
        said = f"has no effect: {why} - leave it out, or choose measure=[layers]"
        raise ConfigError.of(f"probe.{chosen}", said)


def check_objective(run: RunConfig) -> None:
    """Raise ConfigError if the objective is known not to be a number of the run."""
    if run.resolved.get("objective") is None:
        return
    from initlab.runner.config.objective import parse_objective

    objective = parse_objective(run.resolved["objective"])
    if objective is not None:
        objective.check(run.resolved, run.sketch)


def revalidate(plain: Mapping[str, JSON], complete: bool = False) -> RunConfig:
    """Return the run that a manifest's `config` declares, without its tracker.

    The run was tracked already, and this machine may lack the tracker's library. A config of an
    older version may lack keys, and its claims and objective are not looked at; with `complete` it
    must be one that a run was made from. Raises ConfigError like `validate`.
    """
    judged: dict[str, JSON] = {"expect": [], "control": [], "objective": None}
    if complete:
        judged = {}
        problems = Problems()
        with problems.under():
            check_made(plain)
        with problems.under("tracker"):
            parse_group("tracker", mapping_at(plain, "tracker"))
        problems.raise_any()
    given = Declaration(copy.deepcopy({**plain, "tracker": UNTRACKED, **judged}))
    return validate(given, finished=True)


def tracker_of(resolved: Mapping[str, object]) -> Tracker:
    """Return the tracker of a resolved config, without checking the rest of it.

    Raises ConfigError if the tracker cannot be used.
    """
    problems = Problems()
    with problems.under("tracker"):
        tracker = parse_tracker(mapping_at(resolved, "tracker"))
    problems.raise_any()
    return tracker


def _check_shard(plan: Plan, shard: Shard | None) -> None:
    """Raise ConfigError if the plan cannot be divided into so many parts."""
    if shard is None:
        return
    try:
        rows_of(plan, shard)
    except ValueError as error:
        raise ConfigError.of("shard", str(error)) from None


def _plan(
    root: Root, parts: Parts, finished: bool
) -> tuple[Plan, Form, dict[str, tuple[int, ...] | None]]:
    """Return the plan, the form of the network, and the output shapes of the layers that are measured."""
    data, sample = parts.data, parts.sample_shape
    batch_shape = (data.batch, *sample)
    watched = parts.probe.kind != "none" or any(one.watches for one in parts.measure.values())
    if watched and not finished:
        check_feeding(parts.model.layers, data)
    network, output = build_twin(parts.model, root.dtype, batch_shape)
    whole = next((spec for spec in parts.model.layers if spec.layer.model), None)
    if whole is not None and root.semantics != "initlab" and not finished:
        said = f"is for declared layers: {whole.layer.kind} is a PyTorch model, whose rules are those of"
        raise ConfigError.of("semantics", f"{said} initlab.torch.roles - leave it out")
    note_defaults(network, root.semantics, parts.init)
    _check_sizes(network, batch_shape)
    plan = make_plan(network, output, parts.init, root.seed, finished=finished)
    if not watched and not finished and scaled_by_data(plan) is not None:
        check_feeding(parts.model.layers, data)
    problems = Problems()
    given = tuple(output), data.classes, (data.batch, *data.label_shape(sample))
    with problems.under("probe"):
        parts.probe.check(*given)
        _check_learning(network, parts.probe, finished)
    for name, measure in parts.measure.items():
        with problems.under(f"measure.{name}"):
            measure.check(*given, data.whole_numbers)
    problems.raise_any()
    if watched and not finished:
        check_labels(data, tuple(output), given[2])
    form = form_declared(network, {row.path: row for row in plan.rows})
    return plan, form, {path: network.shapes.get(path) for path in network.measured}


def _check_learning(network: Network, probe: Probe, finished: bool) -> None:
    """Raise ConfigError for a training of a network that is frozen whole."""
    parameters = network.owners.values()
    learns = any(parameter.grad_req != "null" for parameter in parameters)
    if probe.kind == "train" and not (learns or finished) and any(p.frozen for p in parameters):
        raise ConfigError.of("", "train has nothing to train: every parameter is frozen")


def _check_sizes(network: Network, batch_shape: tuple[int, ...]) -> None:
    """Raise ConfigError for arrays too large for any machine to address."""
    problems = Problems()
    if math.prod(batch_shape) * 8 > LARGEST_ARRAY:
        problems.add(
            "data.batch", f"{batch_shape[0]} samples have more bytes than any array can hold"
        )
    for path, parameter in network.owners.items():
        if math.prod(parameter.shape) * 8 > LARGEST_ARRAY:
            place = network.places.get(path.rpartition(".")[0], "model")
            problems.add(
                place,
                f"'{path}' of shape {tuple(parameter.shape)} has more bytes than any array can hold",
            )
    problems.raise_any()
