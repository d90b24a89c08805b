"""Figures of one signal: a layer's output for a batch, and the loss's gradient by it.

All sums are in float64, over one block of elements after the other, so that no copy of a large array
is made. The first axis is the batch; `units` names the axis of channels or features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from initlab.runner.measures.layers import RANGES, saturated

NEAR = 1e-6
"""Units whose signals differ by less than this, relative to their length, are copies of each other."""
PROBES = 3
"""Random projections by which signals are compared."""
ROUNDING = 1e-10
"""A variance of at most this part of the mean square may be rounding."""
BLOCK = 1 << 16
"""Elements that are looked at together: they stay in the processor's cache."""


@dataclass(frozen=True)
class Signal:
    """A signal after a stage.

    `rms` and `largest` are those of all elements; `largest` is the largest size, inf or NaN if an
    element is. `zeros` is the fraction of elements that are exactly 0. `cosine` is the mean cosine
    between two samples, None for a single sample or one without length. `units` is the number of
    units; `silent` is the fraction of them that are 0 for every sample and position, `copies` the
    fraction that another unit equals in signal and gradient. `saturated` is the fraction of values
    near an end of the activation's range, None without such an end. `gradient` is the rms of the
    loss's gradient, None if the loss does not depend on the signal.
    """

    shape: tuple[int, ...]
    rms: float
    largest: float
    zeros: float
    cosine: float | None
    units: int
    silent: float
    copies: float
    saturated: float | None
    gradient: float | None
    common: float | None = None
    common_back: float | None = None
    error: float | None = None

    @property
    def size(self) -> int:
        """The number of elements of one sample."""
        return math.prod(self.shape[1:])


def signal_of(
    values: np.ndarray, gradient: np.ndarray | None, activation: str | None, axis: int | None
) -> Signal:
    """Return the figures of a signal (batch, …), and of the loss's gradient by it, of the same shape.

    Units lie along `axis`; by default along 1 for images (batch, channels, height, width), else
    along the last.
    """
    shaped = values if values.ndim > 1 else values.reshape(-1, 1)
    axis = axis if axis is not None else (1 if shaped.ndim == 4 else shaped.ndim - 1)
    units = Units.of(shaped, axis)
    back = None
    if gradient is not None:
        back = Units.of(gradient.reshape(shaped.shape), axis)
    floats = values.dtype.kind not in "iu"
    return Signal(
        shape=tuple(values.shape),
        rms=units.rms,
        largest=units.largest,
        zeros=units.zeros,
        cosine=alike(values) if floats else None,
        units=len(units.squares),
        silent=units.silent if floats else 0.0,
        copies=copies_in(units, back) if floats and back is not None and values.ndim > 1 else 0.0,
        saturated=saturated(np.asarray(values, np.float64), activation)
        if activation in RANGES
        else None,
        gradient=None if back is None else back.rms,
        common=units.common if floats else None,
        error=error_of(values) if floats else None,
        common_back=None if back is None else back.common,
    )


@dataclass(frozen=True)
class Units:
    """Figures of an array by its units.

    `squares` is the sum of squares of each, `sums` its sum, `alive` whether it is anywhere not 0,
    `lines` its random projections (units, PROBES). `mean_squares` is the sum of squares of the mean
    unit, and `size` the number of all elements.
    """

    rms: float
    largest: float
    zeros: float
    squares: np.ndarray
    alive: np.ndarray
    lines: np.ndarray
    sums: np.ndarray
    mean_squares: float
    size: int

    @property
    def common(self) -> float | None:
        """The variance of the mean unit against the mean variance of a unit; None where nothing
        varies.
        """
        each = self.size / max(1, len(self.sums))
        if not each or not math.isfinite(self.largest):
            return None
        of_one = self.squares.sum() / self.size - np.square(self.sums / each).mean()
        of_mean = self.mean_squares / each - (self.sums.mean() / each) ** 2
        return float(of_mean / of_one) if of_one > ROUNDING * self.rms**2 else None

    @property
    def silent(self) -> float:
        """The fraction of units that are 0 everywhere."""
        return float((~self.alive).mean()) if self.alive.size else 0.0

    @classmethod
    def of(cls, values: np.ndarray, axis: int, random: np.random.Generator | None = None) -> Units:
        """Return the figures of an array of at least one axis, whose units lie along `axis`.

        Arrays of one shape have the same projections if they are given generators in one state.
        """
        random = projections() if random is None else random
        axis %= values.ndim
        count = values.shape[axis]
        squares, sums, lines = np.zeros(count), np.zeros(count), np.zeros((count, PROBES))
        mean_squares = 0.0
        alive, largest, zeros = np.zeros(count, bool), 0.0, 0
        for part in _parts(values, axis):
            wide = np.asarray(part, np.float64)
            squares += np.einsum("bua,bua->u", wide, wide)
            sums += np.einsum("bua->u", wide)
            mean_squares += float(np.square(np.einsum("bua->ba", wide) / count).sum())
            nothing = wide == 0
            alive |= ~nothing.all((0, 2))
            zeros += np.count_nonzero(nothing)
            largest = _larger(largest, wide)
            directions = random.standard_normal((len(wide), wide.shape[2], PROBES))
            lines += np.einsum("bua,bap->up", wide, directions)
        size = max(1, values.size)
        rms = float(np.sqrt(squares.sum() / size))
        return cls(
            rms, largest, zeros / size, squares, alive, lines, sums, mean_squares, values.size
        )


