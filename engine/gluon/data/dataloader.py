"""DataLoader: batches of a dataset (MXNet: gluon/data/dataloader.py)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from initlab.engine import nd
from initlab.engine.device import Device, cpu_pinned
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
)
from initlab.engine.nd import NDArray


def default_batchify_fn(data: list[Any]) -> Any:
    """Stack samples into one array, of the dtype NumPy chooses for them.

    Samples that are tuples give a list with one such array for each part.
    """
    if isinstance(data[0], NDArray):
        return nd.stack(*data)
    if isinstance(data[0], tuple):
        return [default_batchify_fn(list(part)) for part in zip(*data, strict=True)]
    array = np.asarray(data)
    return nd.array(array, dtype=array.dtype)


default_mp_batchify_fn = default_batchify_fn
"""MXNet's function for batches made in other processes; here threads make them."""


default_mp_batchify_fn = default_batchify_fn
"""MXNet's function for worker processes. Workers are threads here."""


def _as_in_context(data: Any, ctx: Device) -> Any:
    if isinstance(data, NDArray):
        return data.as_in_context(ctx)
    return [_as_in_context(d, ctx) for d in data] if isinstance(data, (list, tuple)) else data


class _NoProcesses:
    """What code for MXNet imports to load in processes of its own."""

    def __init__(self, *args: object, **options: object) -> None:
        raise MXNetError(
            f"{type(self).__name__}: there are no worker processes here - use gluon.data.DataLoader, "
            "whose workers are threads"
        )


class ForkingPickler(_NoProcesses):
    """MXNet's writer for worker processes. Making one raises MXNetError."""


class _MultiWorkerIter(_NoProcesses):
    pass


class DataLoader:
    """Iterate over batches of a dataset.

    Samples come in order, shuffled, or in the order of `sampler`, `batch_size` at a time; a
    `batch_sampler` gives whole batches instead. `num_workers` threads prepare up to `prefetch`
    batches ahead (by default twice the number of workers). They run in this process, so
    `thread_pool` has no effect. `timeout` is the number of seconds to wait for a batch from a
    thread. `pin_memory` copies batches into pinned memory of `pin_device_id`. `auto_reload` starts
    to prepare batches before the iteration. Raises ValueError for options that exclude each other.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,
        shuffle: bool = False,
        sampler: Sampler | None = None,
        last_batch: str | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        batchify_fn: Callable[[list[Any]], Any] | None = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        pin_device_id: int = 0,
        prefetch: int | None = None,
        thread_pool: bool = False,
        timeout: float = 120,
        auto_reload: bool = False,
    ) -> None:
        if timeout <= 0:
            raise AssertionError("timeout must be positive.")
        self._dataset = dataset
        self._pinned = cpu_pinned(pin_device_id) if pin_memory else None
        if batch_sampler is None:
            if batch_size is None:
                raise ValueError("batch_size must be specified unless batch_sampler is specified")
            if sampler is None:
                sampler = (
                    RandomSampler(len(dataset)) if shuffle else SequentialSampler(len(dataset))
                )
            elif shuffle:
                raise ValueError("shuffle must not be specified if sampler is specified")
            batch_sampler = BatchSampler(sampler, batch_size, last_batch or "keep")
        elif batch_size is not None or shuffle or sampler is not None or last_batch is not None:
            raise ValueError(
                "batch_size, shuffle, sampler and last_batch must not be specified if batch_sampler is "
                "specified."
            )
        self._batch_sampler = batch_sampler
        self._batchify = batchify_fn or default_batchify_fn
        self._workers = max(0, num_workers)
        self._prefetch = max(0, 2 * self._workers if prefetch is None else prefetch)
        self._timeout = timeout
        self._ahead = self._threaded() if auto_reload and self._workers else None
        if self._ahead is not None:
            next(self._ahead)

    def _batch(self, numbers: list[int]) -> Any:
        batch = self._batchify([self._dataset[number] for number in numbers])
        return batch if self._pinned is None else _moved(batch, self._pinned)

    def __iter__(self) -> Iterator[Any]:
        if not self._workers:
            return (self._batch(numbers) for numbers in self._batch_sampler)
        batches, self._ahead = self._ahead, None
        if batches is None:
            batches = self._threaded()
            next(batches)
        return batches

    def _threaded(self) -> Iterator[Any]:
        """Yield None when the threads have been started, then the batches in order."""
        with ThreadPoolExecutor(self._workers) as pool:
            waiting: deque[Future[Any]] = deque()
            names = iter(self._batch_sampler)

            def ask() -> None:
                for numbers in names:
                    waiting.append(pool.submit(self._batch, numbers))
                    return

            for _ in range(max(1, self._prefetch)):
                ask()
            yield None
            try:
                while waiting:
                    batch = waiting.popleft().result(self._timeout)
                    ask()
                    yield batch
            finally:
                for future in waiting:
                    future.cancel()

    def __len__(self) -> int:
        return len(self._batch_sampler)  # type: ignore[arg-type]


def _moved(batch: Any, device: Device) -> Any:
    if isinstance(batch, NDArray):
        return batch.as_in_context(device)
    return [_moved(part, device) for part in batch] if isinstance(batch, (list, tuple)) else batch
