"""The chart of a claim as data: the values of its quantity, and where the prediction puts them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from initlab.runner.claims.claim import Claim
from initlab.runner.claims.judge import groups, matching
from initlab.runner.claims.quantity import (
    COLUMN,
    FUNCTIONS,
    INDEX,
    SLOPE,
    Call,
    Node,
    outermost,
)
from initlab.runner.claims.results import Result, evaluate
from initlab.runner.figures.path import Path

BACK: dict[str, Callable[[float], float]] = {
    "mean": lambda x: x,
    "log_mean": math.exp,
    "mean_square": lambda x: math.sqrt(max(x, 0.0)),
}
BACK |= dict.fromkeys(("min", "max", "median"), lambda x: x)
"""Reduction -> what a value must be, all alike, for the reduction to give x."""


@dataclass(frozen=True)
class Picture:
    """Samples at places: `samples[i]` are the values at `x[i]`, labelled `names[i]`; `theory[i]` is
    the prediction there.

    `what` labels the vertical axis, `along` the horizontal one. `log_x` and `log_y` say whether the
    claim is about logarithms.
    """

    x: np.ndarray
    samples: tuple[np.ndarray, ...]
    theory: np.ndarray
    names: tuple[str, ...]
    what: str
    along: str
    log_x: bool = False
    log_y: bool = False


def picture(claim: Claim, results: Sequence[Result]) -> Picture:
    """Return the picture of a claim over its runs; each of them has one number or several."""
    about = matching(claim, results)
    sloped = _slope_of(claim)
    if sloped is not None:
        return _sloped(claim, *sloped, about)
    reduction = outermost(claim.node) or _extreme(claim.node)
    if reduction is not None:
        name, inner = reduction
        found = [evaluate(inner, [result]) for result in about]
        if len({sample.names for sample in found}) == 1 and not found[0].single:
            values = np.array([sample.values for sample in found]).T
            level = np.full(len(values), BACK[name](claim.predicted))
            x = np.arange(1, len(values) + 1, dtype=np.float64)
            labels = tuple(
                text.partition("['")[2].removesuffix("']") or text for text in found[0].names
            )
            return Picture(
                x,
                tuple(values),
                level,
                labels,
                _inner_text(claim, name),
                found[0].names[0].partition("[")[0],
                log_y=name == "log_mean",
            )
    return _by_run(claim, about)


def _extreme(node: Node) -> tuple[str, Node] | None:
    """Return (a reduction of `BACK`, the reduced node) if a path ends in one, else None."""
    match node:
        case Path(steps=(*steps, str(last))) if last in BACK and len(steps) == COLUMN:
            return last, node.below(COLUMN)
    return None


def _inner_text(claim: Claim, name: str) -> str:
    text = claim.quantity
    return (
        text.removesuffix(f".{name}")
        if text.endswith(f".{name}")
        else text.removeprefix(f"{name}(").removesuffix(")")
    )


def _by_run(claim: Claim, about: Sequence[Result]) -> Picture:
    """Return the picture with one number for each sample."""
    made = groups(claim, about)
    values = [evaluate(claim.node, group) for group in made]
    x = np.arange(1, len(values) + 1, dtype=np.float64)
    labels = tuple(str(group[0].config.get("seed", group[0].run_id)) for group in made)
    samples = tuple(value.values[:1] for value in values)
    return Picture(x, samples, np.full(len(x), claim.predicted), labels, claim.quantity, "seed")


def _slope_of(claim: Claim) -> tuple[Call, float] | None:
    """Return (the slope, its prediction) if the quantity is a slope or the exponential of one."""
    match claim.node:
        case Call(function=name) as call if name == SLOPE:
            return call, claim.predicted
        case Call(function="exp", arguments=(Call(function=name) as call,)) if (
            name == SLOPE and claim.predicted > 0
        ):
            return call, math.log(claim.predicted)
    return None


def _plain(node: Node) -> tuple[Node, bool]:
    """Return (the argument of a logarithm, True), or (the expression itself, False)."""
    match node:
        case Call(function="log", arguments=(inner,)):
            return inner, True
    return node, False


def _sloped(claim: Claim, call: Call, predicted: float, about: Sequence[Result]) -> Picture:
    """Return the values along an axis, with a line of the predicted slope through their centre."""
    (y, log_y), (x, log_x) = _plain(call.arguments[0]), _plain(call.arguments[1])
    first = evaluate(y, [about[0]])
    within = not first.single
    found: dict[float, list[float]] = {}
    for result in about:
        values = evaluate(y, [result]).values
        places = (
            np.arange(len(values), dtype=np.float64)
            if within and _is_index(x)
            else np.broadcast_to(evaluate(x, [result]).values, values.shape)
        )
        for place, value in zip(places, values, strict=True):
            found.setdefault(float(place), []).append(float(value))
    at = np.array(sorted(found))
    samples = tuple(np.array(found[place]) for place in at)
    forward = (FUNCTIONS["log"] if log_x else np.asarray, FUNCTIONS["log"] if log_y else np.asarray)
    u, v = forward[0](at), np.array([float(np.mean(forward[1](s))) for s in samples])
    line = v.mean() + predicted * (u - u.mean())
    texts = [claim.quantity.removeprefix("exp(").removeprefix("slope("), _text(x)]
    what = texts[0].rpartition(",")[0].strip() or claim.quantity
    what = what.removeprefix("log").strip() if log_y else what
    labels = tuple(f"{place:g}" for place in at)
    return Picture(
        at,
        samples,
        np.exp(line) if log_y else line,
        labels,
        what.strip("()") if what.startswith("(") else what,
        texts[1],
        log_x,
        log_y,
    )


def _is_index(node: Node) -> bool:
    return isinstance(node, Path) and str(node) == INDEX


def _text(node: Node) -> str:
    return str(node) if isinstance(node, Path) else "x"
