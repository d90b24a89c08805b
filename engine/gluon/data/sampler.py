"""Samplers: the indices of the samples of a dataset, in the order they are read (MXNet:
gluon/data/sampler.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

LAST_BATCH = "last_batch must be one of 'keep', 'discard', or 'rollover', but got {}"


class Sampler:
    """Base class of samplers: iterating gives indices of samples, `len` their number."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class SequentialSampler(Sampler):
    """The indices start, start + 1, …, start + length - 1."""

    def __init__(self, length: int, start: int = 0) -> None:
        self._length, self._start = length, start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._start, self._start + self._length))

    def __len__(self) -> int:
        return self._length


class RandomSampler(Sampler):
    """The indices 0 … length - 1, in a new random order for each iteration.

    As in MXNet, NumPy's global generator shuffles them; `numpy.random.seed` fixes the order.
    """

    def __init__(self, length: int) -> None:
        self._length = length

    def __iter__(self) -> Iterator[int]:
        numbers = np.arange(self._length)
        np.random.shuffle(numbers)  # noqa: NPY002
        return iter(numbers)

    def __len__(self) -> int:
        return self._length


class IntervalSampler(Sampler):
    """The indices 0, interval, 2 interval, …

    With `rollover`, those from 1, 2, … follow in the same steps, until all have been given. Raises
    AssertionError if the interval exceeds `length`.
    """

    def __init__(self, length: int, interval: int, rollover: bool = True) -> None:
        if interval > length:
            raise AssertionError(
                f"Interval {interval} must be smaller than or equal to length {length}"
            )
        self._length, self._interval, self._rollover = length, interval, rollover

    def __iter__(self) -> Iterator[int]:
        for first in range(self._interval if self._rollover else 1):
            yield from range(first, self._length, self._interval)

    def __len__(self) -> int:
        return self._length if self._rollover else len(range(0, self._length, self._interval))


class FilterSampler(Sampler):
    """The indices of the samples of a dataset for which `fn` is true."""

    def __init__(self, fn: Callable[[Any], bool], dataset: Any) -> None:
        self._numbers = [number for number in range(len(dataset)) if fn(dataset[number])]

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class BatchSampler(Sampler):
    """Lists of `batch_size` indices of another sampler.

    If samples are left at the end, they form a shorter batch (`keep`), are dropped (`discard`), or
    start the next iteration (`rollover`). Raises ValueError for another `last_batch`.
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, last_batch: str = "keep") -> None:
        self._sampler, self._batch_size, self._last_batch = sampler, batch_size, last_batch
        self._left: list[Any] = []

    def __iter__(self) -> Iterator[list[Any]]:
        batch, self._left = self._left, []
        for number in self._sampler:
            batch.append(number)
            if len(batch) == self._batch_size:
                yield batch
                batch = []
        if batch:
            if self._last_batch == "keep":
                yield batch
            elif self._last_batch == "rollover":
                self._left = batch
            elif self._last_batch != "discard":
                raise ValueError(LAST_BATCH.format(self._last_batch))

    def __len__(self) -> int:
        count = len(self._sampler)  # type: ignore[arg-type]
        if self._last_batch == "keep":
            return -(-count // self._batch_size)
        if self._last_batch == "discard":
            return count // self._batch_size
        if self._last_batch == "rollover":
            return (len(self._left) + count) // self._batch_size
        raise ValueError(LAST_BATCH.format(self._last_batch))
