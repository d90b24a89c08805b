"""Whether the elements of a tensor depend on each other, which fresh ones do not.

Training changes whole rows and columns of a weight: some grow, some move, and a few directions grow
beyond what noise has. Each test gives the probability of what is seen if all elements were independent.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.runner.stats.law import two_sided

LEAST = 256
"""Elements from which dependence is looked for."""
CORNER = 384
"""Rows and columns of the corner whose largest singular value is compared."""
STEPS = 24


def dependence(values: np.ndarray, mean: float) -> tuple[float, str]:
    """Return (the smallest probability, what is seen) for a tensor of float64, or rows of one."""
    if values.ndim < 2 or values.size < LEAST:
        return 1.0, ""
    matrix = values.reshape(values.shape[0], -1) - mean
    square = matrix * matrix
    power = float(square.mean())
    if power == 0:
        return 1.0, ""
    kurtosis = float((square * square).mean()) / power**2
    worst = (1.0, "")
    for axis, name in ((1, "rows"), (0, "columns")):
        each, several = matrix.shape[axis], matrix.shape[1 - axis]
        if each >= 4 and several >= 4:
            worst = min(worst, _energy(square, power, kurtosis, axis, name))
            worst = min(worst, _means(matrix, power, axis, name))
    if matrix.shape[1] >= 8:
        pairs = float((matrix[:, 1:] * matrix[:, :-1]).mean()) / power
        z = pairs * math.sqrt(matrix.shape[0] * (matrix.shape[1] - 1))
        worst = min(worst, (two_sided(z), f"neighbours correlate (z={z:.1f})"))
    corner = matrix[:CORNER, :CORNER]
    if min(corner.shape) >= 16:
        worst = min(worst, _largest(corner, math.sqrt(power)))
    return worst


def chi_square(ratio: float, freedom: float) -> float:
    """Return the probability of a mean square at least so large, with so many degrees of freedom.

    Wilson and Hilferty's cube root; 1 if it is not larger than expected.
    """
    if freedom < 1 or ratio < 1:
        return 1.0
    spread = 2 / (9 * freedom)
    return two_sided((ratio ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


def _energy(
    square: np.ndarray, power: float, kurtosis: float, axis: int, name: str
) -> tuple[float, str]:
    energies = square.mean(axis=axis) / power
    each, several = square.shape[axis], square.shape[1 - axis]
    total = float(((energies - 1) ** 2).sum()) * each / max(kurtosis - 1, 0.05)
    # A mean of few squares has a long tail, which takes degrees of freedom.
    freedom = (several - 1) / (1 + 2 * max(0.0, kurtosis + 36 / each) / each)
    ratio = total / (several - 1)
    return min(1.0, 2 * chi_square(ratio, freedom)), f"{name} differ in energy (x{ratio:.2f})"


def _means(matrix: np.ndarray, power: float, axis: int, name: str) -> tuple[float, str]:
    means = matrix.mean(axis=axis)
    ratio = float((means**2).sum()) * matrix.shape[axis] / power / means.size
    return chi_square(ratio, means.size), f"{name} differ in their mean (x{ratio:.2f})"


def _largest(corner: np.ndarray, std: float) -> tuple[float, str]:
    """Compare the largest singular value with the edge of noise (Marchenko and Pastur 1967), in units
    of its deviation (Johnstone 2001). It is approached from below, so never overstated.
    """
    vector = np.random.default_rng(0).standard_normal(corner.shape[1])
    for _ in range(STEPS):
        vector = corner.T @ (corner @ vector)
        vector /= float(np.linalg.norm(vector))
    top = float(np.linalg.norm(corner @ vector)) / std
    longer, shorter = map(math.sqrt, corner.shape)
    edge = longer + shorter
    z = (top - edge) / ((1 / longer + 1 / shorter) ** (1 / 3) / 2)
    p = math.exp(-2 / 3 * z**1.5) if z > 0 else 1.0
    return p, f"one direction is {top / edge:.2f} times as large as noise allows"
