"""Singular values of random matrices and of the Jacobians of networks.

Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices", 1967: for an n
x m matrix of independent elements of variance v, the squared singular values divided by n v lie in
((1 - sqrt g)^2, (1 + sqrt g)^2), with the ratio g = m / n <= 1.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.options import choice, positive, whole
from initlab.runner.theory.forms import closed_form

count = whole()

POINTS = 4000
WEIGHTS = ("gaussian", "orthogonal")
NETWORKS = ("linear", "relu")


def _ratio(ratio: float) -> float:
    if not 0 < ratio <= 1:
        raise OptionError(
            "ratio",
            f"must lie above 0 and not above 1 (the shorter side over the longer), got {ratio!r}",
        )
    return ratio


@closed_form
def marchenko_pastur_low(ratio: float) -> float:
    """Return the lower edge of the squared singular values of a random matrix, in units of (longer
    side x variance).

    Formula: (1 - sqrt(ratio))^2

    Source: Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices",
    1967.

    Example: {form: marchenko_pastur_low, ratio: 0.5}
    """
    return (1 - math.sqrt(_ratio(ratio))) ** 2


@closed_form
def marchenko_pastur_high(ratio: float) -> float:
    """Return the upper edge of the squared singular values of a random matrix, in units of (longer
    side x variance).

    Formula: (1 + sqrt(ratio))^2

    Source: Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices",
    1967.

    Example: {form: marchenko_pastur_high, ratio: 0.5}
    """
    return (1 + math.sqrt(_ratio(ratio))) ** 2


def marchenko_pastur_density(x: np.ndarray, ratio: float) -> np.ndarray:
    """Return the density sqrt((b - x)(x - a)) / (2 pi ratio x) between the edges a and b, 0
    elsewhere.
    """
    a, b = marchenko_pastur_low(ratio), marchenko_pastur_high(ratio)
    x = np.asarray(x, np.float64)
    inside = (x > a) & (x < b)
    safe = np.where(inside, x, 1.0)
    return np.where(
        inside, np.sqrt(np.maximum((b - safe) * (safe - a), 0)) / (2 * math.pi * ratio * safe), 0.0
    )


def marchenko_pastur_cdf(x: np.ndarray, ratio: float) -> np.ndarray:
    """Return the distribution function, the integral of the density in closed form."""
    a, b = marchenko_pastur_low(ratio), marchenko_pastur_high(ratio)
    x = np.clip(np.asarray(x, np.float64), a, b)
    half = np.arcsin(np.clip((2 * x - a - b) / (b - a), -1, 1))
    total = np.sqrt((b - x) * (x - a)) + (a + b) / 2 * (half + math.pi / 2)
    if a > 0:  # sqrt(ab) atan of the inversion x -> ab / x
        inverse = np.clip(((a + b) * x - 2 * a * b) / (x * (b - a)), -1, 1)
        total = total - math.sqrt(a * b) * (np.arcsin(inverse) + math.pi / 2)
    return np.clip(total / (2 * math.pi * ratio), 0, 1)


@closed_form
def mean_singular_value(rows: int, columns: int, variance: float) -> float:
    """Return the mean singular value of a matrix of independent elements of this variance.

    For a square matrix it is 8 / (3 pi) sqrt(n variance), as for the layer Jacobians of Glorot and
    Bengio 2010.

    Formula: the integral of sqrt(x) over the Marchenko-Pastur law, times sqrt(longer side x
    variance)

    Source: Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices",
    1967.

    Example: {form: mean_singular_value, rows: 64, columns: 32, variance: 0.01}
    """
    long, short = max(count("rows", rows), count("columns", columns)), min(rows, columns)
    ratio = short / long
    a, b = marchenko_pastur_low(ratio), marchenko_pastur_high(ratio)
    angle = (np.arange(POINTS) + 0.5) * math.pi / POINTS
    x = (a + b) / 2 - (b - a) / 2 * np.cos(angle)  # the density's roots at the edges become sines
    weight = (b - a) / 2 * np.sin(angle) * math.pi / POINTS
    return float(np.sum(np.sqrt(x) * marchenko_pastur_density(x, ratio) * weight)) * math.sqrt(
        long * positive("variance", variance)
    )


@closed_form
def jacobian_variance(weights: str, network: str, depth: int) -> float:
    """Return the variance of the eigenvalues of J J^T over the square of their mean, in a deep
    square network of depth L.

    It is L for linear gaussian, 0 for linear orthogonal, 2L for relu gaussian and L for relu
    orthogonal networks.

    Formula: L (mu2 / mu1^2 - 1 - s1), with s1 = -1 for gaussian weights and 0 for orthogonal ones

    Source: Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through
    dynamical isometry", 2017 (arXiv:1711.04735), eq. 19.

    Example: {form: jacobian_variance, weights: orthogonal, network: relu, depth: 10}
    """
    return float(count("depth", depth) * jacobian_variance_rate(weights, network))


@closed_form
def jacobian_variance_rate(weights: str, network: str) -> float:
    """Return the increase of `jacobian_variance` for each layer.

    Formula: mu2 / mu1^2 - 1 - s1

    Source: Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through
    dynamical isometry", 2017 (arXiv:1711.04735), eq. 19.

    Example: {form: jacobian_variance_rate, weights: gaussian, network: relu}
    """
    first = {"gaussian": -1.0, "orthogonal": 0.0}[choice(WEIGHTS)("weights", weights)]
    moments = {"linear": 1.0, "relu": 2.0}[choice(NETWORKS)("network", network)]
    return moments - 1 - first


@closed_form
def haar_trace(n: int) -> float:
    """Return the mean trace of a Haar orthogonal matrix.

    Formula: E[tr Q] = 0

    Source: Diaconis and Shahshahani, "On the eigenvalues of random matrices", 1994.

    Example: {form: haar_trace, n: 64}
    """
    count("n", n)
    return 0.0


@closed_form
def haar_trace_of_square(n: int) -> float:
    """Return the mean trace of the square of a Haar orthogonal matrix with n > 1 rows.

    Formula: E[tr Q^2] = 1

    Source: Diaconis and Shahshahani, "On the eigenvalues of random matrices", 1994.

    Example: {form: haar_trace_of_square, n: 64}
    """
    whole(2)("n", n)
    return 1.0


@closed_form
def haar_square_of_trace(n: int) -> float:
    """Return the mean squared trace of a Haar orthogonal matrix.

    Formula: E[(tr Q)^2] = 1

    Source: Diaconis and Shahshahani, "On the eigenvalues of random matrices", 1994.

    Example: {form: haar_square_of_trace, n: 64}
    """
    count("n", n)
    return 1.0
