"""The record of a construction: a dispatch mode that notes every operation which writes to memory.

Fresh memory that an operation leaves as it is (`torch.empty` and its kin) is filled with NaN, integers
with their largest value, so that what nobody writes can be seen. The mode fills it itself: no setting
of torch is changed, no random number is drawn, and a build gives the bits it would give unwatched.

Memory is known by its storage. The record of a storage that is gone is dropped, unless a value that is
still there was made from it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from initlab.runner.torch.watch.record.places import Place, place, text

EMPTY = {
    "aten.empty",
    "aten.empty_like",
    "aten.empty_strided",
    "aten.empty_permuted",
    "aten.new_empty",
    "aten.new_empty_strided",
}
"""Operations that give memory as it is."""
UNSEEN = {"aten.lift_fresh", "aten.lift", "aten.lift_fresh_copy"}
"""Operations that hand over a tensor whose values were made outside of torch's operations."""
ORDERED = ("sub", "div")
"""Operations that are not the same the other way round."""
FEWEST = 4096
"""Storages on record before those that are gone are looked for."""


class View(NamedTuple):
    """Which elements of a storage: the first, the sizes and the strides, in elements of `width` bytes."""

    first: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    width: int


class Event:
    """An operation that wrote to a storage.

    `made` says that the storage came with it; `unset`, that it left the memory as it was. `view` is
    None for the whole storage. `scattered` says that only some elements of the view were written,
    chosen by values. `sources` are the last events of the tensors that were read, `before` the one
    before this on the same storage.
    """

    __slots__ = (
        "arguments", "before", "drawn", "made", "number", "op", "overwrites", "place", "scattered",
        "sources", "unset", "view",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        kind: Kind,
        arguments: tuple[object, ...],
        where: Place,
        view: View | None,
        sources: tuple[Event, ...],
        before: Event | None,
        made: bool,
    ) -> None:
        self.number, self.op, self.arguments, self.place = number, kind.name, arguments, where
        self.view, self.sources, self.before, self.made = view, sources, before, made
        self.unset, self.scattered = kind.unset, kind.scattered
        self.drawn, self.overwrites = kind.drawn, kind.overwrites

    @property
    def past(self) -> Iterator[Event]:
        """This event and those before it on the same storage, the latest first."""
        event: Event | None = self
        while event is not None:
            yield event
            event = event.before

    def __str__(self) -> str:
        return f"{self.op}({', '.join(map(text, self.arguments))})"


@dataclass(frozen=True)
class Kind:
    """What an operation does, from its schema."""

    name: str
    writes: tuple[tuple[int, str], ...]
    """(Position, name) of the arguments that it writes to."""
    fresh: bool
    """Whether its results have memory of their own."""
    unset: bool
    lifts: bool
    drawn: bool
    scattered: bool
    overwrites: bool


OVERWRITING = {
    "fill_", "zero_", "copy_", "normal_", "uniform_", "random_", "exponential_", "bernoulli_",
    "cauchy_", "log_normal_", "geometric_", "index_put_", "index_fill_", "index_copy_", "scatter_",
    "masked_fill_", "masked_scatter_", "fill_diagonal_",
}  # fmt: skip
"""Operations in place whose result does not depend on what was there."""
SCATTERING = (
    "index_put", "scatter", "masked", "index_copy", "index_fill", "index_add", "put_",
    "fill_diagonal",
)  # fmt: skip


@cache
def kind_of(func: Any) -> Kind:
    """Return what an operation does."""
    name = str(func).rsplit(".", 1)[0]
    arguments, returns = func._schema.arguments, func._schema.returns
    writes = tuple(
        (number, one.name)
        for number, one in enumerate(arguments)
        if one.alias_info is not None and one.alias_info.is_write
    )
    lifts = name in UNSEEN
    fresh = lifts or (not writes and any(one.alias_info is None for one in returns))
    short = name.removeprefix("aten.")
    return Kind(
        short,
        writes,
        fresh,
        name in EMPTY or short == "resize_",
        lifts,
        torch.Tag.nondeterministic_seeded in func.tags,
        short.startswith(SCATTERING),
        not writes or short in OVERWRITING or any(name == "out" for _, name in writes),
    )


