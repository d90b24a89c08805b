"""Datasets: sequences of samples (MXNet: gluon/data/dataset.py)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.data.sampler import FilterSampler, Sampler, SequentialSampler
from initlab.engine.nd import NDArray


class Dataset:
    """Base class of datasets: `dataset[i]` is a sample, `len(dataset)` their number."""

    def __getitem__(self, idx: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def filter(self, fn: Callable[[Any], bool]) -> Dataset:
        """Return the samples for which `fn` is true. `fn` is called on all samples now."""
        return _Sampled(self, FilterSampler(fn, self))

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Return part `index` of `num_shards` parts of the samples.

        If the division is not even, the first parts have one sample more. Raises AssertionError for
        an index out of range.
        """
        if not index < num_shards:
            raise AssertionError(f"Shard index of out bound: {index} out of {num_shards}")
        if num_shards <= 0:
            raise AssertionError("Number of shards must be greater than 0")
        if index < 0:
            raise AssertionError("Index must be non-negative")
        each, extra = divmod(len(self), num_shards)
        start = each * index + min(index, extra)
        return _Sampled(self, SequentialSampler(each + (index < extra), start))

    def take(self, count: int | None) -> Dataset:
        """Return the first `count` samples, or all if it is None."""
        whole = len(self)
        return _Sampled(self, SequentialSampler(whole if count is None else min(count, whole)))

    def sample(self, sampler: Sampler) -> Dataset:
        """Return the samples in the order of `sampler`. Raises TypeError if it is no Sampler."""
        if not isinstance(sampler, Sampler):
            raise TypeError(
                f"Invalid sampler type: {type(sampler)}. Expected gluon.data.Sampler instead."
            )
        return _Sampled(self, sampler)

    def transform(self, fn: Callable[..., Any], lazy: bool = True) -> Dataset:
        """Apply `fn` to each sample; the parts of a tuple are passed as separate arguments.

        With `lazy`, `fn` is called when a sample is read, otherwise on all samples now.
        """
        changed = _Transformed(self, fn)
        return changed if lazy else SimpleDataset([changed[i] for i in range(len(changed))])

    def transform_first(self, fn: Callable[[Any], Any], lazy: bool = True) -> Dataset:
        """Apply `fn` to the first part of each sample."""
        return self.transform(lambda x, *rest: (fn(x), *rest) if rest else fn(x), lazy)


class SimpleDataset(Dataset):
    """A list, or any other sequence of samples, as a dataset."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx: int) -> Any:
        return self._data[idx]


class _Transformed(Dataset):
    def __init__(self, data: Dataset, fn: Callable[..., Any]) -> None:
        self._data, self._fn = data, fn

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx: int) -> Any:
        sample = self._data[idx]
        return self._fn(*sample) if isinstance(sample, tuple) else self._fn(sample)


class _Sampled(Dataset):
    def __init__(self, data: Dataset, sampler: Sampler) -> None:
        self._data = data
        self._numbers = list(sampler)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, idx: int) -> Any:
        return self._data[self._numbers[idx]]


class ArrayDataset(Dataset):
    """Arrays or lists of the same length: sample i is the tuple of their i-th elements.

    If there is a single array, the sample is its element. Raises AssertionError if the lengths
    differ or no array is given.
    """

    def __init__(self, *args: Any) -> None:
        if not args:
            raise AssertionError("Needs at least 1 arrays")
        self._length = len(args[0])
        self._data = []
        for number, data in enumerate(args):
            if len(data) != self._length:
                raise AssertionError(
                    f"All arrays must have the same length; array[0] has length {self._length} while "
                    f"array[{number}] has {len(data)}."
                )
            self._data.append(
                data.asnumpy() if isinstance(data, NDArray) and data.ndim == 1 else data
            )

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, idx: int) -> Any:
        return (
            self._data[0][idx] if len(self._data) == 1 else tuple(data[idx] for data in self._data)
        )


class RecordFileDataset(Dataset):
    """MXNet's dataset in a RecordIO file, which is not read here: making one raises MXNetError."""

    def __init__(self, filename: str | os.PathLike[str], *options: Any, **more: Any) -> None:
        raise MXNetError(
            f"{os.fspath(filename)}: RecordIO files are not read here - unpack the images into one "
            "folder a class and use gluon.data.vision.ImageFolderDataset"
        )
