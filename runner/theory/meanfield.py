"""Mean-field theory of wide random networks: variances and correlations, layer by layer.

Pre-activations of a wide layer are normal with variance q' = sigma_w^2 E[f(z)^2] + sigma_b^2, z ~
N(0, q): Poole et al., "Exponential expressivity in deep neural networks through transient chaos",
2016 (arXiv:1606.05340). `weight_variance` is sigma_w^2 = Var(w) fan_in, `bias_variance` is
sigma_b^2. Fixed points and depth scales: Schoenholz et al., "Deep information propagation", 2017
(arXiv:1611.01232).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.options import not_negative, positive, whole, within
from initlab.runner.theory import gaussian
from initlab.runner.theory.activations import ACTIVATIONS, LEAKY_SLOPE, nonlinearity
from initlab.runner.theory.forms import closed_form

cosine = within(-1, 1)

LARGEST, SMALLEST = 1e8, 1e-10
"""The interval in which a fixed point of the variance is searched."""
RECTIFIERS = {"relu": 0.0, "leaky": LEAKY_SLOPE, "linear": 1.0}
"""Activation -> slope below 0."""


def second_moment(activation: str | None, q: float) -> float | None:
    """Return E[f(z)^2] for z ~ N(0, q); activation None is the identity.

    Returns None for an unknown activation. Raises ValueError for a negative q.
    """
    if q < 0:
        raise ValueError(f"q is a mean square, it must not be negative, got {q}")
    name = "linear" if activation is None else activation
    return mean_square(name, q) if name in ACTIVATIONS else None


@closed_form
def mean_square(activation: str, q: float) -> float:
    """Return the second moment of an activation of z ~ N(0, q).

    It is q / 2 for relu and (2/pi) asin(2q / (1 + 2q)) for erf.

    Formula: E[f(z)^2]

    Source: He et al. 2015 (arXiv:1502.01852) for relu; Williams, "Computing with infinite
    networks", 1997, for erf.

    Example: {form: mean_square, activation: relu, q: 1}
    """
    f, q = nonlinearity(activation), not_negative("q", q)
    if f.power is not None:
        return float(q * f.power)
    if activation == "erf":
        return 2 / math.pi * math.asin(2 * q / (1 + 2 * q))
    if activation == "sin":
        return -math.expm1(-2 * q) / 2
    return gaussian.mean(lambda z: f.value(z) ** 2, q)


@closed_form
def slope_mean_square(activation: str, q: float) -> float:
    """Return the second moment of an activation's slope at z ~ N(0, q).

    Formula: E[f'(z)^2]

    Source: Schoenholz et al., "Deep information propagation", 2017 (arXiv:1611.01232).

    Example: {form: slope_mean_square, activation: tanh, q: 0.5}
    """
    f, q = nonlinearity(activation), not_negative("q", q)
    if f.power is not None:
        return f.power
    if q == 0:
        return float(f.slope(np.zeros(1))[0] ** 2)
    return gaussian.mean(lambda z: f.slope(z) ** 2, q)


@closed_form
def gain(activation: str) -> float:
    """Return the gain of an activation: weights of variance gain^2 / fan_in keep the second moment
    of units at 1.

    Formula: E[f(z)^2]^(-1/2) for z ~ N(0, 1)

    Source: He et al. 2015 (arXiv:1502.01852), for any activation.

    Example: {form: gain, activation: tanh}
    """
    return float(mean_square(activation, 1.0) ** -0.5)


@closed_form
def mean_product(activation: str, q1: float, q2: float, c: float) -> float:
    """Return the mean product of an activation of two normal variables u, v of variances q1, q2 and
    correlation c.

    Formula: E[f(u) f(v)]

    Source: Cho and Saul, "Kernel methods for deep learning", 2009, for rectifiers; Williams,
    "Computing with infinite networks", 1997, for erf.

    Example: {form: mean_product, activation: relu, q1: 1, q2: 1, c: 0.5}
    """
    f = nonlinearity(activation)
    q1, q2, c = not_negative("q", q1), not_negative("q", q2), cosine("c", c)
    if activation in RECTIFIERS:
        return math.sqrt(q1 * q2) * rectifier_product(RECTIFIERS[activation], c)
    if activation == "erf":
        return (
            2
            / math.pi
            * math.asin(2 * c * math.sqrt(q1 * q2) / math.sqrt((1 + 2 * q1) * (1 + 2 * q2)))
        )
    if activation == "sin":
        return math.exp(-(q1 + q2) / 2) * math.sinh(c * math.sqrt(q1 * q2))
    return gaussian.mean_of_product(f.value, q1, q2, c)


def rectifier_product(below: float, c: float) -> float:
    """Return E[f(u) f(v)] for unit variances and f(x) = x above 0, below * x under it."""
    relu = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / (2 * math.pi)
    return (
        1 - below
    ) ** 2 * relu + below * c  # f = (1 - below) relu + below x, and E[relu(u) v] = c / 2


@closed_form
def relu_correlation(c: float) -> float:
    """Return the correlation after one relu layer without bias.

    Formula: (sqrt(1 - c^2) + c (pi - acos c)) / pi

    Source: Cho and Saul, "Kernel methods for deep learning", 2009.

    Example: {form: relu_correlation, c: 0.5}
    """
    return 2 * rectifier_product(0.0, cosine("c", c))


@closed_form
def relu_correlation_after(c: float, layers: int) -> float:
    """Return the correlation after several relu layers without bias.

    Source: Cho and Saul, "Kernel methods for deep learning", 2009.

    Example: {form: relu_correlation_after, c: 0.5, layers: 10}
    """
    for _ in range(whole(0)("layers", layers)):
        c = relu_correlation(c)
    return c


@closed_form
def variance_map(
    activation: str, q: float, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the variance of the next layer's pre-activations.

    Formula: weight_variance E[f(z)^2] + bias_variance, z ~ N(0, q)

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: variance_map, activation: tanh, q: 1, weight_variance: 1.5}
    """
    w, b = (
        positive("weight_variance", weight_variance),
        not_negative("bias_variance", bias_variance),
    )
    return float(w * mean_square(activation, q) + b)


@closed_form
def variance_after(
    activation: str, q: float, weight_variance: float, bias_variance: float = 0.0, layers: int = 1
) -> float:
    """Return the variance of pre-activations after so many layers.

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: variance_after, activation: tanh, q: 1, weight_variance: 1.5, layers: 10}
    """
    for _ in range(whole(0)("layers", layers)):
        q = variance_map(activation, q, weight_variance, bias_variance)
    return q


@closed_form
def correlation_map(
    activation: str, c: float, q: float, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the correlation of two inputs' pre-activations in the next layer.

    In this layer they have variance q each and correlation c.

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: correlation_map, activation: tanh, c: 0.5, q: 1, weight_variance: 1.5}
    """
    w, b = (
        positive("weight_variance", weight_variance),
        not_negative("bias_variance", bias_variance),
    )
    after = variance_map(activation, positive("q", q), w, b)
    return float((w * mean_product(activation, q, q, c) + b) / after)


@closed_form
def correlation_after(
    activation: str,
    c: float,
    q: float,
    weight_variance: float,
    bias_variance: float = 0.0,
    layers: int = 1,
) -> float:
    """Return the correlation of two inputs' pre-activations after so many layers.

    Their variance changes from layer to layer too.

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: correlation_after, activation: tanh, c: 0.5, q: 1, weight_variance: 1.5, layers:
    10}
    """
    for _ in range(whole(0)("layers", layers)):
        c = min(1.0, max(-1.0, correlation_map(activation, c, q, weight_variance, bias_variance)))
        q = variance_map(activation, q, weight_variance, bias_variance)
    return c


def _bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """Return the point between `low` and `high` at which `f` changes from positive to negative."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if f(middle) > 0 else (low, middle)
    return 0.5 * (low + high)


