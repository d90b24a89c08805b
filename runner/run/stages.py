"""One run, stage by stage: initialize, check the ledger, snapshot, probe, measure, write the
manifest, print.

Everything that could be refused was refused by `runner.plan.validate` before this starts. The
folder's old manifest is removed first and the new one written last: a manifest never vouches for
files of another run.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from initlab.engine import autograd, nd, streams
from initlab.engine.device import is_shortage
from initlab.engine.formats.safetensors import open_mapped
from initlab.runner.config import plugins
from initlab.runner.errors import EvidenceError, MemoryShortage
from initlab.runner.evidence import manifest, snapshot
from initlab.runner.evidence.verdict import judge
from initlab.runner.files import (
    locked,
    remove_leftovers,
    storage_errors,
    write_csv,
    write_json,
    write_text,
)
from initlab.runner.measures import Findings, Measure
from initlab.runner.plan import ledger
from initlab.runner.plan.network import Network, build, infer_shapes
from initlab.runner.plan.shards import INDEX, index_text
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes import Subject, Trace
from initlab.runner.run import rescale, streamed
from initlab.runner.stats import meter
from initlab.runner.terminal import tables

LOG = logging.getLogger("runner")
LOG_FILE = "runner.log"
NOTHING = Trace()


@dataclass(frozen=True)
class Outcome:
    """A finished run: its folder, its root digest, and whether it was finished before this started."""

    folder: Path
    root: str
    resumed: bool


def initialize(config: RunConfig) -> tuple[Network, ledger.Ledger]:
    """The network with all parameters ready, drawn once each as planned.

    Eager mode infers all shapes first and draws at `initialize()`; deferred mode leaves unknown
    shapes to one forward in predict mode on the declared input. From one of MXNet's streams, which
    are drawn from in order, the two give different values.
    """
    with streams.using(config.stream):
        return _initialize(config)


def _initialize(config: RunConfig) -> tuple[Network, ledger.Ledger]:
    network = build(config.model, config.dtype, config.init)
    shape = (config.data.batch, *config.sample_shape)
    streams.seed(config.seed)
    with ledger.recording() as record:
        if config.init_mode == "eager":
            infer_shapes(network, shape)
        network.root.initialize(config.init, ctx=config.device, root="")
        if config.init_mode == "deferred":
            with autograd.predict_mode(), np.errstate(all="ignore"):
                network.root(nd.zeros(shape, ctx=config.device, dtype=config.dtype))
    ledger.check(record, config.plan)
    multiply_rates(config, network)
    if rescale.wanted(config.plan):
        rescale.rescale(network, config.plan, subject_of(config, network))
    return network, record


def multiply_rates(config: RunConfig, network: Network) -> None:
    """Give each parameter the learning-rate multiplier of its row."""
    for row in config.plan.owners:
        network.owners[row.path].lr_mult = row.lr_mult


def host_values(network: Network) -> dict[str, np.ndarray]:
    """The owners' values, by path, in host memory."""
    return {path: parameter.data().asnumpy() for path, parameter in network.owners.items()}