def projections() -> np.random.Generator:
    """Return the generator of the random projections, from its start."""
    return np.random.Generator(np.random.Philox(0))


def _parts(values: np.ndarray, axis: int) -> Iterator[np.ndarray]:
    """Yield parts (a, units, b) of an array, of about `BLOCK` elements each, in C order."""
    if values.size == 0:
        return
    count = values.shape[axis]
    after = math.prod(values.shape[axis + 1 :])
    seen = values.reshape(-1, count, after)
    rows, width = max(1, BLOCK // (count * after)), max(1, BLOCK // count)
    for first in range(0, len(seen), rows):
        for start in range(0, after, width):
            yield seen[first : first + rows, :, start : start + width]


def _larger(largest: float, wide: np.ndarray) -> float:
    """Return the largest size of all elements, NaN if one is."""
    return float(np.maximum(largest, np.maximum(wide.max(), -wide.min())))


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all elements in float64, a block after the other."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        yield np.asarray(flat[start : start + BLOCK], np.float64)


def _square(wide: np.ndarray) -> float:
    """Return the squared length of a block. BLAS would wake its threads for each."""
    return float(np.einsum("i,i->", wide, wide))


def rms_of(values: np.ndarray) -> float:
    """Return the root mean square of all elements, 0 without any."""
    total = sum(map(_square, _blocks(values)))
    return math.sqrt(total / values.size) if values.size else 0.0


def error_of(values: np.ndarray) -> float | None:
    """Return the standard error of the rms of `values` (batch, …) as a part of it; None for fewer than
    two samples, and without a finite size.
    """
    if len(values) < 2 or values.size == 0:
        return None
    squares = np.array([sum(map(_square, _blocks(sample))) for sample in values])
    mean = squares.mean()
    if not 0 < mean < math.inf:
        return None
    return float(squares.std(ddof=1) / math.sqrt(len(values)) / mean / 2)


def zeros_in(values: np.ndarray) -> float:
    """Return the fraction of elements that are exactly 0."""
    flat = values.reshape(-1)
    parts = (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))
    return sum(np.count_nonzero(part == 0) for part in parts) / max(1, flat.size)


def rms_between(a: np.ndarray, b: np.ndarray) -> float:
    """Return the root mean square of the difference of two arrays of one shape."""
    blocks = zip(_blocks(a), _blocks(b), strict=True)
    total = sum(_square(x - y) for x, y in blocks)
    return math.sqrt(total / a.size) if a.size else 0.0


def alike(values: np.ndarray) -> float | None:
    """Return the mean cosine between two different samples of `values` (batch, …).

    It is (|sum of unit vectors|^2 - n) / (n (n - 1)). Samples that are 0 have no direction and are
    left out; None if fewer than two are left.
    """
    flat = values.reshape(len(values), -1)
    if flat.size == 0:
        return None
    largest = np.maximum(np.asarray(flat.max(1), np.float64), -np.asarray(flat.min(1), np.float64))
    kept = (largest > 0) & np.isfinite(largest)
    count = int(kept.sum())
    if count < 2:
        return None
    flat = flat if count == len(flat) else flat[kept]
    scale = largest[kept]
    width = max(1, BLOCK // count)
    starts = range(0, flat.shape[1], width)

    def columns(start: int) -> np.ndarray:
        return np.asarray(flat[:, start : start + width], np.float64) / scale[:, None]

    lengths = np.sqrt(sum(np.einsum("ij,ij->i", x, x) for x in map(columns, starts)))
    total = sum(_square(np.einsum("i,ij->j", 1 / lengths, columns(start))) for start in starts)
    return (total - count) / (count * (count - 1))


def copies_in(units: Units, gradients: Units | None) -> float:
    """Return the fraction of units that equal another one in signal and in gradient.

    A unit without signal and gradient is silent and no copy. Units are compared by random
    projections, which differ with certainty for units that do.
    """
    parts = [units] if gradients is None else [units, gradients]
    count = len(units.squares)
    if count < 2 or not all(math.isfinite(part.largest) for part in parts):
        return 0.0
    seen = np.concatenate([part.lines / (np.sqrt(part.squares.max()) or 1.0) for part in parts], 1)
    alive = np.abs(seen).max(1) > NEAR
    seen = seen[alive]
    if len(seen) < 2:
        return 0.0
    order = np.argsort(seen[:, 0], kind="stable")
    close = (np.abs(np.diff(seen[order], axis=0)) < NEAR).all(1)
    equal = np.zeros(len(seen), bool)
    equal[:-1] |= close
    equal[1:] |= close
    return float(equal.sum() / count)
