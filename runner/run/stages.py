"""The stages of one run: initialize, check the ledger, snapshot, probe, measure, write the
manifest, print.

`runner.plan.validate` has checked the whole config before. The old manifest of the folder is
removed first and the new one written last, so a manifest never describes files of another run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from initlab.engine import autograd, laws, nd, streams
from initlab.engine.device import is_shortage
from initlab.runner.config import plugins
from initlab.runner.errors import MemoryShortage, TimedOut
from initlab.runner.evidence import manifest, snapshot
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.folder import Origin, RunFolder
from initlab.runner.evidence.manifest import Digests, Manifest, UsedPlugin
from initlab.runner.evidence.provenance import Provenance, now
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.evidence.verdict import judge
from initlab.runner.files import locked, storage_errors
from initlab.runner.measures import Findings, Measure
from initlab.runner.observation.tree import host
from initlab.runner.plan import ledger
from initlab.runner.plan.feeding import check_batch
from initlab.runner.plan.network import Network, build, infer_shapes
from initlab.runner.plan.semantics import note_defaults
from initlab.runner.plan.shards import paths_of
from initlab.runner.plan.streamable import scaled_by_data
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes import Subject, Trace
from initlab.runner.progress import Report, steps_of, unheard
from initlab.runner.run import diagnosing, rescale, streamed
from initlab.runner.run.constructing import construct
from initlab.runner.run.diagnosing import subject_of as subject_of
from initlab.runner.run.limit import Hung, Limit, limited
from initlab.runner.run.repeated import said_of_changes
from initlab.runner.stats import meter
from initlab.runner.terminal.sections import Results, print_run, remarks_on

LOG = logging.getLogger("runner")


@dataclass(frozen=True)
class Outcome:
    """The result of a run: its folder, its root digest, and whether it was finished before and
    skipped. `changed` says what is not as in the run of the same config that was there before.
    """

    folder: Path
    root: str
    resumed: bool
    changed: str | None = None


def initialize(config: RunConfig) -> tuple[Network, ledger.Ledger]:
    """Return the network with all parameters drawn once, as planned, and the ledger of it.

    Eager mode infers all shapes and draws at `initialize()`. Deferred mode leaves unknown shapes to
    one forward pass in predict mode on the declared input. In MXNet's streams, which depend on the
    order of draws, the two modes give different values. torch draws when a layer is made, so in its
    stream both modes infer all shapes first.
    """
    with streams.using(config.stream):
        return _initialize(config)


def _initialize(config: RunConfig) -> tuple[Network, ledger.Ledger]:
    network = build(config.model, config.dtype)
    shape = (config.data.batch, *config.sample_shape)
    torchs = config.semantics == "torch" or config.stream == streams.TORCH
    streams.seed(config.seed)
    with ledger.recording() as record:
        if config.init_mode == "eager" or torchs:
            infer_shapes(network, shape)
        note_defaults(network, config.semantics, config.init)
        if network.constructors and config.stream == streams.TORCH:
            construct(network, config.init, config.device)
        else:
            network.root.initialize(config.init, ctx=config.device, root="")
        if config.init_mode == "deferred":
            with autograd.predict_mode(), np.errstate(all="ignore"):
                network.root(nd.zeros(shape, ctx=config.device, dtype=config.dtype))
    ledger.check(record, config.plan)
    multiply_rates(config, network)
    if scaled_by_data(config.plan) is not None:
        rescale.rescale(network, config.plan, subject_of(config, network))
    return network, record


def multiply_rates(config: RunConfig, network: Network) -> None:
    """Set the learning-rate multiplier of each parameter to that of its row."""
    for row in config.plan.owners:
        network.owners[row.path].lr_mult = row.lr_mult


def host_values(network: Network) -> dict[str, np.ndarray]:
    """Return {path: values in host memory} of all parameters that are not aliases."""
    return {path: parameter.data().asnumpy() for path, parameter in network.owners.items()}


def held_values(network: Network) -> dict[str, np.ndarray]:
    """Return the same without a copy of what is in host memory: these change with the network."""
    return {path: host(parameter.data()) for path, parameter in network.owners.items()}


def check_unchanged(config: RunConfig) -> None:
    """Raise LawError if a file that values were loaded from is no longer as it was."""
    loaded = {row.law.file: row.law for row in config.rows if isinstance(row.law, laws.Loaded)}
    for law in loaded.values():
        law.check_unchanged()


def measure(
    config: RunConfig, values: dict[str, np.ndarray], network: Network | None = None
) -> dict[str, dict[str, object]]:
    """Return {path: the figures of every chosen statistic}.

    `network` has the same values; what its device can measure is measured there.
    """
    stats = list(config.stats.values())
    owners = {} if network is None else network.owners
    arrays = {path: parameter.data() for path, parameter in owners.items()}
    there = {path: (array._raw, array.device) for path, array in arrays.items()}
    return {
        row.path: meter.measure(stats, row, values[row.path], there.get(row.path))
        for row in config.rows
    }


def check_tokens(config: RunConfig) -> None:
    """Raise ConfigError if data that does not say how many token numbers it has gives one that a
    table of the network has no row for.
    """
    if config.data.whole_numbers and config.data.numbers is None:
        batch = config.data.load(config.sample_shape, config.seed)
        check_batch(config.model.layers, config.data, batch.inputs)


def probe(
    config: RunConfig, network: Network, report: Report = unheard
) -> tuple[Trace, dict[str, list[dict[str, object]]]]:
    """Run the chosen measurements on the first values, then the probe, which tells `report` how far
    it has come.

    Returns the probe's trace, and the sections of the measurements.
    """
    subject = replace(subject_of(config, network), report=report)
    sections = sections_of(config, subject)
    # An overflow in the network is a result to report, not an error.
    with streams.using(config.stream), np.errstate(all="ignore"):
        trace = config.probe.measure(subject)
    trace.layers = merged(trace.layers, sections.pop("layers", []))
    return trace, sections


def sections_of(config: RunConfig, subject: Subject) -> dict[str, list[dict[str, object]]]:
    """Return the sections of the chosen measurements."""
    sections: dict[str, list[dict[str, object]]] = {}
    for measure in config.measure.values():
        for section, rows in measured(measure, subject).items():
            sections[section] = merged(sections.get(section, []), rows)
    return sections


def examine(
    config: RunConfig, network: Network | None, report: Report = unheard
) -> tuple[Trace, dict[str, list[dict[str, object]]], Diagnosis | None]:
    """Observe the network, measure it, and run the probe, which tells `report` how far it has come.

    Returns the probe's trace, the sections of the measurements, and the diagnosis.
    """
    if network is None:
        return Trace(), {}, None
    seen = diagnosing.observed(config, network)
    trace, sections = probe(config, network, report)
    return trace, sections, diagnosing.judged(config, seen, trace, sections)


def measured(measure: Measure, subject: Subject) -> Findings:
    """Return the findings of a measurement.

    It draws random values, for dropout, from its own stream, so that the probe's values do not
    depend on it.
    """
    own = streams.Stream(streams.Key(subject.seed, f"@{measure.kind}/ambient"))
    with streams.using(streams.VERSION), streams.scope(own), np.errstate(all="ignore"):
        return measure.measure(subject)


def merged(
    rows: Sequence[Mapping[str, object]], more: list[dict[str, object]]
) -> list[dict[str, object]]:
    """Join rows of the same path into one with the columns of both; other rows are appended."""
    by_path = {row["path"]: row for row in more}
    joined = [{**row, **by_path.pop(row["path"], {})} for row in rows]
    return [*joined, *by_path.values()]


@dataclass(frozen=True)
class Initialized:
    """The result of the first stages: digests, the snapshot's name, the figures of all parameters,
    and a network to probe.
    """

    digests: Digests
    kept: str | None
    rows: dict[str, dict[str, object]]
    network: Network | None
    filled: dict[str, int]


def execute(
    config: RunConfig, folder: Path, origin: Origin, out: Console, hung: Hung | None = None
) -> Outcome:
    """Run `config` into `folder`; `origin` is what the run came from, and `hung` says what happens if
    it does not end when its time is over.

    Raises StorageError if the folder cannot be written or another process is writing it,
    MemoryShortage if the values do not fit, and TimedOut.
    """
    if config.resume:
        before = RunFolder(folder).finished_as(config.canonical)
        if before is not None:
            said = f"finished before: {folder}  root {before.digests.root[:16]}"
            out.print(said, markup=False, soft_wrap=True)
            return Outcome(folder, before.digests.root, True)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            try:
                return execute_locked(config, folder, origin, out, hung=hung)
            except TimedOut as error:
                said = f"{folder}: {error} - give it more, or leave timeout out"
                raise TimedOut(said) from error


def execute_locked(
    config: RunConfig,
    folder: Path,
    origin: Origin,
    out: Console,
    report: Report | None = None,
    former: Manifest | None = None,
    hung: Hung | None = None,
) -> Outcome:
    """Run `config` into a folder that this process has locked. Existing files are replaced.

    `report` is told how far a long probe has come; by default its progress is shown, unless `out`
    is quiet. `former` is the manifest that was there, if it was removed already. `hung` says what
    happens if the run does not end when its time is over. Raises TimedOut.
    """
    size = sum(row.bytes for row in config.rows)
    with storage_errors(folder, size), using_threads(config.threads):
        try:
            with limited(config.timeout, hung) as limit:
                return _execute(config, RunFolder(folder), origin, out, report, former, limit)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            raise MemoryShortage.of(error, str(config.device)) from error


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Set the number of threads inside a `with`; None leaves it unchanged."""
    before = streams.threads()
    streams.threads(threads if threads is not None else before)
    try:
        yield
    finally:
        streams.threads(before)