def measure(config: RunConfig, values: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Path -> the figures of every chosen statistic."""
    stats = list(config.stats.values())
    return {row.path: meter.measure(stats, row, values[row.path]) for row in config.rows}


def subject_of(config: RunConfig, network: Network) -> Subject:
    """The network and the declared data for it."""
    return Subject(
        network=network.root,
        layers=network.leaves,
        parameters=network.owners,
        batch=config.data.load(config.sample_shape, config.seed),
        training=config.data.training(config.sample_shape, config.seed),
        device=config.device,
        dtype=config.dtype,
        seed=config.seed,
    )


def probe(config: RunConfig, network: Network) -> tuple[Trace, dict[str, list[dict[str, Any]]]]:
    """Measure what was chosen, of the first values, and then send the declared data through the
    network as the probe does.

    Gives the probe's trace, and the sections that measurements gave beside it.
    """
    subject = subject_of(config, network)
    found = [measured(measure, subject) for measure in config.measure.values()]
    with (
        streams.using(config.stream),
        np.errstate(all="ignore"),
    ):  # a network that overflows is a finding, not a fault
        trace = config.probe.measure(subject)
    sections: dict[str, list[dict[str, Any]]] = {}
    for section, rows in (item for findings in found for item in findings.items()):
        if section == "layers":
            trace.layers = merged(trace.layers, rows)
        else:
            sections[section] = merged(sections.get(section, []), rows)
    return trace, sections


def measured(measure: Measure, subject: Subject) -> Findings:
    """What a measurement gives. What it draws (dropout does) is its own, so that the probe draws as
    if there had been none.
    """
    own = streams.Stream(streams.Key(subject.seed, f"@{measure.kind}/ambient"))
    with streams.using(streams.VERSION), streams.scope(own), np.errstate(all="ignore"):
        return measure.measure(subject)


def merged(rows: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the columns of others of the same path, and those that have none like them behind."""
    by_path = {row["path"]: row for row in more}
    joined = [{**row, **by_path.pop(row["path"], {})} for row in rows]
    return [*joined, *by_path.values()]


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """While open, what the runner and the engine log goes to the run's own file too."""
    handler = logging.FileHandler(folder / LOG_FILE, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def finished(canonical: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """The manifest of this very config in `folder`, or None where the run must be made: where it
    did not finish, or its snapshot is no longer what the manifest vouches for. EvidenceError where
    another config finished there."""
    if not (folder / manifest.NAME).exists():
        return None
    content = manifest.read(folder)
    if content["canonical"] != canonical:
        raise EvidenceError(
            f"{folder}: holds a finished run of another config, so it cannot be resumed - remove the "
            "folder or run without resume=true"
        )
    kept = content["snapshot"]
    if kept is not None and not snapshot.is_as_written(
        folder / kept, content["digests"]["tensors"], content["aliases"]
    ):
        return None
    return content


@dataclass(frozen=True)
class Initialized:
    """What the first stages of a run leave: digests, the snapshot's name, the figures of all
    parameters, and a network to probe.
    """

    digests: snapshot.Digests
    kept: str | None
    rows: dict[str, dict[str, Any]]
    network: Network | None
    filled: dict[str, int]


def execute(config: RunConfig, folder: Path, hydra_files: dict[str, str], out: Console) -> Outcome:
    """Run `config` into `folder`. `hydra_files` (name -> text) is kept in `.hydra/`.

    StorageError for a folder that cannot be written or that another process is writing,
    MemoryShortage where the values do not fit.
    """
    if config.resume:
        content = finished(config.canonical, folder)
        if content is not None:
            out.print(f"finished before: {folder}  root {content['digests']['root'][:16]}")
            return Outcome(folder, content["digests"]["root"], True)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            return execute_locked(config, folder, hydra_files, out)


def execute_locked(
    config: RunConfig, folder: Path, hydra_files: dict[str, str], out: Console
) -> Outcome:
    """Run `config` into a folder that this process has locked, whatever is in it."""
    size = sum(row.bytes for row in config.rows)
    with storage_errors(folder, size), sharing(config.threads):
        try:
            return _execute(config, folder, hydra_files, out)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            raise MemoryShortage.of(error, str(config.device)) from error


@contextmanager
def sharing(threads: int | None) -> Iterator[None]:
    """While open, so many threads share the work; as many as before for None."""
    before = streams.threads()
    streams.threads(threads if threads is not None else before)
    try:
        yield
    finally:
        streams.threads(before)


def _execute(config: RunConfig, folder: Path, hydra_files: dict[str, str], out: Console) -> Outcome:
    started = time.perf_counter()
    manifest.remove(folder)
    remove_leftovers(folder)
    with log_file(folder):
        LOG.info(
            "run %s: seed %s, %s, %s", config.run_id, config.seed, config.dtype, config.init_mode
        )
        _write_hydra(folder, hydra_files)
        write_json(folder / "plan.json", config.plan.describe())
        made = (
            _streamed(config, folder, out.quiet)
            if config.init_mode == "streamed"
            else _in_memory(config, folder)
        )
        trace, sections = probe(config, made.network) if made.network is not None else (Trace(), {})
        verdicts = judge(config.rows, made.rows)
        _write_stats(config, folder, made.rows, verdicts, trace, sections)
        LOG.info("root-v1 %s", made.digests.root)
        seconds = time.perf_counter() - started
        manifest.write(folder, _manifest(config, hydra_files, made, seconds))
        streamed.forget(folder)
    if not out.quiet:
        listed = [row for row in config.plan.rows if (row.alias_of or row.path) in made.rows]
        tables.print_parameters(out, listed, made.rows, verdicts)
        tables.print_trace(out, trace)
        tables.print_sections(out, trace, sections)
        out.print()
        out.print(f"root {made.digests.root}")
        out.print(f"{folder}  ({seconds:.2f} s)")
    return Outcome(folder, made.digests.root, False)


def _in_memory(config: RunConfig, folder: Path) -> Initialized:
    """All parameters at once: drawn, checked against the plan, digested, written, measured."""
    network, record = initialize(config)
    values = host_values(network)
    digests = snapshot.digest_values(values, config.plan)
    remove_snapshots(folder)
    kept = (
        None
        if config.snapshot is None
        else snapshot.write(folder, config.snapshot, values, config.plan, digests.root)
    )
    return Initialized(digests, kept, measure(config, values), network, record.totals())


def _streamed(config: RunConfig, folder: Path, quiet: bool) -> Initialized:
    """One tensor after the other, straight into the file; for a probe, the network reads it from
    there.
    """
    if not config.resume:
        remove_snapshots(folder)
    stats = list(config.stats.values())
    made = streamed.write(config, folder, lambda row: meter.Meter(stats, row), quiet)
    large = [row for row in config.rows if meter.later(stats, row)]
    if large and made.file is not None:
        mapped = open_mapped(folder / made.file).tensors
        made.rows.update({row.path: meter.measure(stats, row, mapped[row.path]) for row in large})
    probed = made.file is not None and (config.probe.kind != "none" or bool(config.measure))
    network = streamed.mapped_network(config, folder / str(made.file)) if probed else None
    if network is not None:
        multiply_rates(config, network)
    if config.shard is not None and made.file is not None:
        write_text(folder / INDEX, index_text(config.plan, config.shard.count))
    count = len(made.digests.tensors)
    return Initialized(
        made.digests, made.file, made.rows, network, {"filled": count, "parameters": count}
    )


def _write_hydra(folder: Path, files: dict[str, str]) -> None:
    (folder / ".hydra").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / ".hydra" / name).write_text(text, encoding="utf-8")


def remove_snapshots(folder: Path) -> None:
    """Leave no snapshot of an unfinished run beside the new one."""
    for pattern in ("snapshot.*", "model-*-of-*.safetensors*", INDEX):
        for old in folder.glob(pattern):
            old.unlink()


def _write_stats(
    config: RunConfig,
    folder: Path,
    rows: dict[str, dict[str, Any]],
    verdicts: dict[str, str],
    trace: Trace,
    sections: dict[str, list[dict[str, Any]]],
) -> None:
    table = []
    for row in config.rows:
        declared = {
            "path": row.path,
            "shape": list(row.shape),
            "law": str(row.law),
            "declared_mean": row.law.mean,
            "declared_std": row.law.std,
        }
        table.append(declared | rows[row.path] | {"verdict": verdicts[row.path]})
    write_figures(folder, table, trace, sections)


def write_figures(
    folder: Path,
    table: list[dict[str, Any]],
    trace: Trace = NOTHING,
    sections: dict[str, list[dict[str, Any]]] | None = None,
) -> None:
    """Write stats.json and stats.csv: a row a parameter, what a probe measured, and further
    sections.
    """
    content = {
        "parameters": table,
        "layers": trace.layers,
        "gradients": trace.gradients,
        "training": trace.training,
        "updates": trace.updates,
        "figures": trace.figures,
        **(sections or {}),
    }
    write_json(folder / "stats.json", content)
    columns = list(
        dict.fromkeys(
            name
            for row in table
            for name, value in row.items()
            if name == "shape" or not isinstance(value, list)
        )
    )
    write_csv(
        folder / "stats.csv",
        columns,
        ({**row, "shape": tables.shape_text(row["shape"])} for row in table),
    )


def read_figures(folder: Path) -> list[dict[str, Any]]:
    """The rows of a finished run's stats.json. EvidenceError for a file that is missing or damaged."""
    try:
        content = json.loads((folder / "stats.json").read_text(encoding="utf-8"))
        return [{"path": str(row["path"]), **row} for row in content["parameters"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvidenceError(
            f"{folder / 'stats.json'}: is missing or damaged ({error}) - run its config again"
        ) from error


def _manifest(
    config: RunConfig,
    hydra_files: dict[str, str],
    made: Initialized,
    seconds: float,
) -> dict[str, Any]:
    return {
        "run_id": config.run_id,
        "name": config.name,
        "config": config.resolved,
        "canonical": config.canonical,
        "overrides": hydra_files.get("overrides.yaml", "").splitlines(),
        "seed": config.seed,
        "stream": config.stream,
        "digests": {
            "definition": "tensor-v1, root-v1",
            "tensors": made.digests.tensors,
            "root": made.digests.root,
        },
        "aliases": config.aliases,
        "exactness": {
            row.path: row.law.exactness for row in config.rows if row.law.exactness != "bits"
        },
        "snapshot": made.kept,
        "ledger": made.filled,
        "shard": None if config.shard is None else str(config.shard),
        "totals": config.plan.totals(),
        "plugins": [{"file": plugin.file, "sha256": plugin.sha256} for plugin in plugins.loaded()],
        "versions": manifest.versions(),
        "seconds": round(seconds, 3),
        "peak_memory_bytes": manifest.peak_memory_bytes(),
    }
