"""Figures of one signal: a layer's output for a batch, and the loss's gradient by it.

All sums are in float64. The first axis is the batch; `units` names the axis of channels or features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

NEAR = 1e-6
"""Units whose signals differ by less than this, relative to their length, are copies of each other."""
PROBES = 3
"""Random projections by which signals are compared."""


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

    @property
    def size(self) -> int:
        """The number of elements of one sample."""
        return math.prod(self.shape[1:])


def rms_of(values: np.ndarray) -> float:
    """Return the root mean square of all elements, 0 without any."""
    wide = np.asarray(values, np.float64).ravel()
    return float(np.sqrt(np.square(wide).mean())) if wide.size else 0.0


def alike(values: np.ndarray) -> float | None:
    """Return the mean cosine between two different samples of `values` (batch, …).

    It is (|sum of unit vectors|^2 - n) / (n (n - 1)). Samples that are 0 have no direction and are
    left out; None if fewer than two are left.
    """
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    largest = np.abs(flat).max(1) if flat.size else np.zeros(len(flat))
    flat = flat[(largest > 0) & np.isfinite(largest)]
    if len(flat) < 2:
        return None
    flat = flat / np.abs(flat).max(1, keepdims=True)
    flat /= np.sqrt(np.square(flat).sum(1, keepdims=True))
    total, count = flat.sum(0), len(flat)
    return float((total @ total - count) / (count * (count - 1)))


def by_unit(values: np.ndarray, axis: int) -> np.ndarray:
    """Return `values` as (units, elements of one unit)."""
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def silent_in(units: np.ndarray) -> float:
    """Return the fraction of units (units, elements) that are 0 everywhere."""
    return float((units == 0).all(1).mean())


def copies_in(units: np.ndarray, gradients: np.ndarray | None) -> float:
    """Return the fraction of units that equal another one in signal and in gradient.

    Both are (units, elements). A unit without signal and gradient is silent and no copy. Units are
    compared by random projections, which differ with certainty for units that do.
    """
    parts = [units] if gradients is None else [units, gradients]
    if len(units) < 2:
        return 0.0
    lines = []
    random = np.random.Generator(np.random.Philox(0))
    for part in parts:
        wide = np.asarray(part, np.float64)
        if not np.isfinite(wide).all():
            return 0.0
        scale = np.sqrt(np.square(wide).sum(1).max()) or 1.0
        lines.append(wide @ random.standard_normal((wide.shape[1], PROBES)) / scale)
    seen = np.concatenate(lines, 1)
    alive = np.abs(seen).max(1) > NEAR
    seen = seen[alive]
    if len(seen) < 2:
        return 0.0
    order = np.argsort(seen[:, 0], kind="stable")
    close = (np.abs(np.diff(seen[order], axis=0)) < NEAR).all(1)
    equal = np.zeros(len(seen), bool)
    equal[:-1] |= close
    equal[1:] |= close
    return float(equal.sum() / len(units))
