"""Verdicts: each claim's quantity is estimated with its error, and all claims are judged together.

  reproduced    the prediction lies within z standard errors (and the floor) of the estimate, and z standard
                errors are at most `within`
  refuted       chance explains the deviation with probability `ALPHA` at most, by Holm's rule over all
                claims judged together; or a measured value is not finite
  inconclusive  neither: there are too few samples to tell. `enough` estimates how many would do

A claim of at_least or at_most is reproduced if the estimate is z standard errors on the right side
of the bound. If the error is estimated from few samples, deviations follow Student's distribution,
and z stands for the deviate with the same probability as the normal one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.claims.claim import ELEMENTS, Claim
from initlab.runner.claims.quantity import outermost, paths
from initlab.runner.claims.results import Result, evaluate, not_one, shape
from initlab.runner.claims.sampling import deviate_of, first_enough, holm, tail
from initlab.runner.errors import QuantityError
from initlab.runner.figures.lookup import VARIABLES, Run
from initlab.runner.figures.samples import SAMPLES
from initlab.runner.json_values import JSON

ALPHA = 1e-6
"""The probability at most that any true claim of a family is refuted."""
REPRODUCED, REFUTED, INCONCLUSIVE = "reproduced", "refuted", "inconclusive"
SEED = "seed"


@dataclass(frozen=True)
class Estimate:
    """The mean of the samples, its standard error, and the degrees of freedom of that error."""

    value: float
    error: float
    samples: int
    freedom: float
    points: tuple[float, ...] = ()
    fault: str = ""
    """The place of a value that is not finite."""
    what: str = "runs"


@dataclass(frozen=True)
class Judged:
    """A claim, its estimate and its verdict. `z` is positive if more was measured than predicted."""

    claim: Claim
    estimate: Estimate
    z: float
    probability: float
    verdict: str
    reason: str = ""
    enough: int | None = None

    @property
    def by_floor(self) -> bool:
        """Whether the claim is reproduced only because its floor allows the deviation: its z alone is
        larger than `claim.z`.
        """
        far = self.claim.relation == "equal" and abs(self.z) > self.claim.z
        return far and self.verdict == REPRODUCED

    def describe(self) -> dict[str, JSON]:
        """Return the row as JSON types."""
        c, e = self.claim, self.estimate
        return {
            "id": c.id,
            "verdict": self.verdict,
            "quantity": c.quantity,
            "relation": c.relation,
            "predicted": c.predicted,
            "form": c.form,
            "measured": e.value,
            "error": e.error,
            "z": self.z,
            "p": self.probability,
            "samples": e.samples,
            "of": e.what,
            "floor": c.floor,
            "within": c.within,
            "tolerance_z": c.z,
            "points": list(e.points),
            "reason": self.reason,
            "enough": self.enough,
            "where": c.where,
            "cite": c.cite,
            "note": c.note,
        }


def matching(claim: Claim, results: Sequence[Result]) -> list[Result]:
    """Return the runs that a claim's `where` selects. Raises QuantityError if there are none."""
    for key in claim.where:
        if not any(_has(result, key) for result in results):
            known = sorted({name for result in results for name in result.words})
            said = f"where.{key}: no run has such a key - {advice(key, known)}"
            raise QuantityError(said, unknown=True)
    found = [
        result
        for result in results
        if all(_agrees(result, key, value) for key, value in claim.where.items())
    ]
    if not found:
        asked = ", ".join(f"{key}={value}" for key, value in claim.where.items())
        raise QuantityError(
            f"zero samples: none of the {len(results)} runs has {asked or 'finished'}"
        )
    return found


def _has(result: Result, key: str) -> bool:
    try:
        result.setting(key)
    except KeyError:
        return key in result.words
    return True


def _agrees(result: Result, key: str, value: object) -> bool:
    try:
        found = result.setting(key)
    except KeyError:
        found = None
    return found == value or result.words.get(key) == str(value)


