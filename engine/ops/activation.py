"""Activation functions by name, softmax, and the mask of dropout. `ACTIVATIONS` has the values of a
layer's `activation`.
"""

from __future__ import annotations

import math

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.ops.elementwise import sin
from initlab.engine.tape import Result

LEAKY_SLOPE = 0.01
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


@primitive
def relu(xp: Library, x: Array) -> Result:
    """The rectifier; its gradient at 0 is 0.

    Formula: max(x, 0)

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """
    return xp.maximum(x, xp.zeros_like(x)), lambda g: (g * (x > 0),)


def _logistic(xp: Library, x: Array) -> Array:
    small = xp.exp(-xp.abs(x))  # never overflows
    return xp.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype, copy=False)


@primitive
def sigmoid(xp: Library, x: Array) -> Result:
    """The logistic function, from 0 to 1.

    Formula: 1 / (1 + e^-x)

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
    1986.
    """
    y = _logistic(xp, x)
    return y, lambda g: (g * y * (1 - y),)


@primitive
def tanh(xp: Library, x: Array) -> Result:
    """The hyperbolic tangent, from -1 to 1.

    Formula: (e^x - e^-x) / (e^x + e^-x)

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.
    """
    y = xp.tanh(x)
    return y, lambda g: (g * (1 - y * y),)


@primitive
def softrelu(xp: Library, x: Array) -> Result:
    """A smooth rectifier, also called softplus.

    Formula: log(1 + e^x)

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", 2000; MXNet: `softrelu`.
    """
    return xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x))), lambda g: (
        g * _logistic(xp, x),
    )


@primitive
def softsign(xp: Library, x: Array) -> Result:
    """From -1 to 1 like tanh, but slower.

    Formula: x / (1 + |x|)

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    d = 1 + xp.abs(x)
    return x / d, lambda g: (g / (d * d),)


def erf_raw(xp: Library, x: Array) -> Array:
    """Return the error function in float64, accurate to about 1e-15: its power series near 0, and a
    continued fraction of its complement beyond 3.
    """
    wide = x.astype("float64")
    a = xp.abs(wide)
    near = xp.minimum(a, xp.full_like(a, 3.0))
    square = near * near
    term = near
    total = near
    for n in range(1, 60):
        term = term * square * (2.0 / (2 * n + 1))
        total = total + term
    inner = 2 / math.sqrt(math.pi) * xp.exp(-square) * total
    far = xp.minimum(xp.maximum(a, xp.full_like(a, 3.0)), xp.full_like(a, 20.0))
    fraction = far
    for n in range(40, 0, -1):
        fraction = far + n / 2 / fraction
    outer = 1 - xp.exp(-far * far) / math.sqrt(math.pi) / fraction
    return xp.copysign(xp.where(a < 3, inner, outer), wide)


@primitive
def erf(xp: Library, x: Array) -> Result:
    """The error function, from -1 to 1.

    Formula: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x

    Source: Williams, "Computing with infinite networks", 1997.
    """
    y = erf_raw(xp, x).astype(x.dtype)
    return y, lambda g: (g * (2 / math.sqrt(math.pi)) * xp.exp(-x * x),)


@primitive
def gelu(xp: Library, x: Array) -> Result:
    """The Gaussian error linear unit, with the exact normal distribution function.

    Formula: x Phi(x)

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """
    phi = (0.5 * (1 + erf_raw(xp, x / math.sqrt(2)))).astype(x.dtype)
    return x * phi, lambda g: (g * (phi + x * xp.exp(-x * x / 2) * (1 / math.sqrt(2 * math.pi))),)


@primitive
def gelu_tanh(xp: Library, x: Array) -> Result:
    """The Gaussian error linear unit as GPT-2 and BERT compute it.

    Formula: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016; openai/gpt-2, src/model.py.
    """
    square = x * x
    t = xp.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * square))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * square)
    y = (0.5 * x * (1 + t)).astype(x.dtype, copy=False)
    return y, lambda g: (g * 0.5 * (1 + t + x * (1 - t * t) * slope),)


@primitive
def silu(xp: Library, x: Array) -> Result:
    """The sigmoid linear unit, also called swish.

    Formula: x / (1 + e^-x)

    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", 2018.
    """
    s = _logistic(xp, x)
    return x * s, lambda g: (g * (s + x * s * (1 - s)),)


@primitive
def elu(xp: Library, x: Array, *, alpha: float = 1.0) -> Result:
    """A rectifier that ends smoothly at -alpha; as an activation by name alpha is 1.

    Formula: x for x > 0, else alpha (e^x - 1)

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", 2016.
    """
    below = alpha * xp.expm1(xp.minimum(x, xp.zeros_like(x)))
    return xp.where(x > 0, x, below).astype(x.dtype, copy=False), lambda g: (
        g * xp.where(x > 0, xp.ones_like(x), below + alpha),
    )


@primitive
def selu(xp: Library, x: Array) -> Result:
    """The scaled exponential linear unit, with which LeCun's initializer keeps mean 0 and variance
    1.

    Formula: 1.0507 x for x > 0, else 1.7581 (e^x - 1)

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", 2017.
    """
    below = SELU_ALPHA * xp.expm1(xp.minimum(x, xp.zeros_like(x)))
    slope = xp.where(x > 0, xp.ones_like(x), below + SELU_ALPHA)
    y = (SELU_SCALE * xp.where(x > 0, x, below)).astype(x.dtype, copy=False)
    return y, lambda g: (g * SELU_SCALE * slope,)


@primitive
def leaky(xp: Library, x: Array, *, slope: float = LEAKY_SLOPE) -> Result:
    """A rectifier with a slope below 0; as an activation by name the slope is 0.01.

    Formula: x for x > 0, else slope x

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models",
    2013.
    """
    factor = xp.where(x > 0, xp.ones_like(x), xp.full_like(x, slope))
    return x * factor, lambda g: (g * factor,)


@primitive
def prelu(xp: Library, x: Array, slopes: Array) -> Result:
    """x for x > 0, else slope x, with one slope or one for each channel (He et al. 2015).

    Channels are axis 1, or axis 0 of a vector.
    """
    axis = 1 if x.ndim > 1 else 0
    form = tuple(-1 if a == axis else 1 for a in range(x.ndim))
    factor = xp.where(x > 0, xp.ones_like(x), slopes.reshape(form) * xp.ones_like(x))
    shared = tuple(a for a in range(x.ndim) if slopes.size == 1 or a != axis)

    def vjp(g: Array) -> tuple[Array, Array]:
        below = g * xp.minimum(x, xp.zeros_like(x))
        return g * factor, (xp.sum(below, axis=shared) if shared else below).reshape(slopes.shape)

    return x * factor, vjp


ACTIVATIONS = {
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "softrelu": softrelu,
    "softsign": softsign,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "elu": elu,
    "selu": selu,
    "leaky": leaky,
    "erf": erf,
    "sin": sin,
}


@primitive
def softmax(xp: Library, x: Array, *, axis: int = -1) -> Result:
    """e^x / sum e^x along an axis."""
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    y = e / xp.sum(e, axis=axis, keepdims=True)
    return y, lambda g: (y * (g - xp.sum(g * y, axis=axis, keepdims=True)),)


@primitive
def log_softmax(xp: Library, x: Array, *, axis: int = -1) -> Result:
    """log softmax along an axis, computed without overflow."""
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    y = shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))
    return y, lambda g: (g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True),)


@primitive
def masked(xp: Library, x: Array, *, mask: Array) -> Result:
    """x times a mask of the same shape, given as a raw array; used by dropout."""
    return x * mask, lambda g: (g * mask,)