@closed_form
def fixed_point_variance(
    activation: str, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the variance to which layers converge, the largest if there are several.

    Raises OptionError if the variance grows without bound, or for a rectifier that preserves it.

    Formula: q* = V(q*), with the variance_map V

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: fixed_point_variance, activation: tanh, weight_variance: 1.5, bias_variance:
    0.05}
    """
    w, b = (
        positive("weight_variance", weight_variance),
        not_negative("bias_variance", bias_variance),
    )
    f = nonlinearity(activation)
    if f.power is not None:
        if w * f.power >= 1:
            what = (
                "keeps every length"
                if w * f.power == 1 and b == 0
                else "lets lengths grow without end"
            )
            raise OptionError(
                "weight_variance",
                f"has no fixed point: {w:g} {what} with {activation} and bias variance {b:g}",
            )
        return float(b / (1 - w * f.power))
    grid = np.geomspace(LARGEST, SMALLEST, 145)
    if variance_map(activation, LARGEST, w, b) >= LARGEST:
        raise OptionError(
            "weight_variance",
            f"has no fixed point: with {w:g} lengths grow without end in {activation}",
        )
    above = LARGEST
    for q in grid[1:]:
        if variance_map(activation, float(q), w, b) > q:
            return _bisect(lambda x: variance_map(activation, x, w, b) - x, float(q), above)
        above = float(q)
    return 0.0


@closed_form
def chi1(activation: str, weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return the factor by which a squared gradient, and the distance of two close inputs, changes
    in each layer, at the fixed point of the variance.

    Formula: weight_variance E[f'(z)^2], z ~ N(0, q*)

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: chi1, activation: tanh, weight_variance: 1.5}
    """
    w = positive("weight_variance", weight_variance)
    f = nonlinearity(activation)
    if f.power is not None:
        not_negative("bias_variance", bias_variance)
        return float(w * f.power)
    return float(
        w * slope_mean_square(activation, fixed_point_variance(activation, w, bias_variance))
    )