def groups(claim: Claim, results: Sequence[Result]) -> list[list[Result]]:
    """Return the samples of a claim, each a list of runs.

    Samples differ in their seed only; a sample has several runs if a slope runs over them. Raises
    QuantityError if the runs differ in another key.
    """
    own = {str(path) for path in paths(claim.node)}
    axes = {key for name in claim.axes for key in (name, f"vars.{name}")}
    given = [result.words for result in results]
    keys = list(dict.fromkeys(key for one in given for key in one))
    varied = [key for key in keys if len({one.get(key) for one in given}) > 1]
    along = [key for key in varied if key in axes]
    others = [key for key in varied if key not in axes and key != SEED and key not in own]
    if others:
        raise QuantityError(
            f"its runs differ in {', '.join(others)}, which the claim does not mention - choose "
            "runs with 'where'"
        )
    _check_axes(claim, results, along)
    made: dict[str, list[Result]] = {}
    for result, one in zip(results, given, strict=True):
        made.setdefault(str(one.get(SEED)) if along else result.run_id, []).append(result)
    return list(made.values())


def _check_axes(claim: Claim, results: Sequence[Result], along: list[str]) -> None:
    """Raise QuantityError if a slope is along a key that does not exist or is the same in all runs."""
    for name in claim.axes:
        if (
            name in along
            or f"vars.{name}" in along
            or name.partition(".")[0].partition("[")[0] in {"index", *results[0].stats}
        ):
            continue
        if not _has(results[0], name):
            raise QuantityError(
                f"its slope is along '{name}', which is no key of the config - sweep over one, like "
                f"sweep.grid.vars.{name}"
            )
        key = f"vars.{name}" if name in results[0].config.get(VARIABLES, {}) else name
        raise QuantityError(
            f"its slope is along '{name}', which is the same in all runs - sweep over it: "
            f"sweep.grid.{key}"
        )


