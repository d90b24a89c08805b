"""`init_mode=streamed`: draw the plan directly into the snapshot file, with no array for the whole
model.

The offset of every tensor is known before anything is drawn (`engine.formats.safetensors.layout`).
`runner.run.blocks` draws, measures, digests and passes the bytes to the file, which has a temporary
name until it is complete. The journal next to it lists the finished tensors, so a killed run
continues with `resume=true`: tensors in the journal are read and compared with their digests, the
others are drawn. The file is byte for byte the one that a run in memory writes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initlab.engine import digest, gluon, streams
from initlab.engine.formats import safetensors
from initlab.engine.formats.placed import PlacedFile
from initlab.engine.formats.safetensors import Layout
from initlab.runner import progress
from initlab.runner.evidence import journal, snapshot
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.journal import Finished, Journal
from initlab.runner.evidence.manifest import Digests
from initlab.runner.plan.network import Network, build, infer_shapes
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig
from initlab.runner.run.blocks import BlockMeter, DrawnTensor, Pass, Tensor

LOG = logging.getLogger("runner")
COMMIT = 1.0
"""Seconds between two writes of the journal."""
WAITING = 2
"""Threads in addition to those that draw, which may wait for the disk."""
NO_ROOT = "0" * 64
"""A placeholder in the header until the root digest, which has the same length, is known."""


@dataclass(frozen=True)
class Streamed:
    """The result of a pass: digests, figures by path, and the name of the file, or None if no
    values are stored.
    """

    digests: Digests
    rows: dict[str, dict[str, object]]
    file: str | None


def write(
    config: RunConfig, run: RunFolder, meter: Callable[[Row], BlockMeter], quiet: bool
) -> Streamed:
    """Draw the run's parameters into its folder; with `config.resume`, continue an unfinished file.

    Raises OSError if the disk is full, and EvidenceError if the journal is damaged.
    """
    rows, aliases = config.rows, config.aliases
    if config.snapshot is None:
        tensors = [Tensor(row, 0) for row in rows]
        return _result(
            [
                d
                for batch in _with_progress(_pass(config, tensors, meter, None), tensors, quiet)
                for d in batch
            ],
            aliases,
            None,
        )
    name = snapshot.file_name(config.snapshot, config.shard)
    placed = _layout(rows, aliases, NO_ROOT)
    work = _Work(
        run,
        name,
        placed,
        {"layout": hashlib.sha256(placed.header).hexdigest(), "run_id": config.run_id},
    )
    kept = work.kept(config, rows, quiet) if config.resume else []
    with work.open(bool(kept)) as file, Journal(run.journal, work.identity, kept) as book:
        done = {finished.path for finished in kept}
        tensors = [
            Tensor(row, placed.entries[row.path].start)
            for row in _in_order(rows, placed)
            if row.path not in done
        ]
        drawn = _write_all(_pass(config, tensors, meter, file.write), tensors, file, book, quiet)
        result = _result(
            [DrawnTensor(f.path, f.digest, f.row) for f in kept] + drawn, aliases, name
        )
        file.write(0, np.frombuffer(_layout(rows, aliases, result.digests.root).header, np.uint8))
        file.sync()
    run.publish(name)
    return result


def recompute(
    config: RunConfig, meter: Callable[[Row], BlockMeter] | None = None
) -> list[DrawnTensor]:
    """Return every parameter's digest, and its figures if there is a meter, drawn again without
    storing values.
    """
    tensors = [Tensor(row, 0) for row in config.rows]
    return [drawn for batch in _pass(config, tensors, meter, None) for drawn in batch]


def draw(config: RunConfig, row: Row) -> np.ndarray:
    """Draw one parameter of the run."""
    return row.draw() if row.law.sliceable else _Whole(config)(row)


def mapped_network(config: RunConfig, path: Path) -> Network:
    """Return the network with its parameters mapped from the snapshot file, for a probe.

    Changes made by the probe are not written to the file.
    """
    network = shaped(config)
    tensors = snapshot.open_file(path).tensors
    for name, parameter in network.owners.items():
        parameter.adopt(tensors[name], config.device)
    return network


def shaped(config: RunConfig) -> Network:
    """Return the network with all shapes known and no values."""
    network = build(config.model, config.dtype)
    infer_shapes(network, (config.data.batch, *config.sample_shape))
    return network


class _Whole:
    """Draws whole tensors by initializing the parameters of a network whose other parameters have
    no values.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._network: Network | None = None

    def __call__(self, row: Row) -> np.ndarray:
        if self._network is None:
            self._network = shaped(self._config)
            streams.seed(self._config.seed)
        planned = self._network.owners[row.path]
        parameter = gluon.Parameter(
            planned.name,
            "null",
            planned.shape,
            planned.dtype,
            init=planned.init,
            roles=planned.roles,
        )
        parameter.shuffle = planned.shuffle
        place = streams.Place("", row.path, self._network.aliases_of(row.path))
        parameter.initialize(default_init=self._config.init, path=place)
        return parameter.data().asnumpy()


