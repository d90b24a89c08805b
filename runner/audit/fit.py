"""Which law of independent elements fits the figures of a tensor: uniform, normal, or normal and cut.

Each law gets the numbers that suit it best, and is excluded if the tensor's distribution function, its
largest element, its kurtosis or its skew would happen with it less often than `ALPHA`. Since the
numbers are fitted, the tests exclude a true law more rarely than that. Of the laws that are left, the
likeliest is found; those whose likelihood is within e^7 of it are named too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from initlab.engine import laws
from initlab.runner.audit.found import CUT_2, CUT_3, NORMAL, UNIFORM, UNKNOWN, Found
from initlab.runner.stats.kolmogorov import half_spacing, kolmogorov_smirnov
from initlab.runner.stats.law import two_sided
from initlab.runner.stats.onepass import Summary

ALPHA = 1e-7
"""The probability of excluding a true law, in one test: with a thousand tensors, less than 1e-4."""
OFF_ZERO = 1e-6
"""The probability with which a mean of 0 must be excluded before another one is fitted."""
WITHIN = 7.0
"""Laws whose log likelihoods differ by less are not told apart."""
VALUES = 2048
"""Elements up to which distribution functions are compared at every element."""
TAILS = 200
"""Elements from which kurtosis and skew are compared."""
CUTS = {CUT_2: 2.0, CUT_3: 3.0}
PREFERENCE = {UNIFORM: 0.0, NORMAL: 0.0, CUT_2: 2.0, CUT_3: 4.0}
"""Log likelihood by which a law must be better than a plainer one."""
FEW = "{} elements are too few to tell them apart"


@dataclass(frozen=True)
class Fit:
    """A law, its log likelihood, and the smallest probability of its tests."""

    kind: str
    likelihood: float
    p: float
    numbers: dict[str, float]


@dataclass(frozen=True)
class _Figures:
    """What the fits need: moments about `mean`, which is 0 unless that is excluded."""

    count: int
    mean: float
    rms: float
    low: float
    high: float
    skew: float
    kurtosis: float
    round_low: float
    round_high: float
    """What rounding to the tensor's dtype may have added to the extremes."""

    @property
    def far(self) -> float:
        """The distance of the farthest element from the mean."""
        return max(self.high - self.mean, self.mean - self.low)

    @property
    def rounding(self) -> float:
        return max(self.round_low, self.round_high)


def fit(summary: Summary, values: np.ndarray | None) -> Found:
    """Return the law that fits best; `unknown` if none does. `values` are the elements of a small
    tensor. All elements must be finite, and not all the same.
    """
    fits = candidates(summary, values)
    ok = sorted((one for one in fits if one.p > ALPHA), key=lambda one: -one.likelihood)
    if not ok:
        near = max(fits, key=lambda one: one.p)
        assert summary.std is not None and summary.mean is not None
        numbers = {"std": summary.std} | (
            {"mean": near.numbers["mean"]} if "mean" in near.numbers else {}
        )
        said = f"no law of the catalogue fits; the nearest is {near.kind} with p={near.p:.1e}"
        return Found(UNKNOWN, summary.count, numbers, (said,))
    best = ok[0]
    others = {
        one.kind: FEW.format(summary.count)
        for one in ok[1:]
        if best.likelihood - one.likelihood < WITHIN
    }
    return Found(best.kind, summary.count, best.numbers, (), others)


def candidates(summary: Summary, values: np.ndarray | None) -> list[Fit]:
    """Return every law with the numbers that suit the tensor best."""
    seen = _figures(summary)
    given = values if summary.count <= VALUES else None
    return [
        _uniform(summary, seen, given),
        _normal(summary, seen, given),
        *(_cut(kind, summary, seen, given) for kind in CUTS),
    ]


def _figures(summary: Summary) -> _Figures:
    assert summary.mean is not None and summary.std is not None and summary.rms is not None
    assert summary.low is not None and summary.high is not None
    n, mean = summary.count, summary.mean
    centred = two_sided(mean * math.sqrt(n) / summary.std) > OFF_ZERO
    dtype = summary.binned
    low, high = half_spacing(np.array([summary.low, summary.high]), dtype).tolist()
    return _Figures(
        n,
        0.0 if centred else mean,
        summary.rms if centred else summary.std,
        summary.low,
        summary.high,
        summary.skew or 0.0,
        (summary.kurtosis or 0.0) + 3,
        low,
        high,
    )


