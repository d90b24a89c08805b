"""Iterators over arrays in batches (MXNet: `mx.io`), for code older than `gluon.data`.

Readers of files (ImageRecordIter, CSVIter, …) are not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from initlab.engine import nd
from initlab.engine.arrays import DType
from initlab.engine.nd import NDArray

Given: TypeAlias = NDArray | np.ndarray
Sources: TypeAlias = Given | Sequence[Given] | Mapping[str, Given] | None
"""One array, several, several by name, or none."""
LAST = ("pad", "discard", "roll_over")

__all__ = ["DataBatch", "DataDesc", "DataIter", "NDArrayIter", "ResizeIter"]


class DataDesc(NamedTuple("DataDesc", [("name", str), ("shape", tuple[int, ...])])):
    """The name and shape of an array of a batch; a pair with the attributes dtype and layout."""

    dtype: DType
    layout: str | None

    def __new__(
        cls,
        name: str,
        shape: tuple[int, ...],
        dtype: DType = np.float32,
        layout: str | None = "NCHW",
    ) -> DataDesc:
        made = super().__new__(cls, name, shape)
        made.dtype, made.layout = dtype, layout
        return made

    def __repr__(self) -> str:
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout: str | None) -> int:
        """Return the position of N in a layout, or 0 without one."""
        return 0 if layout is None else layout.find("N")


class DataBatch:
    """The arrays of a batch, those of its labels, and the number `pad` of samples that are too many.

    Raises AssertionError unless `data` and `label` are lists.
    """

    def __init__(
        self,
        data: Sequence[NDArray] | None,
        label: Sequence[NDArray] | None = None,
        pad: int | None = None,
        index: np.ndarray | None = None,
        bucket_key: object = None,
        provide_data: list[DataDesc] | None = None,
        provide_label: list[DataDesc] | None = None,
    ) -> None:
        for name, value in (("Data", data), ("Label", label)):
            if value is not None and not isinstance(value, (list, tuple)):
                raise AssertionError(f"{name} must be list of NDArrays")
        self.data, self.label, self.pad, self.index = data, label, pad, index
        self.bucket_key = bucket_key
        self.provide_data, self.provide_label = provide_data, provide_label

    def __str__(self) -> str:
        data, labels = ([a.shape for a in arrays or ()] for arrays in (self.data, self.label))
        return f"{type(self).__name__}: data shapes: {data} label shapes: {labels or None}"


class DataIter:
    """Base class: a subclass defines `iter_next`, `getdata`, `getlabel`, or `next`, and `reset`."""

    def __init__(self, batch_size: int = 0) -> None:
        self.batch_size = batch_size

    def __iter__(self) -> DataIter:
        return self

    def __next__(self) -> DataBatch:
        return self.next()

    def reset(self) -> None:
        """Start again."""

    def next(self) -> DataBatch:
        """Return the next batch. Raises StopIteration after the last."""
        if not self.iter_next():
            raise StopIteration
        return DataBatch(self.getdata(), self.getlabel(), self.getpad(), self.getindex())

    def iter_next(self) -> bool:
        """Go to the next batch, and return whether there is one."""
        return False

    def getdata(self) -> list[NDArray]:
        """Return the arrays of the current batch."""
        return []

    def getlabel(self) -> list[NDArray]:
        """Return the labels of the current batch."""
        return []

    def getindex(self) -> np.ndarray | None:
        """Return the numbers of the samples of the current batch, if they are known."""
        return None

    def getpad(self) -> int | None:
        """Return how many samples at the end of the current batch are too many."""
        return None


def _named(given: Sources, default: str, allow_empty: bool) -> list[tuple[str, NDArray]]:
    """Return arrays with names, in the order of the names.

    Raises AssertionError if there is none, unless `allow_empty`, and TypeError for other things.
    """
    if given is None or (isinstance(given, (list, tuple)) and not given):
        if not allow_empty:
            raise AssertionError("data must not be empty")
        return []
    if isinstance(given, (NDArray, np.ndarray)):
        given = [given]
    if isinstance(given, (list, tuple)):
        several = len(given) > 1
        given = {f"_{i}_{default}" if several else default: a for i, a in enumerate(given)}
    if not isinstance(given, Mapping):
        raise TypeError(
            "Input must be NDArray, numpy.ndarray, a list of them or dict with them as values"
        )
    for name, value in given.items():
        if not isinstance(value, (NDArray, np.ndarray, list, tuple)):
            raise TypeError(
                f"Invalid type '{type(value)}' for {name}, should be NDArray or numpy.ndarray"
            )
    return sorted((name, v if isinstance(v, NDArray) else nd.array(v)) for name, v in given.items())


class NDArrayIter(DataIter):
    """Batches of arrays in memory: `data` and `label` are arrays, lists of them, or dicts by name.

    The last batch is filled up with the first samples (`pad`), left out (`discard`), or its samples
    begin the next epoch (`roll_over`). `shuffle` uses NumPy's global generator, as in MXNet, at each
    reset. The batch axis is that of N in `layout`. Raises ValueError for another
    `last_batch_handle`.
    """

    def __init__(
        self,
        data: Sources,
        label: Sources = None,
        batch_size: int = 1,
        shuffle: bool = False,
        last_batch_handle: str = "pad",
        data_name: str = "data",
        label_name: str = "softmax_label",
        layout: str = "NCHW",
    ) -> None:
        super().__init__(batch_size)
        if last_batch_handle not in LAST:
            raise ValueError(
                f"last_batch_handle cannot be '{last_batch_handle}' - Known: {', '.join(LAST)}"
            )
        self.data = _named(data, data_name, False)
        self.label = _named(label, label_name, True)
        self.idx = np.arange(self.data[0][1].shape[0])
        self.num_data = len(self.idx)
        self.shuffle, self.last_batch_handle, self.layout = shuffle, last_batch_handle, layout
        self._axis = DataDesc.get_batch_axis(layout)
        self._left = 0
        """With `roll_over`, the number of samples that the last epoch left."""
        self._kept: tuple[list[NDArray], list[NDArray]] | None = None
        self.hard_reset()

    def _described(self, named: list[tuple[str, NDArray]]) -> list[DataDesc]:
        def shape(array: NDArray) -> tuple[int, ...]:
            return (*array.shape[: self._axis], self.batch_size, *array.shape[self._axis + 1 :])

        return [DataDesc(name, shape(a), a.dtype, self.layout) for name, a in named]

    @property
    def provide_data(self) -> list[DataDesc]:
        """The names and shapes of a batch's arrays."""
        return self._described(self.data)

    @property
    def provide_label(self) -> list[DataDesc]:
        """The names and shapes of a batch's labels."""
        return self._described(self.label)

    def hard_reset(self) -> None:
        """Start again, without the samples that the last epoch left."""
        self._left, self._kept = 0, None
        self.cursor = 0
        self.reset()

    def reset(self) -> None:
        """Start again."""
        if self.shuffle:
            np.random.shuffle(self.idx)  # noqa: NPY002
            self.data, self.label = (
                [(name, nd.array(a.asnumpy()[self.idx], ctx=a.context)) for name, a in named]
                for named in (self.data, self.label)
            )
        self.cursor = -self.batch_size - self._left
        self._left = 0

    def iter_next(self) -> bool:
        """Go to the next batch, and return whether there is one."""
        self.cursor += self.batch_size
        return self.cursor < self.num_data

    def next(self) -> DataBatch:
        """Return the next batch. Raises StopIteration after the last."""
        if not self.iter_next():
            raise StopIteration
        if self.cursor + self.batch_size > self.num_data and self.last_batch_handle != "pad":
            if self.last_batch_handle == "roll_over":
                self._left = self.num_data - self.cursor
                self._kept = self.getdata(), self.getlabel()
            raise StopIteration
        batch = DataBatch(self.getdata(), self.getlabel(), self.getpad())
        if self.cursor >= 0 and not self._left:
            self._kept = None
        return batch

    def _part(self, named: list[tuple[str, NDArray]], kept: int) -> list[NDArray]:
        start, end = max(self.cursor, 0), min(self.cursor + self.batch_size, self.num_data)
        parts = [a.slice_axis(axis=self._axis, begin=start, end=end) for _, a in named]
        if self.cursor < 0 and self._kept is not None:
            return [
                nd.concat(old, new, dim=self._axis)
                for old, new in zip(self._kept[kept], parts, strict=True)
            ]
        lacking = self.cursor + self.batch_size - self.num_data
        if lacking <= 0 or self.last_batch_handle != "pad":
            return parts
        again = [
            a.take(nd.array(np.arange(lacking) % self.num_data), axis=self._axis) for _, a in named
        ]
        return [nd.concat(a, b, dim=self._axis) for a, b in zip(parts, again, strict=True)]

    def getdata(self) -> list[NDArray]:
        """Return the arrays of the current batch."""
        return self._part(self.data, 0)

    def getlabel(self) -> list[NDArray]:
        """Return the labels of the current batch."""
        return self._part(self.label, 1)

    def getpad(self) -> int:
        """Return how many samples at the end of the current batch are too many."""
        if self.last_batch_handle == "pad":
            return max(0, self.cursor + self.batch_size - self.num_data)
        return -self.cursor if self.cursor < 0 else 0


class ResizeIter(DataIter):
    """`size` batches of another iterator, which is started again when it ends."""

    def __init__(self, data_iter: DataIter, size: int, reset_internal: bool = True) -> None:
        super().__init__(data_iter.batch_size)
        self.data_iter, self.size, self.reset_internal = data_iter, size, reset_internal
        self.cur = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("provide_data", "provide_label"):
            return getattr(self.data_iter, name)
        raise AttributeError(f"'ResizeIter' object has no attribute '{name}'")

    def reset(self) -> None:
        """Start again; the other iterator only with `reset_internal`."""
        self.cur = 0
        if self.reset_internal:
            self.data_iter.reset()

    def next(self) -> DataBatch:
        """Return the next batch. Raises StopIteration after `size` of them."""
        if self.cur == self.size:
            raise StopIteration
        self.cur += 1
        try:
            return self.data_iter.next()
        except StopIteration:
            self.data_iter.reset()
            return self.data_iter.next()