def _pass(
    config: RunConfig,
    tensors: Sequence[Tensor],
    meter: Callable[[Row], BlockMeter] | None,
    sink: Any,
) -> Pass:
    waiting = 0 if sink is None else WAITING
    return Pass(tensors, _Whole(config), meter, sink, streams.threads() + waiting)


def _in_order(rows: Sequence[Row], placed: Layout) -> list[Row]:
    return sorted(rows, key=lambda row: placed.entries[row.path].start)


def _layout(rows: Sequence[Row], aliases: dict[str, str], root: str) -> Layout:
    return safetensors.layout(
        {row.path: (Tensor(row, 0).dtype, row.shape) for row in rows}, aliases, {"root-v1": root}
    )


def _result(drawn: list[DrawnTensor], aliases: dict[str, str], name: str | None) -> Streamed:
    tensors = {d.path: d.digest for d in sorted(drawn, key=lambda d: d.path)}
    root = digest.root_digest(
        {path: bytes.fromhex(value) for path, value in tensors.items()}, aliases
    ).hex()
    return Streamed(Digests(tensors, root), {d.path: d.row for d in drawn}, name)


def _with_progress(work: Pass, tensors: Sequence[Tensor], quiet: bool) -> Any:
    """Iterate over the pass and show its progress."""
    with progress.progress_of("drawing", sum(tensor.bytes for tensor in tensors), quiet) as shown:
        for batch in work:
            shown(work.bytes)
            yield batch


def _write_all(
    work: Pass, tensors: Sequence[Tensor], file: PlacedFile, book: Journal, quiet: bool
) -> list[DrawnTensor]:
    """Run the pass; write tensors to the journal once they are finished and on the disk."""
    drawn: list[DrawnTensor] = []
    noted = 0
    last = time.monotonic()

    def note() -> None:
        file.sync()
        book.add([Finished(d.path, d.digest, d.row) for d in drawn[noted:]])

    try:
        for batch in _with_progress(work, tensors, quiet):
            drawn += batch
            if len(drawn) > noted and time.monotonic() - last > COMMIT:
                note()
                noted, last = len(drawn), time.monotonic()
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            note()
        raise
    return drawn


class _Work:
    """A file being written: its temporary name, and the finished tensors of an earlier attempt."""

    def __init__(self, run: RunFolder, name: str, placed: Layout, identity: dict[str, Any]) -> None:
        self.run, self.placed, self.identity = run, placed, identity
        self.final, self.partial = run.path / name, run.unfinished(name)

    def open(self, keep: bool) -> PlacedFile:
        """Return the file to write into. If its space cannot be reserved, the file is removed."""
        try:
            return PlacedFile(self.partial, self.placed.size, keep)
        except OSError:
            if not keep:
                self.partial.unlink(missing_ok=True)
            raise

    def kept(self, config: RunConfig, rows: Sequence[Row], quiet: bool) -> list[Finished]:
        """Return the tensors that an earlier attempt finished and whose digests still match the
        file.
        """
        try:
            finished = journal.read(self.run.journal, self.identity)
        except FileNotFoundError:
            return []
        if not self.partial.exists() and self.final.exists():
            # The run was stopped between renaming the file and writing the manifest.
            os.replace(self.final, self.partial)
        if not self.partial.exists() or self.partial.stat().st_size != self.placed.size:
            return []
        sound = []
        by_path = {row.path: row for row in rows}
        with (
            progress.progress_of(
                "checking", sum(self._bytes(f.path) for f in finished if f.path in by_path), quiet
            ) as shown,
            open(self.partial, "rb") as file,
        ):
            done = 0
            for entry in finished:
                if (
                    entry.path in by_path
                    and self._digest(file.fileno(), entry.path) == entry.digest
                ):
                    sound.append(entry)
                else:
                    LOG.warning(
                        "tensor '%s' of the unfinished snapshot is not as its journal says: drawn again",
                        entry.path,
                    )
                done += self._bytes(entry.path) if entry.path in by_path else 0
                shown(done)
        LOG.info("%s of %s tensors kept from the unfinished snapshot", len(sound), len(rows))
        return sound

    def _bytes(self, path: str) -> int:
        entry = self.placed.entries[path]
        return entry.stop - entry.start

    def _digest(self, descriptor: int, path: str) -> str:
        return snapshot.stored_digest(descriptor, self.placed.entries[path]).hex()