@closed_form
def critical_weight_variance(activation: str, bias_variance: float = 0.0) -> float:
    """Return the weight variance at which chi1 is 1, on the order-chaos line.

    For example 1.7610 for tanh with bias variance 0.05, and 2 for relu with 0. Raises OptionError
    if there is none: a rectifier with a bias has no finite fixed point there.

    Formula: the sigma_w^2 with chi1 = 1

    Source: Schoenholz et al., "Deep information propagation", 2017 (arXiv:1611.01232).

    Example: {form: critical_weight_variance, activation: tanh, bias_variance: 0.05}
    """
    b = not_negative("bias_variance", bias_variance)
    f = nonlinearity(activation)
    if f.power is not None:
        if b > 0:
            raise OptionError(
                "bias_variance",
                f"must be 0 for {activation}, whose lengths grow without end at chi1 = 1, got {b:g}",
            )
        return 1 / f.power
    low, high = 0.05, 0.05
    while high < 100:
        high *= 1.25
        if chi1(activation, high, b) > 1:
            return _bisect(lambda w: 1 - chi1(activation, w, b), low, high)
        low = high
    raise OptionError(
        "activation",
        f"has no order-chaos line up to a weight variance of 100 with {activation} and bias variance {b:g}",
    )


@closed_form
def fixed_point_correlation(
    activation: str, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the correlation to which two inputs converge.

    It is 1 in the ordered phase and less in the chaotic phase.

    Formula: c* = C(c*), with the correlation_map C

    Source: Poole et al., "Exponential expressivity in deep neural networks through transient
    chaos", 2016 (arXiv:1606.05340).

    Example: {form: fixed_point_correlation, activation: tanh, weight_variance: 4, bias_variance:
    0.05}
    """
    q = fixed_point_variance(activation, weight_variance, bias_variance)
    if q == 0 or chi1(activation, weight_variance, bias_variance) <= 1:
        return 1.0

    def rise(c: float) -> float:
        return correlation_map(activation, c, q, weight_variance, bias_variance) - c

    return _bisect(rise, 0.0, 1 - 1e-9) if rise(0.0) > 0 else 0.0


@closed_form
def depth_scale_correlation(
    activation: str, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the number of layers in which the distance of the correlation from c* falls to 1/e.

    Raises OptionError if it does not fall.

    Formula: -1 / log(weight_variance E[f'(u) f'(v)]) at c*

    Source: Schoenholz et al., "Deep information propagation", 2017 (arXiv:1611.01232).

    Example: {form: depth_scale_correlation, activation: tanh, weight_variance: 4, bias_variance:
    0.05}
    """
    q = fixed_point_variance(activation, weight_variance, bias_variance)
    c = fixed_point_correlation(activation, weight_variance, bias_variance)
    f = nonlinearity(activation)
    rate = weight_variance * (
        gaussian.mean_of_product(f.slope, q, q, c) if q > 0 else slope_mean_square(activation, 0.0)
    )
    return _scale(rate, "correlations")


@closed_form
def depth_scale_variance(
    activation: str, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the number of layers in which the distance of the variance from q* falls to 1/e.

    Raises OptionError if it does not fall.

    Formula: -1 / log(V'(q*)), with the variance_map V

    Source: Schoenholz et al., "Deep information propagation", 2017 (arXiv:1611.01232).

    Example: {form: depth_scale_variance, activation: tanh, weight_variance: 4, bias_variance: 0.05}
    """
    q = fixed_point_variance(activation, weight_variance, bias_variance)
    f = nonlinearity(activation)
    if q == 0 or f.power is not None:
        rate = weight_variance * slope_mean_square(activation, 0.0)
    else:
        root = math.sqrt(q)
        rate = (
            weight_variance * gaussian.mean(lambda u: f.value(u) * f.slope(u) * u / root, q) / root
        )
    return _scale(rate, "lengths")


def _scale(rate: float, what: str) -> float:
    if not 0 < rate < 1:
        raise OptionError(
            "weight_variance",
            f"has no depth scale: {what} change by the factor {rate:.6g} in each layer and "
            "never converge",
        )
    return -1 / math.log(rate)