def _compared(law: laws.Law, summary: Summary, values: np.ndarray | None) -> float:
    """Return the probability of the distance of distribution functions."""
    found = kolmogorov_smirnov(summary, law, values)
    return 1.0 if found is None else found[1]


def _about(seen: _Figures) -> dict[str, float]:
    return {} if seen.mean == 0 else {"mean": seen.mean}


def _uniform(summary: Summary, seen: _Figures, values: np.ndarray | None) -> Fit:
    """The bound is the farthest element's distance; the other extreme must come near it too."""
    bound = seen.far
    if seen.mean:
        bound = (seen.high - seen.low) / 2
        centre = (seen.high + seen.low) / 2
        law = laws.Uniform(seen.low, seen.high)
        numbers = {"std": bound / math.sqrt(3), "mean": centre, "bound": bound}
        return Fit(
            UNIFORM, -seen.count * math.log(2 * bound) - 3, _compared(law, summary, values), numbers
        )
    law = laws.Uniform(-bound, bound)
    nearer = min(seen.high, -seen.low) + 2 * seen.rounding
    gap = seen.count * max(0.0, 1 - max(0.0, nearer) / bound)
    p = min(_compared(law, summary, values), 2 * math.exp(-gap / 2))
    numbers = {"std": bound / math.sqrt(3), "bound": bound}
    return Fit(UNIFORM, -seen.count * math.log(2 * bound), p, numbers)


def _normal(summary: Summary, seen: _Figures, values: np.ndarray | None) -> Fit:
    n = seen.count
    tail = two_sided(max(0.0, seen.far - seen.rounding) / seen.rms)
    too_far = min(1.0, n * tail)
    nearest = two_sided((seen.far + seen.rounding) / seen.rms)
    too_near = math.exp(n * math.log1p(-nearest)) if nearest < 1 else 0.0
    p = min(2 * too_far, 2 * too_near)
    if n > TAILS:
        heavy = two_sided((seen.kurtosis - 3) / math.sqrt(24 / n))
        p = min(p, heavy if n > 10 * TAILS else math.sqrt(heavy))
        p = min(p, two_sided(seen.skew / math.sqrt(6 / n)))
    if p > ALPHA:
        p = min(p, _compared(laws.Normal(seen.mean, seen.rms), summary, values))
    likelihood = -n * math.log(seen.rms) - n / 2 - n / 2 * math.log(2 * math.pi)
    return Fit(NORMAL, likelihood, p, {"std": seen.rms, **_about(seen)})


def _cut(kind: str, summary: Summary, seen: _Figures, values: np.ndarray | None) -> Fit:
    """The scale is what the spread gives, or what the farthest element asks for."""
    n, cut = seen.count, CUTS[kind]
    unit = laws.TruncatedNormal(0.0, 1.0, -cut, cut)
    error = math.sqrt(((unit.kurtosis or 0.0) + 2) / n) / 2
    least = max(0.0, seen.far - seen.rounding) / cut
    scale = max(least, seen.rms / unit.std * (1 - 4 * error), 1e-300)
    inside = math.erf(cut / math.sqrt(2))
    likelihood = (
        -n * math.log(scale)
        - n / 2 * math.log(2 * math.pi)
        - n * (seen.rms / scale) ** 2 / 2
        - n * math.log(inside)
        - PREFERENCE[kind]
    )
    beyond = two_sided((seen.far + seen.rounding) / scale) - (1 - inside)
    p = 2 * math.exp(n * math.log1p(-min(max(0.0, beyond / inside), 0.999)))
    if least > seen.rms / unit.std:
        p = min(p, two_sided((least * unit.std / seen.rms - 1) / error))
    if p > ALPHA:
        law = laws.TruncatedNormal(seen.mean, scale, -cut, cut)
        p = min(p, _compared(law, summary, values))
    return Fit(kind, likelihood, p, {"std": scale * unit.std, "scale": scale, **_about(seen)})
