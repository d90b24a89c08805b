"""Draws for each element of arrays of parameters: `nd.sample_…` (MXNet).

The result has the shape of the parameters, or (*parameters, *shape). They are the functions of
`nd.random` with MXNet's other names for the parameters.
"""

from __future__ import annotations

from initlab.engine.arrays import DType
from initlab.engine.nd import random
from initlab.engine.nd.creation import Shape
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array


def _checked(**parameters: NDArray) -> None:
    for name, value in parameters.items():
        check_array(value, name)


def sample_uniform(
    low: NDArray,
    high: NDArray,
    shape: Shape | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
) -> NDArray:
    """Draw from U[low, high) for each pair of bounds."""
    _checked(low=low, high=high)
    return random.uniform(low, high, shape, dtype, out=out)


def sample_normal(
    mu: NDArray,
    sigma: NDArray,
    shape: Shape | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
) -> NDArray:
    """Draw from N(mu, sigma^2) for each pair."""
    _checked(mu=mu, sigma=sigma)
    return random.normal(mu, sigma, shape, dtype, out=out)


def sample_gamma(
    alpha: NDArray,
    beta: NDArray,
    shape: Shape | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
) -> NDArray:
    """Draw from gamma distributions of shape alpha and scale beta."""
    _checked(alpha=alpha, beta=beta)
    return random.gamma(alpha, beta, shape, dtype, out=out)


def sample_exponential(
    lam: NDArray, shape: Shape | None = None, dtype: DType = None, out: NDArray | None = None
) -> NDArray:
    """Draw from exponential distributions of rate lam."""
    _checked(lam=lam)
    return random.exponential(1.0 / lam, shape, dtype, out=out)


def sample_poisson(
    lam: NDArray, shape: Shape | None = None, dtype: DType = None, out: NDArray | None = None
) -> NDArray:
    """Draw from Poisson distributions of mean lam, as floats."""
    _checked(lam=lam)
    return random.poisson(lam, shape, dtype, out=out)


def sample_negative_binomial(
    k: NDArray,
    p: NDArray,
    shape: Shape | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
) -> NDArray:
    """Draw the numbers of failures before the k-th success of probability p, as floats."""
    _checked(k=k, p=p)
    return random.negative_binomial(k, p, shape, dtype, out=out)


def sample_generalized_negative_binomial(
    mu: NDArray,
    alpha: NDArray,
    shape: Shape | None = None,
    dtype: DType = None,
    out: NDArray | None = None,
) -> NDArray:
    """Draw from negative binomial distributions of mean mu and variance mu + alpha mu^2, as floats."""
    _checked(mu=mu, alpha=alpha)
    return random.generalized_negative_binomial(mu, alpha, shape, dtype, out=out)


def random_exponential(
    lam: float = 1.0, shape: Shape | None = None, dtype: DType = None, out: NDArray | None = None
) -> NDArray:
    """Draw from an exponential distribution of rate lam."""
    return random.exponential(1.0 / lam, shape, dtype, out=out)


SAMPLERS = (
    sample_uniform, sample_normal, sample_gamma, sample_exponential, sample_poisson,
    sample_negative_binomial, sample_generalized_negative_binomial, random_exponential,
)  # fmt: skip
"""Every function of this module."""
