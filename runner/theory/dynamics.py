"""Learning in deep linear networks, and the fixed point of sine networks."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.options import positive, whole, within
from initlab.runner.theory.forms import closed_form

count = whole()

NODES = 200


@closed_form
def deep_linear_time(depth: float, start: float, strength: float, fraction: float = 0.9) -> float:
    """Return the time in which a mode's strength grows from `start` to `fraction` of `strength`.

    `strength` is the teacher's; learning is gradient flow of rate 1, of `depth` layers D of
    orthogonal, balanced weights. Raises OptionError for values outside its domain.

    Formula: the time that du/dt = D u^(2 - 2/D) (strength - u) takes

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014 (arXiv:1312.6120), eq. 15.

    Example: {form: deep_linear_time, depth: 3, start: 0.01, strength: 1}
    """
    u, end = _ends(start, strength, fraction)
    power = 2 - 2 / count("depth", int(depth))
    x, w = np.polynomial.legendre.leggauss(NODES)
    log_u = math.log(u) + (x + 1) / 2 * (math.log(end) - math.log(u))
    points = np.exp(log_u)
    return (
        float(w @ (points ** (1 - power) / (strength - points)))
        * (math.log(end) - math.log(u))
        / 2
        / depth
    )


@closed_form
def deep_linear_limit(start: float, strength: float, fraction: float = 0.9) -> float:
    """Return the limit of depth times `deep_linear_time` as depth grows.

    Formula: the integral of du / (u^2 (strength - u)) from start to fraction of strength

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014 (arXiv:1312.6120).

    Example: {form: deep_linear_limit, start: 0.01, strength: 1}
    """
    u, end = _ends(start, strength, fraction)
    s = strength
    return (1 / u - 1 / end) / s + math.log(end * (s - u) / (u * (s - end))) / s**2


@closed_form
def deep_linear_strength(depth: int, start: float, strength: float, time: float) -> float:
    """Return the strength of a mode after `time`: the inverse of `deep_linear_time`.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014 (arXiv:1312.6120), eq. 15.

    Example: {form: deep_linear_strength, depth: 3, start: 0.01, strength: 1, time: 5}
    """
    positive("time", time)
    low, high = start / strength, 1 - 1e-12
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (
            (middle, high)
            if deep_linear_time(depth, start, strength, middle) < time
            else (low, middle)
        )
    return 0.5 * (low + high) * strength


def _ends(start: float, strength: float, fraction: float) -> tuple[float, float]:
    s, u = positive("strength", strength), positive("start", start)
    end = within(1e-12, 1 - 1e-12)("fraction", fraction) * s
    if u >= end:
        raise OptionError(
            "start", f"must lie below {fraction:g} of the strength, {end:g}, got {u!r}"
        )
    return u, end


@closed_form
def siren_variance(scale: float = 1.0) -> float:
    """Return the variance to which the input of each sine converges in a sine network, for any w0.

    Weights are U(+-sqrt(6 / n) / w0), times `scale`. The mean square of the sine of N(0, s) is (1 -
    e^(-2s)) / 2, and the next sine's input has twice that variance. The paper's text rounds it to
    1.

    Formula: the positive root of s = scale^2 (1 - e^(-2s)), 0.7968 for scale 1

    Source: Sitzmann et al., "Implicit neural representations with periodic activation functions",
    2020 (arXiv:2006.09661), supplement.

    Example: {form: siren_variance, scale: 1}
    """
    factor = positive("scale", scale) ** 2
    if 2 * factor <= 1:
        return 0.0
    s = factor
    for _ in range(200):
        s = s - (s + factor * math.expm1(-2 * s)) / (1 - 2 * factor * math.exp(-2 * s))
    return float(s)


@closed_form
def siren_std(scale: float = 1.0) -> float:
    """Return the square root of `siren_variance`: 0.8926 for scale 1.

    Source: Sitzmann et al., "Implicit neural representations with periodic activation functions",
    2020 (arXiv:2006.09661), supplement.

    Example: {form: siren_std, scale: 1}
    """
    return math.sqrt(siren_variance(scale))


@closed_form
def sine_mean_square(variance: float) -> float:
    """Return the second moment of the sine of z ~ N(0, variance).

    Formula: (1 - e^(-2 variance)) / 2

    Source: Sitzmann et al., "Implicit neural representations with periodic activation functions",
    2020 (arXiv:2006.09661), supplement.

    Example: {form: sine_mean_square, variance: 1}
    """
    return -math.expm1(-2 * positive("variance", variance)) / 2
