"""Windows that move over the spatial axes of an array, for convolution and pooling.

Arrays are (batch, channels, *space) for a caller. Here they are (channels, *space, batch), in this
order in memory too (`inner`): the elements under one position of a window then are long runs, rows
of channels are what BLAS multiplies without a copy, and groups of channels are slices. Results go
back as transposed views (`outer`), so a chain of layers keeps this order and copies nothing.

A window that moves by a stride s meets every s-th element. `Windows.lay` therefore divides each
axis into s phases, phase r with the elements s q + r, so that every position of a window is a slice
without steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from initlab.engine.arrays import Array, Library
from initlab.engine.errors import MXNetError

Sizes = tuple[int, ...]
Index = tuple[slice | int, ...]
ALL = slice(None)


def inner(xp: Library, x: Array) -> Array:
    """Return a view of (batch, channels, *space) as (channels, *space, batch)."""
    return xp.transpose(x, (*range(1, x.ndim), 0))


def outer(xp: Library, x: Array) -> Array:
    """Return a view of (channels, *space, batch) as (batch, channels, *space)."""
    return xp.transpose(x, (x.ndim - 1, *range(x.ndim - 1)))


def packed(x: Array) -> Array:
    """Return x in memory in the order of its axes: itself if it is, else a copy."""
    return x.reshape((x.size,)).reshape(x.shape)


def output_space(
    space: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes, ceil: bool = False
) -> Sizes:
    """Return the number of windows along each axis. Raises MXNetError if the kernel does not fit."""
    result = []
    for n, k, s, p, d in zip(space, kernel, stride, pad, dilate, strict=True):
        room = n + 2 * p - (d * (k - 1) + 1)
        if room < 0:
            raise MXNetError.checked(
                f"kernel {kernel} exceeds the input {space} with padding {pad}"
            )
        result.append((-(-room // s) if ceil else room // s) + 1)
    return tuple(result)


@dataclass(frozen=True)
class Windows:
    """Windows of `kernel` elements, `dilate` apart, over `space` with `pad` elements on both sides.

    There are `out` of them along each axis, `stride` apart. The last may extend beyond the padding.
    """

    space: Sizes
    kernel: Sizes
    stride: Sizes
    pad: Sizes
    dilate: Sizes
    out: Sizes

    @property
    def count(self) -> int:
        """The number of elements of a window."""
        return math.prod(self.kernel)

    @property
    def lengths(self) -> Sizes:
        """The length of a phase along each axis."""
        axes = zip(
            self.space, self.kernel, self.stride, self.pad, self.dilate, self.out, strict=True
        )
        return tuple(
            -(-max(n + 2 * p, s * (o - 1) + d * (k - 1) + 1) // s) for n, k, s, p, d, o in axes
        )

    @property
    def single(self) -> bool:
        """Whether each window is one element of the array, in the array's order."""
        return self.count == 1 and self.out == self.space and all(s == 1 for s in self.stride)

    def _whole(self) -> Sizes:
        """Return the length of each axis with its padding."""
        return tuple(s * q for s, q in zip(self.stride, self.lengths, strict=True))

    def _inside(self) -> Index:
        """Return where the array is within its padding."""
        return (ALL, *(slice(p, p + n) for p, n in zip(self.pad, self.space, strict=True)))

    def lay(self, xp: Library, x: Array, value: float = 0.0) -> Array:
        """Return x (channels, *space, batch) as phases (channels, *stride, *lengths, batch).

        `value` is the value of the padding.
        """
        if self._whole() != self.space:
            whole = xp.full((x.shape[0], *self._whole(), x.shape[-1]), value, dtype=x.dtype)
            whole[self._inside()] = x
            x = whole
        axes, pairs = len(self.space), zip(self.lengths, self.stride, strict=True)
        split = x.reshape((x.shape[0], *itertools.chain.from_iterable(pairs), x.shape[-1]))
        order = (0, *range(2, 2 * axes + 1, 2), *range(1, 2 * axes, 2), 2 * axes + 1)
        return packed(xp.transpose(split, order))

    def unlay(self, xp: Library, phases: Array) -> Array:
        """Undo `lay`: return (channels, *space, batch)."""
        axes = len(self.space)
        order = (0, *itertools.chain.from_iterable((axes + i, i) for i in range(1, axes + 1)))
        split = xp.transpose(phases, (*order, 2 * axes + 1))
        return split.reshape((phases.shape[0], *self._whole(), phases.shape[-1]))[self._inside()]

    def positions(self, rows: slice = ALL) -> list[Index]:
        """Return for each position in a window, in order, the index of its elements in the phases.

        They are (channels, *out, batch). `rows` are the wanted windows along the first axis.
        """
        starts, stops, _ = rows.indices(self.out[0])
        ends = ((starts, stops), *((0, o) for o in self.out[1:]))
        cuts = [
            [(a * d % s, slice(a * d // s + low, a * d // s + high)) for a in range(k)]
            for k, s, d, (low, high) in zip(
                self.kernel, self.stride, self.dilate, ends, strict=True
            )
        ]
        return [
            (ALL, *(phase for phase, _ in at), *(cut for _, cut in at))
            for at in itertools.product(*cuts)
        ]

    def columns(self, xp: Library, phases: Array, rows: slice = ALL) -> Array:
        """Return the elements of all windows, (channels, positions in a window, *out, batch)."""
        parts = [phases[index] for index in self.positions(rows)]
        if len(parts) == 1:
            return parts[0].reshape((parts[0].shape[0], 1, *parts[0].shape[1:]))
        return xp.stack(parts, axis=1)

    def fold(self, xp: Library, pieces: Sequence[Array]) -> Array:
        """Compute the transpose of `columns`: each element gets the sum over its windows.

        A piece is (channels, *out, batch) and belongs to a position in a window; the result is
        (channels, *space, batch).
        """
        channels, batch = pieces[0].shape[0], pieces[0].shape[-1]
        if self.single:
            return pieces[0]
        shape = (channels, *self.stride, *self.lengths, batch)
        phases = xp.zeros(shape, dtype=pieces[0].dtype)
        for index, piece in zip(self.positions(), pieces, strict=True):
            phases[index] += piece
        return self.unlay(xp, phases)
