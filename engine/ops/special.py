"""More functions of one argument: roots, logarithms, trigonometry, rounding, and the gamma
function.

Results keep the argument's dtype; for integers they are truncated, as in MXNet.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from initlab.engine.arrays import Array, Library
from initlab.engine.autograd import primitive
from initlab.engine.ops.activation import erf_raw
from initlab.engine.tape import Primitive, Result

# --- functions of the array library, with their derivatives


def _unary(name: str, says: str, derivative: Callable[[Library, Array, Array], Array]) -> Primitive:
    """Return a primitive of the array library's function `name`.

    `derivative(xp, x, y)` is that of y = f(x).
    """

    def function(xp: Library, x: Array) -> Result:
        y = getattr(xp, name)(x).astype(x.dtype, copy=False)
        return y, lambda g: (g * derivative(xp, x, y),)

    function.__name__, function.__doc__ = name, says
    return primitive(function)


tan = _unary("tan", "The tangent.", lambda xp, x, y: 1 + y * y)
arcsin = _unary(
    "arcsin", "The inverse of the sine, in [-pi/2, pi/2].", lambda xp, x, y: 1 / xp.sqrt(1 - x * x)
)
arccos = _unary(
    "arccos", "The inverse of the cosine, in [0, pi].", lambda xp, x, y: -1 / xp.sqrt(1 - x * x)
)
arctan = _unary(
    "arctan", "The inverse of the tangent, in [-pi/2, pi/2].", lambda xp, x, y: 1 / (1 + x * x)
)
sinh = _unary("sinh", "The hyperbolic sine.", lambda xp, x, y: xp.cosh(x))
cosh = _unary("cosh", "The hyperbolic cosine.", lambda xp, x, y: xp.sinh(x))
arcsinh = _unary(
    "arcsinh", "The inverse of the hyperbolic sine.", lambda xp, x, y: 1 / xp.sqrt(x * x + 1)
)
arccosh = _unary(
    "arccosh",
    "The inverse of the hyperbolic cosine, for x >= 1.",
    lambda xp, x, y: 1 / xp.sqrt(x * x - 1),
)
arctanh = _unary(
    "arctanh",
    "The inverse of the hyperbolic tangent, for |x| < 1.",
    lambda xp, x, y: 1 / (1 - x * x),
)
log2 = _unary("log2", "The logarithm to base 2.", lambda xp, x, y: 1 / (math.log(2) * x))
log10 = _unary("log10", "The logarithm to base 10.", lambda xp, x, y: 1 / (math.log(10) * x))
cbrt = _unary("cbrt", "The cube root.", lambda xp, x, y: 1 / (3 * y * y))


@primitive
def reciprocal(xp: Library, x: Array) -> Result:
    """1 / x."""
    y = (1 / x).astype(x.dtype, copy=False)
    return y, lambda g: (-g * y * y,)


@primitive
def rsqrt(xp: Library, x: Array) -> Result:
    """1 / sqrt(x)."""
    y = (1 / xp.sqrt(x)).astype(x.dtype, copy=False)
    return y, lambda g: (g * -0.5 * y / x,)


@primitive
def rcbrt(xp: Library, x: Array) -> Result:
    """1 / cbrt(x)."""
    y = (1 / xp.cbrt(x)).astype(x.dtype, copy=False)
    return y, lambda g: (g * (-1 / 3) * y / x,)


@primitive
def degrees(xp: Library, x: Array) -> Result:
    """180 x / pi."""
    return (x * (180 / math.pi)).astype(x.dtype, copy=False), lambda g: (g * (180 / math.pi),)


@primitive
def radians(xp: Library, x: Array) -> Result:
    """pi x / 180."""
    return (x * (math.pi / 180)).astype(x.dtype, copy=False), lambda g: (g * (math.pi / 180),)


# --- steps, whose gradient is 0


@primitive
def trunc(xp: Library, x: Array) -> Result:
    """x without its fractional part; gradient 0."""
    return xp.trunc(x).astype(x.dtype, copy=False), lambda g: (xp.zeros_like(g),)


@primitive
def rint(xp: Library, x: Array) -> Result:
    """The nearest integer, halves downwards, as in MXNet; gradient 0."""
    below = xp.floor(x)
    return xp.where(x - below <= 0.5, below, xp.ceil(x)).astype(x.dtype, copy=False), lambda g: (
        xp.zeros_like(g),
    )


@primitive
def round_through(xp: Library, x: Array) -> Result:
    """The nearest integer, halves away from zero; the gradient passes unchanged (Bengio et al.
    2013).
    """
    return xp.copysign(xp.floor(xp.abs(x) + 0.5), x).astype(x.dtype, copy=False), lambda g: (g,)


@primitive
def sign_through(xp: Library, x: Array) -> Result:
    """-1, 0 or 1; the gradient passes unchanged (Bengio et al. 2013)."""
    return xp.sign(x), lambda g: (g,)


def _question(name: str, says: str) -> Primitive:
    def question(xp: Library, x: Array) -> Result:
        return getattr(xp, name)(x).astype(x.dtype), lambda g: (None,)

    question.__name__, question.__doc__ = name, says
    return primitive(question)


isnan = _question("isnan", "1 where x is not a number, else 0; no gradient.")
isinf = _question("isinf", "1 where x is infinite, else 0; no gradient.")
isfinite = _question(
    "isfinite", "1 where x is neither infinite nor not a number, else 0; no gradient."
)


@primitive
def logical_not(xp: Library, x: Array) -> Result:
    """1 where x is 0, else 0; no gradient."""
    return (x == 0).astype(x.dtype), lambda g: (None,)


# --- pieces


@primitive
def hard_sigmoid(xp: Library, x: Array, *, alpha: float, beta: float) -> Result:
    """alpha x + beta, limited to [0, 1]."""
    y = xp.clip(alpha * x + beta, 0, 1).astype(x.dtype, copy=False)
    inside = (y > 0) & (y < 1)
    return y, lambda g: (g * alpha * inside,)


@primitive
def smooth_l1(xp: Library, x: Array, *, scalar: float) -> Result:
    """(s x)^2 / 2 for |x| < 1/s^2, else |x| - 1/(2 s^2), with s = `scalar` (Girshick 2015)."""
    square = scalar * scalar
    inner = xp.abs(x) < 1 / square
    y = xp.where(inner, 0.5 * square * x * x, xp.abs(x) - 0.5 / square)
    return y.astype(x.dtype, copy=False), lambda g: (g * xp.where(inner, square * x, xp.sign(x)),)


@primitive
def make_loss(xp: Library, x: Array) -> Result:
    """A copy of x whose gradient is 1, whatever gradient arrives: a network's output (MXNet:
    `make_loss`).
    """
    return x.copy(), lambda g: (xp.ones_like(x),)


@primitive
def scale_gradient(xp: Library, x: Array, *, scalar: float) -> Result:
    """x, with its gradient multiplied by a number."""
    return x.copy(), lambda g: (g * scalar,)


# --- the gamma function

LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
"""Coefficients of Lanczos' approximation with g = 7 (Lanczos 1964; as tabulated by Godfrey), good
to about 1e-15.
"""


def _positive(xp: Library, x: Array) -> tuple[Array, Array, Array]:
    """Return (x in float64, whether x < 1/2, the one of x and 1 - x that is at least 1/2)."""
    wide = x.astype("float64")
    small = wide < 0.5
    return wide, small, xp.where(small, 1 - wide, wide)


def _log_gamma(xp: Library, z: Array) -> Array:
    """Return log Gamma for z >= 1/2."""
    total = LANCZOS[0]
    for i, coefficient in enumerate(LANCZOS[1:]):
        total = total + coefficient / (z + i)
    t = z + 6.5
    return 0.5 * math.log(2 * math.pi) + (z - 0.5) * xp.log(t) - t + xp.log(total)


def _sine(xp: Library, wide: Array) -> tuple[Array, Array]:
    """Return (whether x is no integer, sin(pi x) there and 1 elsewhere)."""
    whole = wide == xp.floor(wide)
    return xp.logical_not(whole), xp.where(
        whole, xp.ones_like(wide), xp.sin(math.pi * (wide - 2 * xp.floor(wide / 2)))
    )


def _digamma(xp: Library, x: Array) -> Array:
    """Return the derivative of log Gamma in float64.

    It uses reflection, recurrence up to 8, then the asymptotic series.
    """
    wide, small, z = _positive(xp, x)
    shift = xp.zeros_like(z)
    for _ in range(8):
        shift = shift + xp.where(z < 8, 1 / z, xp.zeros_like(z))
        z = xp.where(z < 8, z + 1, z)
    q = 1 / (z * z)
    series = q * (
        1 / 12
        - q * (1 / 120 - q * (1 / 252 - q * (1 / 240 - q * (1 / 132 - q * (691 / 32760 - q / 12)))))
    )
    above = xp.log(z) - 0.5 / z - series - shift
    off, sine = _sine(xp, wide)
    cotangent = xp.where(
        off, xp.cos(math.pi * (wide - 2 * xp.floor(wide / 2))) / sine, xp.full_like(wide, math.inf)
    )
    return xp.where(small, above - math.pi * cotangent, above)


@primitive
def gammaln(xp: Library, x: Array) -> Result:
    """log |Gamma(x)|; infinite at 0 and the negative integers."""
    wide, small, z = _positive(xp, x)
    above = _log_gamma(xp, z)
    off, sine = _sine(xp, wide)
    below = xp.where(
        off, math.log(math.pi) - xp.log(xp.abs(sine)) - above, xp.full_like(wide, math.inf)
    )
    y = xp.where(small, below, above).astype(x.dtype)
    return y, lambda g: (g * _digamma(xp, x).astype(x.dtype),)


@primitive
def gamma(xp: Library, x: Array) -> Result:
    """Gamma(x); infinite at 0 and on overflow, NaN at the negative integers."""
    wide, small, z = _positive(xp, x)
    size = xp.exp(xp.minimum(_log_gamma(xp, z), xp.full_like(wide, 709.0)))
    off, sine = _sine(xp, wide)
    size = xp.where(off, size, xp.rint(size))  # Gamma of a whole number is whole
    pole = xp.where(wide == 0, xp.full_like(wide, math.inf), xp.full_like(wide, math.nan))
    value = xp.where(
        small,
        xp.where(off, math.pi / (sine * size), pole),
        xp.where(wide > 171.6, xp.full_like(wide, math.inf), size),
    )
    highest = (
        3.4028234e38 if x.dtype == "float32" else 65504.0 if x.dtype == "float16" else math.inf
    )
    y = xp.where(
        xp.abs(value) > highest, xp.copysign(xp.full_like(wide, math.inf), value), value
    ).astype(x.dtype)
    return y, lambda g: (g * y * _digamma(xp, x).astype(x.dtype),)


CENTRAL = (
    -3.969683028665376e1,
    2.209460984245205e2,
    -2.759285104469687e2,
    1.383577518672690e2,
    -3.066479806614716e1,
    2.506628277459239,
)
CENTRAL_BELOW = (
    -5.447609879822406e1,
    1.615858368580409e2,
    -1.556989798598866e2,
    6.680131188771972e1,
    -1.328068155288572e1,
    1.0,
)
TAIL = (
    -7.784894002430293e-3,
    -3.223964580411365e-1,
    -2.400758277161838,
    -2.549732539343734,
    4.374664141464968,
    2.938163982698783,
)
TAIL_BELOW = (7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0)
"""Acklam's rational approximation of the normal quantile (2003), which two steps of Newton's method
then make exact.
"""


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    total = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total


def _quantile_start(xp: Library, p: Array) -> Array:
    """Return the normal distribution's quantile for 0 < p <= 1/2, to about 1e-9."""
    r = p - 0.5
    s = r * r
    middle = _polynomial(CENTRAL, s) * r / _polynomial(CENTRAL_BELOW, s)
    q = xp.sqrt(-2 * xp.log(p))
    return xp.where(p < 0.02425, _polynomial(TAIL, q) / _polynomial(TAIL_BELOW, q), middle)


@primitive
def erfinv(xp: Library, x: Array) -> Result:
    """The inverse of the error function on (-1, 1); infinite at the ends, NaN beyond."""
    a = xp.abs(x.astype("float64"))
    inside = xp.minimum(a, xp.full_like(a, 1 - 2.0**-53))
    y = _quantile_start(xp, (1 - inside) / 2) * -math.sqrt(0.5)
    for _ in range(2):
        y = y - (erf_raw(xp, y) - inside) * (math.sqrt(math.pi) / 2) * xp.exp(y * y)
    ends = xp.where(a == 1, xp.full_like(a, math.inf), xp.full_like(a, math.nan))
    z = xp.copysign(xp.where(a < 1, y, ends), x.astype("float64")).astype(x.dtype)
    return z, lambda g: (g * (math.sqrt(math.pi) / 2) * xp.exp(z * z),)