def _execute(
    config: RunConfig,
    run: RunFolder,
    origin: Origin,
    out: Console,
    report: Report | None,
    former: Manifest | None,
    limit: Limit,
) -> Outcome:
    started, begun = time.perf_counter(), now()
    check_tokens(config)
    former = run.begin() or former
    with run.logged():
        LOG.info(
            "run %s: seed %s, %s, %s", config.run_id, config.seed, config.dtype, config.init_mode
        )
        run.write_hydra(origin.hydra_files)
        run.write_plan(config.plan.describe())
        made = (
            _streamed(config, run, out.quiet)
            if config.init_mode == "streamed"
            else _in_memory(config, run)
        )
        check_unchanged(config)
        with steps_of(f"probe {config.probe.kind}", out.quiet) as shown:
            trace, sections, diagnosis = examine(config, made.network, report or shown)
        stats = statistics_of(config, made.rows, trace, sections)
        run.write_stats(stats)
        run.write_diagnosis(diagnosis)
        LOG.info("root-v1 %s", made.digests.root)
        changed = said_of_changes(former, config, made.digests)
        if changed is not None:
            LOG.info("%s", changed)
        seconds = time.perf_counter() - started
        content = _manifest(config, origin.overrides, made, seconds)
        if origin.calling is not None:
            content = replace(content, provenance=Provenance.of(origin.calling(), begun, now()))
        limit.end()  # from here on the run is finished, or it is not
        run.write_manifest(content)
    if not out.quiet:
        results = Results.of(config.plan.rows, remarks_on(config.plan), stats, diagnosis)
        print_run(out, run.path, results, content, config.show, config.fold)
    return Outcome(run.path, made.digests.root, False, changed)


