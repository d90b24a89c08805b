"""Activations as functions of float64 arrays: value, derivative, and where the derivative jumps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from initlab.engine.options import choice

Function = Callable[[np.ndarray], np.ndarray]
LEAKY_SLOPE = 0.01
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


@dataclass(frozen=True)
class Nonlinearity:
    """An activation with its derivative.

    `power` is E[f(z)^2] for z ~ N(0, 1) if f(a x) = a f(x) for all a > 0, else None.
    """

    value: Function
    slope: Function
    kinked: bool = False
    """Whether the derivative jumps at 0. None of these activations has another jump."""
    power: float | None = None

    @property
    def homogeneous(self) -> bool:
        """Whether f(a x) = a f(x) for all a > 0."""
        return self.power is not None


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _logistic(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(z / 2))


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    found: np.ndarray = 0.5 * (1 + _erf(z / math.sqrt(2)))
    return found


def _normal_density(z: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return found


def _rectifier(below: float) -> Nonlinearity:
    return Nonlinearity(
        lambda z: np.where(z > 0, z, below * z),
        lambda z: np.where(z > 0, 1.0, below),
        below != 1,
        (1 + below * below) / 2,
    )


def _exponential(scale: float, alpha: float) -> Nonlinearity:
    def value(z: np.ndarray) -> np.ndarray:
        return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))

    def slope(z: np.ndarray) -> np.ndarray:
        return scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))

    return Nonlinearity(value, slope, kinked=True)


ACTIVATIONS: dict[str, Nonlinearity] = {
    "linear": Nonlinearity(lambda z: z, np.ones_like, power=1.0),
    "relu": _rectifier(0.0),
    "leaky": _rectifier(LEAKY_SLOPE),
    "tanh": Nonlinearity(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "erf": Nonlinearity(_erf, lambda z: 2 / math.sqrt(math.pi) * np.exp(-z * z)),
    "sigmoid": Nonlinearity(_logistic, lambda z: _logistic(z) * _logistic(-z)),
    "gelu": Nonlinearity(
        lambda z: z * _normal_cdf(z), lambda z: _normal_cdf(z) + z * _normal_density(z)
    ),
    "silu": Nonlinearity(
        lambda z: z * _logistic(z), lambda z: _logistic(z) * (1 + z * _logistic(-z))
    ),
    "elu": _exponential(1.0, 1.0),
    "selu": _exponential(SELU_SCALE, SELU_ALPHA),
    "softrelu": Nonlinearity(lambda z: np.logaddexp(0, z), _logistic),
    "softsign": Nonlinearity(
        lambda z: z / (1 + np.abs(z)), lambda z: (1 + np.abs(z)) ** -2.0, kinked=True
    ),
    "sin": Nonlinearity(np.sin, np.cos),
}
"""By the name in a layer's `activation`; `linear` is the identity."""


def nonlinearity(name: str) -> Nonlinearity:
    """Return the activation of that name. Raises OptionError, with the nearest name, if it is
    unknown.
    """
    return ACTIVATIONS[choice(ACTIVATIONS)("activation", name)]


RELATIVES = {"gelu_tanh": "gelu", "leaky_relu": "leaky", "swish": "silu", "log_sigmoid": "softrelu"}
"""Activations of the engine -> the closest that has closed forms."""
