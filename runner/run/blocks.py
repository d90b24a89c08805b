"""One pass over the parameters of a plan: each block is drawn, measured, digested and passed on
while it is in the cache.

There is no array for the whole model. A thread takes one piece at a time: several small tensors
that are neighbours in the file, one tensor, or two leaves (2 MiB) of a large one. It draws the piece
into its own buffer, some blocks of 64K elements at a time, measures them, hashes the leaves, and
passes the bytes to the sink. Results do not depend on threads: figures are combined in the order of
the blocks, digests in the order of the leaves. A tensor whose law cannot be drawn in slices (an
orthogonal matrix, a user's own code) is drawn whole, one at a time; each thread factors a matrix of
moderate size by itself.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from initlab.engine import digest, dtypes, streams
from initlab.engine.errors import LawError
from initlab.engine.formats.placed import Buffer
from initlab.engine.laws import NOWHERE, blas, fill_many
from initlab.engine.laws.base import SIDE_BY_SIDE
from initlab.engine.streams import Key
from initlab.runner.plan.row import Row
from initlab.runner.stats import BLOCK, WHOLE

CHUNK = 4 * BLOCK
"""Elements drawn and measured at a time: enough for few calls of the interpreter, few enough for
the cache.
"""
TOGETHER = 1 << 20
"""Bytes of small tensors drawn in one piece at most."""
TENSORS = 128
"""Tensors in one piece at most; each needs about 40 kB of memory while it is measured."""
PULSE = 0.2
"""Seconds after which the iteration yields, even if no tensor was finished."""

Sink = Callable[[int, np.ndarray], None]
"""(where in the file, bytes) -> None; called by several threads."""


class BlockMeter(Protocol):
    """Measures one tensor while it is drawn."""

    def add(self, number: int, values: np.ndarray) -> None:
        """Add block `number` and the following ones, flat. Called by several threads, in any order."""

    def finish(self, values: np.ndarray | None) -> dict[str, object]:
        """Return the figures after every block was added.

        `values` is the whole tensor if it was drawn in one piece, else None.
        """


@dataclass(frozen=True)
class DrawnTensor:
    """A tensor that was drawn and passed on: its tensor-v1 digest in hex, and its figures."""

    path: str
    digest: str
    row: dict[str, object]


class Tensor:
    """A parameter being drawn; its bytes start at `offset` in the file."""

    def __init__(self, row: Row, offset: int) -> None:
        self.row = row
        self.offset = offset
        self.dtype = dtypes.resolve(row.dtype)
        self.size = math.prod(row.shape)
        self.bytes = self.size * self.dtype.itemsize
        self.leaves = [b""] * -(-self.bytes // digest.LEAF)
        self.left = self.size
        self.meter: BlockMeter | None = None
        self._lock = threading.Lock()

    def count_off(self, elements: int) -> bool:
        """Count `elements` more as passed on; return whether the tensor is complete now."""
        with self._lock:
            self.left -= elements
            return self.left == 0


@dataclass(frozen=True)
class Part:
    """Elements start … stop - 1 of a tensor."""

    tensor: Tensor
    start: int
    stop: int

    @property
    def offset(self) -> int:
        """The offset of the first byte in the file."""
        return self.tensor.offset + self.start * self.tensor.dtype.itemsize

    @property
    def bytes(self) -> int:
        """The number of bytes."""
        return (self.stop - self.start) * self.tensor.dtype.itemsize


def _key(row: Row) -> Key:
    return NOWHERE if row.key is None else row.key


def pieces(tensors: Sequence[Tensor]) -> Iterator[list[Part]]:
    """Return the pieces to draw, each a list of parts, in the order of the tensors."""
    together: list[Part] = []

    def fits(part: Part) -> bool:
        if not together:
            return True
        last = together[-1]
        side_by_side = (
            last.offset + last.bytes == part.offset and last.tensor.dtype == part.tensor.dtype
        )
        return (
            side_by_side
            and len(together) < TENSORS
            and sum(p.bytes for p in together) + part.bytes <= TOGETHER
        )

    for tensor in tensors:
        part = Part(tensor, 0, tensor.size)
        if not tensor.row.law.sliceable or tensor.size > WHOLE or not fits(part):
            if together:
                yield together
            together = []
        if not tensor.row.law.sliceable:
            yield [part]
        elif tensor.size > WHOLE:
            step = digest.TOGETHER // tensor.dtype.itemsize
            yield from (
                [Part(tensor, at, min(at + step, tensor.size))]
                for at in range(0, tensor.size, step)
            )
        else:
            together.append(part)
    if together:
        yield together


class Pass:
    """Iterating draws the tensors and yields lists of those finished since the last time.

    A list, perhaps empty, comes at least every `PULSE` seconds. `whole(row)` draws a tensor whose
    law cannot be drawn in slices. An error in a thread is raised in the iterating thread; leaving
    the iteration stops the threads.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        whole: Callable[[Row], np.ndarray],
        meter: Callable[[Row], BlockMeter] | None = None,
        sink: Sink | None = None,
        workers: int = 1,
    ) -> None:
        self.tensors = tensors
        self.bytes = 0
        """Handed on so far."""
        self._whole, self._meter, self._sink = whole, meter, sink
        self._workers = workers
        self._pieces = pieces(tensors)
        self._lock = threading.Lock()
        self._one_whole = threading.Lock()
        self._stop = threading.Event()
        self._finished: queue.Queue[DrawnTensor | BaseException | None] = queue.Queue()

    def __iter__(self) -> Iterator[list[DrawnTensor]]:
        threads = [
            threading.Thread(target=self._work, name=f"draw-{n}", daemon=True)
            for n in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        working = len(threads)
        try:
            while working:
                batch, ended = self._next()
                working -= ended
                yield batch
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _next(self) -> tuple[list[DrawnTensor], int]:
        """Return the finished tensors in the queue, waiting for the first, and how many threads
        have ended.
        """
        batch: list[DrawnTensor] = []
        ended = 0
        try:
            item = self._finished.get(timeout=PULSE)
            while True:
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    ended += 1
                else:
                    batch.append(item)
                item = self._finished.get_nowait()
        except queue.Empty:
            return batch, ended

    def _work(self) -> None:
        buffer = Buffer(WHOLE * 8)
        try:
            with streams.alone():
                self._work_on(buffer)
            self._finished.put(None)
        except BaseException as error:  # the waiting thread raises it
            self._finished.put(error)

    def _work_on(self, buffer: Buffer) -> None:
        """Draw piece after piece until there is none left or the iteration was left."""
        while not self._stop.is_set():
            with self._lock:
                piece = next(self._pieces, None)
            if piece is None:
                return
            if piece[0].tensor.row.law.sliceable:
                self._draw(piece, buffer)
            else:
                self._draw_apart(piece[0], buffer)

    def _draw(self, piece: list[Part], buffer: Buffer) -> None:
        first = piece[0]
        raw = buffer.at(
            first.offset, sum(part.bytes for part in piece), first.tensor.dtype.itemsize
        )
        flats = [raw[part.offset - first.offset :][: part.bytes] for part in piece]
        views = [flat.view(part.tensor.dtype) for part, flat in zip(piece, flats, strict=True)]
        if len(piece) > 1:
            self._fill_many(piece, views)
        for part, flat, values in zip(piece, flats, views, strict=True):
            self._measure(part, values, drawn=len(piece) > 1)
            self._digest(part, flat)
        self._hand_on(first.offset, raw)
        for part, values in zip(piece, views, strict=True):
            if part.tensor.count_off(part.stop - part.start):
                self._finish(part.tensor, values if len(values) == part.tensor.size else None)

    def _fill_many(self, piece: list[Part], views: list[np.ndarray]) -> None:
        """Draw whole small tensors together. What a law cannot draw is raised where the row is known,
        so that the message can name the parameter.
        """
        rows = [part.tensor.row for part in piece]
        try:
            fill_many(
                (row.law, _key(row), row.shape, 0, out)
                for row, out in zip(rows, views, strict=True)
            )
        except LawError:
            for row, out in zip(rows, views, strict=True):
                row.law.fill(_key(row), row.shape, 0, out)
            raise

    def _measure(self, part: Part, values: np.ndarray, drawn: bool) -> None:
        """Draw a part, unless it is `drawn` already, and measure it, some blocks at a time."""
        row, meter = part.tensor.row, self._meter_of(part.tensor)
        for start in range(part.start, part.stop, CHUNK):
            chunk = values[start - part.start : start - part.start + CHUNK]
            if not drawn:
                row.law.fill(_key(row), row.shape, start, chunk)
            if meter is not None:
                meter.add(start // BLOCK, chunk)

    def _meter_of(self, tensor: Tensor) -> BlockMeter | None:
        """Return the tensor's meter, created with its first block, because a meter needs memory."""
        with self._lock:
            if tensor.meter is None and self._meter is not None:
                tensor.meter = self._meter(tensor.row)
            return tensor.meter

    def _digest(self, part: Part, flat: np.ndarray) -> None:
        """Hash the leaves of a part, which starts at a leaf."""
        number = part.start * part.tensor.dtype.itemsize // digest.LEAF
        leaves = digest.leaf_digests(flat)
        part.tensor.leaves[number : number + len(leaves)] = leaves

    def _draw_apart(self, part: Part, buffer: Buffer) -> None:
        """Draw a tensor that cannot be drawn in slices: a matrix of moderate size beside those of
        other threads, any other while no other thread draws such a tensor.
        """
        row = part.tensor.row
        if row.law.factored and part.tensor.size <= SIDE_BY_SIDE:
            with blas.one_thread() as ours:
                if ours:
                    values = row.law.draw(_key(row), row.shape, row.dtype)
                    self._pass_on(part, values.reshape(-1), buffer)
                    return
        with self._one_whole, streams.alone(False):
            self._pass_on(part, self._whole(row).reshape(-1), buffer)

    def _pass_on(self, part: Part, values: np.ndarray, buffer: Buffer) -> None:
        tensor = part.tensor
        flat = digest.raw_bytes(values)
        meter = self._meter_of(tensor)
        if meter is not None:
            for start in range(0, tensor.size, CHUNK):
                meter.add(start // BLOCK, values[start : start + CHUNK])
        self._digest(part, flat)
        for start in range(0, len(flat), digest.LEAF):
            raw = buffer.at(part.offset + start, min(digest.LEAF, len(flat) - start))
            raw[:] = flat[start : start + digest.LEAF]
            self._hand_on(part.offset + start, raw)
        self._finish(tensor, values)

    def _hand_on(self, offset: int, raw: np.ndarray) -> None:
        if self._sink is not None:
            self._sink(offset, raw)
        with self._lock:
            self.bytes += len(raw)

    def _finish(self, tensor: Tensor, values: np.ndarray | None) -> None:
        row = tensor.row
        meter, tensor.meter = self._meter_of(tensor), None
        figures = (
            {}
            if meter is None
            else meter.finish(None if values is None else values.reshape(row.shape))
        )
        whole = digest.from_leaves(tensor.dtype.name, row.shape, tensor.leaves)
        tensor.leaves = []
        self._finished.put(DrawnTensor(row.path, whole.hex(), figures))
