"""One layer of finite width with normal weights: the exact distribution of the output's length.

A layer of `width` units with weights N(0, weight_variance / fan_in) maps h to y with |y|^2 / n =
(weight_variance |h|^2 / fan_in) S, for any h. S is the mean over the units of f(g)^2 with g ~ N(0,
1). For a linear layer width * S is chi-square with `width` degrees of freedom; for relu the degrees
of freedom are binomial. The relative variance of S is 5 / width for relu; Hanin and Rolnick, "How
to start training", 2018 (arXiv:1803.01719), sum it over layers.
"""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.options import choice, positive, whole
from initlab.runner.theory.forms import closed_form

count = whole()


KINDS = ("linear", "relu")


@closed_form
def length_variance(width: int, activation: str = "relu") -> float:
    """Return the variance of |y|^2 over the square of its mean.

    Of a linear layer width |y|^2 is chi-square.

    Formula: 5 / width for relu, 2 / width for a linear layer

    Source: Hanin and Rolnick, "How to start training", 2018 (arXiv:1803.01719).

    Example: {form: length_variance, width: 128}
    """
    return float(
        {"linear": 2.0, "relu": 5.0}[choice(KINDS)("activation", activation)]
        / count("width", width)
    )


def _digamma(most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return psi(k / 2) and psi'(k / 2) for k = 1 … most, by recurrence from 1/2 and 1."""
    psi, psi1 = np.empty(most + 1), np.empty(most + 1)
    euler = 0.5772156649015329
    psi[1], psi1[1] = -euler - 2 * math.log(2), math.pi**2 / 2
    if most > 1:
        psi[2], psi1[2] = -euler, math.pi**2 / 6
    for k in range(3, most + 1):
        x = (k - 2) / 2
        psi[k], psi1[k] = psi[k - 2] + 1 / x, psi1[k - 2] - 1 / x**2
    return psi[1:], psi1[1:]


def _active(width: int, activation: str) -> np.ndarray:
    """Return the probability that k = 1 … width units are active, given that at least one is."""
    if activation == "linear":
        found: np.ndarray = np.eye(width)[-1]
        return found
    k = np.arange(1, width + 1)
    logs = np.array(
        [math.lgamma(width + 1) - math.lgamma(i + 1) - math.lgamma(width - i + 1) for i in k]
    ) - width * math.log(2)
    return np.exp(logs) / -math.expm1(-width * math.log(2))


@closed_form
def log_length_ratio(width: int, weight_variance: float, activation: str = "relu") -> float:
    """Return the mean logarithm of rms after over rms before of one layer; for relu given that a
    unit is active.

    By Jensen's inequality it is a little less than log(weight_variance / 2) / 2.

    Formula: E[log(rms after / rms before)]

    Source: Hanin and Rolnick, "How to start training", 2018 (arXiv:1803.01719).

    Example: {form: log_length_ratio, width: 128, weight_variance: 2}
    """
    width, activation = count("width", width), choice(KINDS)("activation", activation)
    psi, _ = _digamma(width)
    mean = float(_active(width, activation) @ (psi + math.log(2)))
    return 0.5 * (mean + math.log(positive("weight_variance", weight_variance) / width))


@closed_form
def log_length_error(width: int, activation: str = "relu", layers: int = 1) -> float:
    """Return the standard deviation of the mean of log(rms after / rms before) over so many layers.

    Source: Hanin and Rolnick, "How to start training", 2018 (arXiv:1803.01719).

    Example: {form: log_length_error, width: 128, layers: 30}
    """
    width, activation = count("width", width), choice(KINDS)("activation", activation)
    psi, psi1 = _digamma(width)
    p = _active(width, activation)
    variance = float(p @ (psi1 + (psi - p @ psi) ** 2))
    return 0.5 * math.sqrt(variance / count("layers", layers))


@closed_form
def forward_factor(weight_variance: float, slope: float = 0.0) -> float:
    """Return the factor of E[x^2] for each relu layer.

    Formula: weight_variance (1 + slope^2) / 2

    Source: He et al., "Delving deep into rectifiers", 2015 (arXiv:1502.01852), eq. 10.

    Example: {form: forward_factor, weight_variance: 2}
    """
    return float(positive("weight_variance", weight_variance) * (1 + slope * slope) / 2)


@closed_form
def backward_factor(weight_variance: float, fan_in: int, fan_out: int, slope: float = 0.0) -> float:
    """Return the factor of a squared gradient for each relu layer.

    Formula: fan_out Var(w) (1 + slope^2) / 2, with Var(w) = weight_variance / fan_in

    Source: He et al., "Delving deep into rectifiers", 2015 (arXiv:1502.01852), eq. 14.

    Example: {form: backward_factor, weight_variance: 2, fan_in: 64, fan_out: 128}
    """
    return float(
        forward_factor(weight_variance, slope) * count("fan_out", fan_out) / count("fan_in", fan_in)
    )
