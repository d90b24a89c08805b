"""Means of functions of normal variables, by Gauss-Legendre quadrature on panels.

The panels are split where the function has a kink; Gauss-Hermite quadrature ignores kinks and is
then wrong in the third digit. Beyond 12 standard deviations the density is below the precision of
float64.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from initlab.runner.theory.activations import Function

REACH = 12.0
PANELS, NODES = 24, 20
INNER_PANELS, INNER_NODES = 10, 16


@cache
def _unit(panels: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of a composite rule on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    starts = np.arange(panels)[:, None]
    return ((starts + (x + 1) / 2) / panels).ravel(), np.tile(w / 2 / panels, panels)


@cache
def line() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the standard normal measure, split at 0."""
    t, w = _unit(PANELS // 2, NODES)
    z = np.concatenate([-REACH * t[::-1], REACH * t])
    weights = np.concatenate([w[::-1], w]) * REACH * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return z, weights


def mean(f: Function, q: float) -> float:
    """Return E[f(z)] for z ~ N(0, q); f must be smooth except at 0."""
    z, weights = line()
    return float(weights @ f(math.sqrt(q) * z))


def mean_of_product(f: Function, q1: float, q2: float, c: float) -> float:
    """Return E[f(u) f(v)] for normal u, v of variances q1, q2 and correlation c.

    f must be smooth except at 0.
    """
    x, weights = line()
    rest = math.sqrt(max(0.0, 1 - c * c))
    if rest < 1e-9:
        return float(weights @ (f(math.sqrt(q1) * x) * f(math.copysign(math.sqrt(q2), c) * x)))
    cut = np.clip(-c * x / rest, -REACH, REACH)[:, None]  # where v is 0
    t, w = _unit(INNER_PANELS, INNER_NODES)
    inner = np.zeros_like(x)
    for low, high in ((np.full_like(cut, -REACH), cut), (cut, np.full_like(cut, REACH))):
        z = low + (high - low) * t
        density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        inner += (f(math.sqrt(q2) * (c * x[:, None] + rest * z)) * density * (high - low)) @ w
    return float(weights @ (f(math.sqrt(q1) * x) * inner))
