"""Closed forms about random networks; knows no run.

`second_moment` is the map of Poole et al. 2016 (arXiv:1606.05340), eq. 3, for one layer: the mean square of an activation whose input is
Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

NODES = 200
"""Points of the Gauss-Hermite quadrature, which is exact far beyond float64's digits for these smooth functions."""


def _phi(z: np.ndarray) -> np.ndarray:
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in z.ravel()]).reshape(z.shape)


SMOOTH: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 0.5 * (1 + np.tanh(z / 2)),
    "gelu": lambda z: z * _phi(z),
    "silu": lambda z: z * 0.5 * (1 + np.tanh(z / 2)),
}


def second_moment(activation: str | None, q: float) -> float | None:
    """E[f(z)^2] for z ~ N(0, q); None for an activation that is not known here, `None` is the identity.

    relu: q / 2 (He et al. 2015, arXiv:1502.01852, section 2.2); leaky (slope 0.01, the activation of that name): q (1 + 0.01^2) / 2; the
    smooth ones by quadrature. ValueError for a negative q.
    """
    if q < 0:
        raise ValueError(f"q is a mean square, it must not be negative, got {q}")
    if activation is None:
        return q
    if activation == "relu":
        return q / 2
    if activation == "leaky":
        return q * (1 + 0.01**2) / 2
    if activation not in SMOOTH:
        return None
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    values = SMOOTH[activation](math.sqrt(q) * nodes)
    return float(weights @ (values * values)) / math.sqrt(2 * math.pi)