def _in_memory(config: RunConfig, run: RunFolder) -> Initialized:
    """Draw all parameters, check them against the plan, digest, write and measure them."""
    network, record = initialize(config)
    values = held_values(network)
    aliases = config.plan.aliases
    digests = snapshot.digest_values(values, aliases)
    run.remove_snapshots()
    kept = (
        None
        if config.snapshot is None
        else run.write_snapshot(config.snapshot, values, aliases, digests.root)
    )
    return Initialized(digests, kept, measure(config, values, network), network, record.totals())


def _streamed(config: RunConfig, run: RunFolder, quiet: bool) -> Initialized:
    """Draw one tensor after the other into the file; a probe's network reads its values from there."""
    if not config.resume:
        run.remove_snapshots()
    stats = list(config.stats.values())
    made = streamed.write(config, run, lambda row: meter.Meter(stats, row), quiet)
    path = None if made.file is None else run.path / made.file
    made.rows.update(large_figures(config, path))
    network = network_of(config, path)
    if config.shard is not None and made.file is not None:
        run.write_index(paths_of(config.plan, config.shard.count), config.plan.totals())
    count = len(made.digests.tensors)
    return Initialized(
        made.digests, made.file, made.rows, network, {"filled": count, "parameters": count}
    )


def large_figures(config: RunConfig, path: Path | None) -> dict[str, dict[str, object]]:
    """Return {path: figures} of the tensors that a streamed run measures in its file only."""
    stats = list(config.stats.values())
    large = [row for row in config.rows if meter.needs_whole_tensor(stats, row)]
    if not large or path is None:
        return {}
    mapped = snapshot.open_file(path).tensors
    return {row.path: meter.measure(stats, row, mapped[row.path]) for row in large}


