"""One row of the plan: the law and the stream of one parameter, why they were chosen, and its size.

Any part of the parameter can be drawn from its row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from initlab.engine import dtypes, laws
from initlab.engine.errors import StreamError
from initlab.engine.streams import VERSION, Key
from initlab.runner.excerpt import counted, shortened
from initlab.runner.json_values import JSON

CHUNK = 1 << 20
"""Elements drawn at a time if a selection takes only a part of each row."""
Index: TypeAlias = int | slice | EllipsisType
Selection: TypeAlias = Index | tuple[Index, ...]
"""A whole number, a slice, `...`, or a tuple of these, one for each axis from the first."""


@dataclass(frozen=True, repr=False)
class Row:
    """The plan of one parameter. An alias has the law and the key of its owner, and 0 bytes."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    roles: tuple[str, ...] | None
    fan_in: int | None
    fan_out: int | None
    shape_fans: tuple[int, int] | None
    """(fan_in, fan_out) by MXNet's rule from the shape alone, if they differ from the fans of the
    roles.
    """
    rule: str
    """The place in the config that chose the initializer: `init`, `init.rules[0]`,
    `model.layers[1].weight_initializer`.
    """
    initializer: str
    law: laws.Law
    key: Key | None
    """The key of the parameter's own stream; None for another library's stream, which all parameters
    share.
    """
    stream: str
    """The version of the stream."""
    alias_of: str | None
    bytes: int
    lr_mult: float = 1.0
    """The factor of the learning rate for the parameter."""
    frozen: bool = False
    """Whether it is not trained, though it could be."""

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "scalar"
        law = shortened(str(self.law)) if self.alias_of is None else f"= {self.alias_of}"
        return f"Row({self.path}: {shape} {self.dtype}, {law}, chosen by {self.rule})"

    def draw(self, selection: Selection = slice(None)) -> np.ndarray:
        """Return the parameter's first values, or the part that basic indexing selects.

        A selection is a whole number, a slice, `...`, or a tuple of these, one for each axis from
        the first; the rules are the same for every law. Only the rows of the first axis that
        contain it are drawn where the law allows it. An alias draws its owner's values. Raises
        IndexError for any other selection or one that the shape does not allow, StreamError if the
        stream depends on the order of draws, and LawError for a user's own code, whose values only
        a run gives.
        """
        everything = isinstance(selection, slice) and selection == slice(None)
        axes = [] if everything else _each_axis(selection, self.path, self.shape)
        if self.key is None:
            raise StreamError(
                f"'{self.path}' cannot be drawn alone: stream {self.stream} is drawn from in order - use "
                f"{VERSION}"
            )
        if not axes or not self.law.sliceable:
            found: np.ndarray = self.law.draw(self.key, self.shape, self.dtype)
            return found[tuple(axes)] if axes else found
        first, *inner = axes
        rows = range(self.shape[0])[first]
        if isinstance(rows, int):
            return self._rows(rows, rows + 1).reshape(self.shape[1:])[tuple(inner)]
        parts = [
            self._rows(start, stop)[::step][(slice(None), *inner)]
            for start, stop, step in _chunks(rows, math.prod(self.shape[1:]))
        ]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def _rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows start … stop - 1 of the first axis."""
        assert self.key is not None
        width = math.prod(self.shape[1:])
        values = np.empty((stop - start) * width, dtypes.resolve(self.dtype))
        self.law.fill(self.key, self.shape, start * width, values)
        return values.reshape(stop - start, *self.shape[1:])

    def describe(self) -> dict[str, JSON]:
        """Return the row as JSON types."""
        return {
            "path": self.path,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "roles": None if self.roles is None else list(self.roles),
            "fan_in": self.fan_in,
            "fan_out": self.fan_out,
            "shape_fans": None if self.shape_fans is None else list(self.shape_fans),
            "rule": self.rule,
            "initializer": self.initializer,
            "law": self.law.describe(),
            "law_text": str(self.law),
            "mean": self.law.mean,
            "std": self.law.std,
            "exactness": self.law.exactness,
            "stream": {"version": self.stream} | key_text(self.key),
            "alias_of": self.alias_of,
            "bytes": self.bytes,
            **({"lr_mult": self.lr_mult} if self.lr_mult != 1 else {}),
            **({"frozen": True} if self.frozen else {}),
        }


def _each_axis(selection: Selection, path: str, shape: tuple[int, ...]) -> list[int | slice]:
    """Return the selection of each axis, with `...` expanded. Raises IndexError if it does not fit."""
    parts = selection if isinstance(selection, tuple) else (selection,)
    size = f"'{path}' has {counted(shape[0], 'row') if shape else 'no rows'}, shape {shape}"
    for part in parts:
        if not (part is ... or _is_whole(part) or _is_slice(part)):
            raise IndexError(
                f"{size}: it is selected with whole numbers, slices of them (no step of 0) and ... "
                f"only, got {selection!r}"
            )
    dots = sum(part is ... for part in parts)
    missing = len(shape) - (len(parts) - dots)
    if dots > 1:
        raise IndexError(f"{size}: a selection has one ... at most, got {selection!r}")
    if missing < 0:
        raise IndexError(f"{size}: {selection!r} selects from more axes than it has")
    at = next((number for number, part in enumerate(parts) if part is ...), len(parts))
    found: list[int | slice] = [
        *(part for part in parts[:at] if not isinstance(part, EllipsisType)),
        *[slice(None)] * missing,
        *(part for part in parts[at:] if not isinstance(part, EllipsisType)),
    ]
    for axis, (part, length) in enumerate(zip(found, shape, strict=True)):
        if not isinstance(part, slice) and not -length <= part < length:
            raise IndexError(f"{size}: there is no {part} on axis {axis}, which has {length}")
    return found


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_slice(value: object) -> bool:
    """Return whether this is a slice of whole numbers, or None, with a step that is not 0."""
    if not isinstance(value, slice):
        return False
    ends = (value.start, value.stop, value.step)
    return all(end is None or _is_whole(end) for end in ends) and value.step != 0


def _chunks(rows: range, width: int) -> Iterator[tuple[int, int, int]]:
    """Return (start, stop, step) of spans of the first axis that together contain the rows.

    Each span has few elements; with a negative step they run backwards. Elements between the rows
    are drawn only if the rows are closer than a span is long.
    """
    if not rows:
        yield 0, 0, 1
    most = max(1, CHUNK // max(1, width * abs(rows.step)))
    for at in range(0, len(rows), most):
        part = rows[at : at + most]
        yield min(part[0], part[-1]), max(part[0], part[-1]) + 1, rows.step


def key_text(key: Key | None) -> dict[str, JSON]:
    """Return a stream's key as JSON types, or None."""
    if key is None:
        return {}
    return {
        "path": key.path,
        "generation": key.generation,
        "key": [f"{word:016x}" for word in key.words],
    }
