"""One run, stage by stage: initialize, check the ledger, snapshot, probe, measure, write the manifest, print.

Everything that could be refused was refused by `runner.validate` before this starts. The folder's old manifest is removed first
and the new one written last: a manifest never vouches for files of another run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from engine import autograd, nd, streams
from runner import ledger, manifest, plugins, snapshot, summary
from runner.build import Network, build, infer_shapes
from runner.errors import EvidenceError
from runner.files import remove_leftovers, write_csv, write_json
from runner.probes import Subject, Trace
from runner.stats import measure_all, summary_of
from runner.validate import RunConfig
from runner.verdict import judge

LOG = logging.getLogger("runner")
LOG_FILE = "runner.log"


@dataclass(frozen=True)
class Outcome:
    """A finished run: its folder, its root digest, and whether it was finished before this started."""

    folder: Path
    root: str
    resumed: bool


def initialize(config: RunConfig) -> tuple[Network, ledger.Ledger]:
    """The network with all parameters ready, drawn once each as planned.

    Eager mode infers all shapes first and draws at `initialize()`; deferred mode leaves unknown shapes to one forward in predict
    mode on the declared input. From one of MXNet's streams, which are drawn from in order, the two give different values.
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
    return network, record


def host_values(network: Network) -> dict[str, np.ndarray]:
    """The owners' values, by path, in host memory."""
    return {path: parameter.data().asnumpy() for path, parameter in network.owners.items()}


def measure(config: RunConfig, values: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Path -> the figures of every chosen statistic."""
    rows: dict[str, dict[str, Any]] = {row.path: {} for row in config.plan.owners}
    if config.stats:
        for row in config.plan.owners:
            tensor = values[row.path]
            rows[row.path] = measure_all(config.stats.values(), row.law, summary_of(tensor, row.law), tensor)
    return rows


def probe(config: RunConfig, network: Network) -> Trace:
    """Send the declared data through the network and measure."""
    subject = Subject(
        network=network.root,
        layers=network.leaves,
        parameters=network.owners,
        batch=config.data.load(config.sample_shape, config.seed),
        training=config.data.training(config.sample_shape, config.seed),
        device=config.device,
        dtype=config.dtype,
        seed=config.seed,
    )
    with streams.using(config.stream), np.errstate(all="ignore"):  # a network that overflows is a finding, not a fault
        return config.probe.measure(subject)


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
    """The manifest of this very config in `folder`, or None where the run must be made: where it did not finish, or its snapshot is no
    longer what the manifest vouches for. EvidenceError where another config finished there."""
    if not (folder / manifest.NAME).exists():
        return None
    content = manifest.read(folder)
    if content["canonical"] != canonical:
        raise EvidenceError(
            f"{folder}: holds a finished run of another config, so it cannot be resumed - remove the folder or run without resume=true"
        )
    kept = content["snapshot"]
    if kept is not None and not snapshot.is_as_written(folder / kept, content["digests"]["tensors"], content["aliases"]):
        return None
    return content


def execute(config: RunConfig, folder: Path, hydra_files: dict[str, str], out: Console) -> Outcome:
    """Run `config` into `folder`. `hydra_files` (name -> text) is kept in `.hydra/`."""
    if config.resume:
        content = finished(config.canonical, folder)
        if content is not None:
            out.print(f"finished before: {folder}  root {content['digests']['root'][:16]}")
            return Outcome(folder, content["digests"]["root"], True)
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    manifest.remove(folder)
    remove_leftovers(folder)
    with log_file(folder):
        LOG.info("run %s: seed %s, %s, %s", config.run_id, config.seed, config.dtype, config.init_mode)
        _write_hydra(folder, hydra_files)
        write_json(folder / "plan.json", config.plan.describe())
        network, record = initialize(config)
        values = host_values(network)
        digests = snapshot.digest_values(values, config.plan)
        _remove_snapshots(folder)
        kept = None if config.snapshot is None else snapshot.write(folder, config.snapshot, values, config.plan, digests.root)
        trace = probe(config, network)
        rows = measure(config, values)
        verdicts = judge(config.plan, rows)
        _write_stats(config, folder, rows, verdicts, trace)
        LOG.info("root-v1 %s", digests.root)
        seconds = time.perf_counter() - started
        manifest.write(folder, _manifest(config, hydra_files, record, digests, kept, seconds))
    summary.print_parameters(out, config.plan, rows, verdicts)
    summary.print_trace(out, trace)
    out.print()
    out.print(f"root {digests.root}")
    out.print(f"{folder}  ({seconds:.2f} s)")
    return Outcome(folder, digests.root, False)


def _write_hydra(folder: Path, files: dict[str, str]) -> None:
    (folder / ".hydra").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / ".hydra" / name).write_text(text, encoding="utf-8")


def _remove_snapshots(folder: Path) -> None:
    """Leave no snapshot of an unfinished run beside the new one."""
    for old in folder.glob("snapshot.*"):
        old.unlink()


def _write_stats(config: RunConfig, folder: Path, rows: dict[str, dict[str, Any]], verdicts: dict[str, str], trace: Trace) -> None:
    table = []
    for row in config.plan.owners:
        declared = {
            "path": row.path,
            "shape": list(row.shape),
            "law": str(row.law),
            "declared_mean": row.law.mean,
            "declared_std": row.law.std,
        }
        table.append(declared | rows[row.path] | {"verdict": verdicts[row.path]})
    content = {
        "parameters": table,
        "layers": trace.layers,
        "gradients": trace.gradients,
        "training": trace.training,
        "figures": trace.figures,
    }
    write_json(folder / "stats.json", content)
    columns = list(dict.fromkeys(name for row in table for name, value in row.items() if name == "shape" or not isinstance(value, list)))
    write_csv(folder / "stats.csv", columns, ({**row, "shape": summary.shape_text(row["shape"])} for row in table))


def _manifest(
    config: RunConfig,
    hydra_files: dict[str, str],
    record: ledger.Ledger,
    digests: snapshot.Digests,
    kept: str | None,
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
        "digests": {"definition": "tensor-v1, root-v1", "tensors": digests.tensors, "root": digests.root},
        "aliases": config.plan.aliases,
        "exactness": {row.path: row.law.exactness for row in config.plan.owners if row.law.exactness != "bits"},
        "snapshot": kept,
        "ledger": record.totals(),
        "totals": config.plan.totals(),
        "plugins": [{"file": plugin.file, "sha256": plugin.sha256} for plugin in plugins.loaded()],
        "versions": manifest.versions(),
        "seconds": round(seconds, 3),
        "peak_memory_bytes": manifest.peak_memory_bytes(),
    }