def network_of(config: RunConfig, path: Path | None) -> Network | None:
    """Return the network that a streamed run probes, with the values of its file; None if it probes
    none.
    """
    if path is None or not (config.probe.kind != "none" or config.measure):
        return None
    network = streamed.mapped_network(config, path)
    multiply_rates(config, network)
    return network


def statistics_of(
    config: RunConfig,
    figures: dict[str, dict[str, object]],
    trace: Trace,
    sections: dict[str, list[dict[str, object]]],
) -> Statistics:
    """Return the statistics of a run from the figures of its parameters, the probe's trace, and the
    sections of its measurements.
    """
    verdicts = judge({row.path: row.law for row in config.rows}, figures)
    table = []
    for row in config.rows:
        declared = {
            "path": row.path,
            "shape": list(row.shape),
            "law": str(row.law),
            "declared_mean": row.law.mean,
            "declared_std": row.law.std,
        }
        # A journal may name a column like one of these.
        named = declared | figures[row.path] | declared
        frozen = {"frozen": True} if row.frozen else {}
        table.append(named | frozen | {"verdict": verdicts[row.path]})
    return Statistics(
        parameters=table,
        layers=trace.layers,
        gradients=trace.gradients,
        training=trace.training,
        updates=trace.updates,
        figures=trace.figures,
        sections=sections,
        mode=mode_of(config),
    )


def mode_of(config: RunConfig) -> str | None:
    """Return how layers behave while a run measures them; None if it measures none of them, or each
    measurement in a mode of its own.
    """
    watches = config.probe.former is not None or any(m.watches for m in config.measure.values())
    if not watches or config.probe.mode is None:
        return None
    return f"{config.probe.mode}{' with dropout' if config.probe.dropout else ''}"


def _manifest(
    config: RunConfig, overrides: Sequence[str], made: Initialized, seconds: float
) -> Manifest:
    return Manifest(
        run_id=config.run_id,
        name=config.name,
        config=config.resolved,
        canonical=config.canonical,
        overrides=list(overrides),
        choices=dict(config.declaration.choices) or None,
        seed=config.seed,
        stream=config.stream,
        digests=made.digests,
        aliases=config.aliases,
        exactness={
            row.path: row.law.exactness for row in config.rows if row.law.exactness != "bits"
        },
        snapshot=made.kept,
        ledger=made.filled,
        shard=None if config.shard is None else str(config.shard),
        totals=config.plan.totals(),
        frozen=[row.path for row in config.rows if row.frozen],
        plugins=[UsedPlugin(plugin.file, plugin.sha256) for plugin in plugins.loaded()],
        versions=manifest.used_versions(),
        seconds=round(seconds, 3),
        peak_memory_bytes=manifest.peak_memory_bytes(),
    )