class Recording(TorchDispatchMode):
    """Notes what is written while it is entered. `last(tensor)` gives the last event of a tensor's
    storage.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[int, tuple[Any, Event]] = {}
        self._limit = FEWEST
        self._number = 0

    def __len__(self) -> int:
        """The number of storages on record."""
        return len(self._last)

    def last(self, tensor: Any) -> Event | None:
        """Return the last event of the storage, or None if none was seen."""
        found = self._last.get(_key(tensor))
        return None if found is None else found[1]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Perform the operation and note what it wrote."""
        kind = kind_of(func)
        kwargs = kwargs or {}
        if not kind.writes and not kind.fresh:
            return func(*args, **kwargs)
        if kind.name == "set_":  # gives a tensor other memory, and writes none
            return func(*args, **kwargs)
        if kind.unset and kind.writes:  # resize_: only what is added is unset
            before = args[0].untyped_storage().nbytes()
        out = func(*args, **kwargs)
        if kind.unset and kind.writes:
            if args[0].untyped_storage().nbytes() > before:
                _fill_from(args[0], before)
            return out
        if kind.unset:
            _fill(out)
        if kind.writes:
            targets = [args[at] if at < len(args) else kwargs.get(name) for at, name in kind.writes]
        else:
            targets = [out]
        for target in targets:
            for tensor in target if isinstance(target, (list, tuple)) else (target,):
                if isinstance(tensor, torch.Tensor) and tensor.device.type != "meta":
                    self._note(kind, tensor, args, kwargs)
        return out

    def _note(self, kind: Kind, tensor: Any, args: Any, kwargs: Any) -> None:
        try:
            storage = tensor.untyped_storage()
        except (RuntimeError, NotImplementedError):
            return  # a subclass without memory of its own
        if storage.device.type == "meta":
            return  # a fake tensor
        key = storage._cdata
        known = self._last.get(key)
        if kind.lifts and known is not None:
            return
        numbers, sources = self._read(tensor, args)
        if kind.name in ORDERED and args[0].ndim == 0:
            numbers = []  # a number less a tensor is no tensor less a number
        elif numbers and "alpha" in kwargs:
            numbers.append(kwargs["alpha"])
        made = known is None and not kind.writes
        event = Event(
            self._number,
            kind,
            tuple(numbers),
            place(3),
            None if made else _view(tensor, storage),
            tuple(sources),
            None if known is None else known[1],
            made,
        )
        self._number += 1
        self._last[key] = (known[0] if known is not None else StorageWeakRef(storage), event)
        if len(self._last) > self._limit:
            self._forget()

    def _read(self, written: Any, args: Any) -> tuple[list[object], list[Event]]:
        """Return the numbers and the events of the tensors that an operation was given."""
        numbers: list[object] = []
        sources: list[Event] = []
        for value in args:
            if isinstance(value, (int, float)):
                numbers.append(value)
                continue
            for one in value if isinstance(value, (list, tuple)) else (value,):
                if not isinstance(one, torch.Tensor) or one is written:
                    continue
                if one.ndim == 0 and one.device.type == "cpu":
                    numbers.append(one.item())
                    continue
                found = self.last(one)
                if found is not None:
                    sources.append(found)
        return numbers, sources

    def _forget(self) -> None:
        """Drop the record of storages that are gone; their number is kept in proportion."""
        self._last = {key: one for key, one in self._last.items() if not one[0].expired()}
        self._limit = max(FEWEST, 2 * len(self._last))


def _key(tensor: Any) -> int:
    try:
        key: int = tensor.untyped_storage()._cdata
    except (RuntimeError, NotImplementedError):
        return 0
    return key


def _view(tensor: Any, storage: Any) -> View | None:
    width = tensor.element_size()
    if tensor.numel() * width == storage.nbytes() and tensor.storage_offset() == 0:
        return None
    return view_of(tensor)


def view_of(tensor: Any) -> View:
    """Return which elements of its storage a tensor has."""
    return View(
        tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()), tensor.element_size()
    )


def unset_value(dtype: Any) -> float | int | bool:
    """Return what memory of this type is filled with."""
    if dtype.is_floating_point or dtype.is_complex:
        return float("nan")
    return True if dtype == torch.bool else int(torch.iinfo(dtype).max)


def _fill(tensor: Any) -> None:
    """Fill a tensor that has all of its memory. Bytes of ones are NaN in every floating type; torch's own
    filling would use all cores, and cost a busy machine many times as much.
    """
    plain = type(tensor) is torch.Tensor and tensor.layout == torch.strided
    if not plain or tensor.device.type == "meta" or not tensor.numel():
        return
    dtype, storage = tensor.dtype, tensor.untyped_storage()
    dense = tensor.numel() * tensor.element_size() == len(storage)
    if tensor.device.type == "cpu" and dense and (dtype.is_floating_point or dtype.is_complex):
        ctypes.memset(storage.data_ptr(), 0xFF, len(storage))
    else:
        _quietly(lambda: tensor.fill_(unset_value(dtype)))


def _fill_from(tensor: Any, first: int) -> None:
    """Fill what a storage has beyond its first bytes."""
    if tensor.device.type == "meta":
        return
    width = tensor.element_size()
    have = tensor.untyped_storage().nbytes() // width
    rest = tensor.new_empty(0).set_(
        tensor.untyped_storage(), -(-first // width), (have - -(-first // width),)
    )
    _fill(rest)


def _quietly(act: Callable[[], object]) -> None:
    """Perform a filling; types without one keep what they hold."""
    try:
        act()
    except (RuntimeError, NotImplementedError, TypeError):
        return