def estimate(claim: Claim, results: Sequence[Result]) -> Estimate:
    """Estimate the quantity over the runs of the claim.

    Raises QuantityError if they do not have the quantity or it is not a single number for each run.
    """
    found = groups(claim, matching(claim, results))
    if claim.error == ELEMENTS:
        return _over_elements(claim, found)
    values = [evaluate(claim.node, group) for group in found]
    if not all(value.single for value in values):
        raise not_one(max(len(value.values) for value in values))
    points = np.array([value.values[0] for value in values])
    if not np.isfinite(points).all():
        worst = int(np.argmax(~np.isfinite(points)))
        return _faulty(points, values[worst].names[0], found[worst][0])
    count = len(points)
    if isinstance(claim.error, float):
        return Estimate(
            float(points.mean()), claim.error / math.sqrt(count), count, math.inf, tuple(points)
        )
    error = float(points.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return Estimate(float(points.mean()), error, count, count - 1, tuple(points))


def check_shape(claim: Claim, sketched: Run, runs: int) -> None:
    """Raise QuantityError if samples of `runs` runs each cannot have the quantity, or if it is
    several numbers where one is needed.

    `sketched` is one of the runs, with a sketch of its statistics.
    """
    found = shape(claim.node, sketched, runs)
    if claim.error != ELEMENTS and not found.single:
        raise not_one(found.count)


def _over_elements(claim: Claim, found: list[list[Result]]) -> Estimate:
    """Estimate the mean over all values of all runs, each of which is a sample."""
    reduction = outermost(claim.node)
    assert reduction is not None
    name, inner = reduction
    samples = [evaluate(inner, group).map(SAMPLES[name]) for group in found]
    points = np.concatenate([sample.values for sample in samples])
    if not np.isfinite(points).all():
        group, sample = next(
            (g, s) for g, s in zip(found, samples, strict=True) if not np.isfinite(s.values).all()
        )
        return _faulty(points, sample.names[int(np.argmax(~np.isfinite(sample.values)))], group[0])
    count = len(points)
    error = float(points.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return Estimate(float(points.mean()), error, count, count - 1, tuple(points), what="elements")


def _faulty(points: np.ndarray, name: str, result: Result) -> Estimate:
    where = f"{name or 'the quantity'} of run {result.run_id}"
    return Estimate(math.nan, math.nan, len(points), math.inf, tuple(points), fault=where)


def judge(
    claims: Sequence[Claim], estimates: Sequence[Estimate], alpha: float = ALPHA
) -> list[Judged]:
    """Judge all claims together; `alpha` bounds the probability that any true claim is refuted."""
    chances = [_chance(claim, found) for claim, found in zip(claims, estimates, strict=True)]
    refuted = holm([p for p, _ in chances], alpha)
    judged = []
    for claim, found, (p, z), off in zip(claims, estimates, chances, refuted, strict=True):
        judged.append(
            _verdict(
                Judged(claim, found, z, p, REFUTED if off else REPRODUCED),
                alpha / max(1, len(claims)),
            )
        )
    return judged


def _excess(claim: Claim, found: Estimate) -> float:
    """Return the distance of the estimate from the prediction on the wrong side, minus the floor.

    It is negative on the right side of a bound.
    """
    match claim.relation:
        case "equal":
            return max(0.0, abs(found.value - claim.predicted) - claim.floor)
        case "at_least":
            return claim.predicted - claim.floor - found.value
        case "at_most":
            return found.value - claim.predicted - claim.floor
    raise ValueError(claim.relation)


def _chance(claim: Claim, found: Estimate) -> tuple[float, float]:
    """Return (probability of such a deviation by chance, signed normal deviate of that
    probability).
    """
    if found.fault:
        return 0.0, math.nan
    excess = _excess(claim, found)
    sign = 1.0 if found.value >= claim.predicted else -1.0
    sides = 2 if claim.relation == "equal" else 1
    if not math.isfinite(found.error):
        return 1.0, math.nan
    if found.error == 0:
        return (0.0, sign * math.inf) if excess > 0 else (1.0, 0.0)
    raw = tail(max(excess, 0.0) / found.error, found.freedom)
    distance = tail(abs(found.value - claim.predicted) / found.error, found.freedom)
    return min(1.0, sides * raw), sign * deviate_of(distance, math.inf)


def _verdict(judged: Judged, level: float) -> Judged:
    """Return the claim with its final verdict, once it is known whether it is refuted."""
    claim, found = judged.claim, judged.estimate
    if found.fault:
        return replace(judged, verdict=REFUTED, reason=f"not finite: {found.fault}")
    if judged.verdict == REFUTED:
        return replace(
            judged,
            reason=f"measured {found.value:.6g} +- {found.error:.2g}, predicted {_bound(claim)}",
        )
    if not math.isfinite(found.error):
        said = "one sample has no error - sweep over several seeds, or declare the error of one"
        return replace(
            judged, verdict=INCONCLUSIVE, reason=said, enough=_needed(claim, found, level)
        )
    if _agrees_with(claim, found):
        return judged
    enough = _needed(claim, found, level)
    said = (
        f"too few samples to tell: {found.samples} {found.what} give {found.value:.4g} +- "
        f"{found.error:.2g} for {_bound(claim)}"
    )
    return replace(
        judged,
        verdict=INCONCLUSIVE,
        reason=said + ("" if enough is None else f", about {enough} would do"),
        enough=enough,
    )


def _bound(claim: Claim) -> str:
    return {"equal": "", "at_least": "at least ", "at_most": "at most "}[
        claim.relation
    ] + f"{claim.predicted:.6g}"


def _agrees_with(claim: Claim, found: Estimate) -> bool:
    """Return whether the estimate agrees with the prediction and is precise enough to reproduce it."""
    reach = deviate_of(tail(claim.z, math.inf), found.freedom) * found.error
    excess = _excess(claim, found)
    if claim.relation == "equal":
        return excess <= reach and reach + claim.floor <= claim.within * (1 + 1e-12)
    return excess <= -reach if found.error > 0 else excess <= 0


def _needed(claim: Claim, found: Estimate, level: float) -> int | None:
    """Return how many samples like these would suffice to reproduce or refute the claim, or None."""
    if not math.isfinite(found.error) or found.samples < 2 and math.isfinite(found.freedom):
        return None
    spread = found.error * math.sqrt(found.samples)

    def enough(count: int) -> bool:
        freedom = count - 1 if math.isfinite(found.freedom) else math.inf
        more = replace(found, error=spread / math.sqrt(count), samples=count, freedom=freedom)
        refuted = (
            tail(max(_excess(claim, more), 0.0) / more.error, freedom) * 2 <= level
            if more.error
            else True
        )
        return refuted or _agrees_with(claim, more)

    return first_enough(enough, max(2, found.samples + 1))
