"""Theory for a chain of dense layers: the rms of every layer from the declared laws.

The rms of the first layer is measured; the rest follow from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from initlab.runner.json_values import JSON, finite
from initlab.runner.report.reading import RunData
from initlab.runner.theory.meanfield import second_moment

PASSING = {"dropout", "flatten"}
"""Layers that do not change the rms, if dropout drops nothing."""


def chain(layers: Sequence[JSON], prefix: str = "") -> list[tuple[str, str | None]] | None:
    """Return (path, activation) of the dense layers of a model that is a plain chain of them.

    Returns None for any other model.
    """
    found: list[tuple[str, str | None]] = []
    for number, layer in enumerate(layers):
        if not isinstance(layer, dict):
            return None
        kind, path = layer.get("kind"), f"{prefix}{layer.get('name') or number}"
        if kind == "dense":
            found.append((path, layer.get("activation")))
        elif kind in ("sequential", "repeat"):
            blocks = (
                [f"{path}.{i}." for i in range(int(layer.get("times", 0)))]
                if kind == "repeat"
                else [f"{path}."]
            )
            for block in blocks:
                inner = chain(layer.get("layers") or [], block)
                if inner is None:
                    return None
                found += inner
        elif kind not in PASSING:
            return None
    return found


def predicted_rms(run: RunData) -> dict[str, float] | None:
    """Return {path: predicted rms of the layer's output}.

    It starts from the measured rms of the first layer's pre-activations. The recursion is rms'^2 =
    E[f(z)^2] with z ~ N(0, q) and q = fan_in std^2 rms^2 + (std of the bias)^2; it holds for wide
    layers whose weights are independent of their input. Returns None if the model is no chain of
    dense layers, or a figure is missing or beyond what a float holds.
    """
    try:
        return _predicted(run)
    except OverflowError:
        return None


def _predicted(run: RunData) -> dict[str, float] | None:
    model = run.manifest.config.get("model")
    links = chain(model.get("layers") or []) if isinstance(model, dict) else None
    measured = {row["path"]: row for row in run.layers}
    dropped = "dropout" in (run.stats.mode or "")
    if dropped and any(row.get("kind") == "dropout" for row in run.layers):
        return None
    if not links or any(path not in measured for path, _ in links) or run.manifest.aliases:
        return None
    predicted: dict[str, float] = {}
    before: float | None = None
    for path, activation in links:
        q = _first(measured[path]) if before is None else _next(run, path, before)
        after = None if q is None else second_moment(activation, q)
        if after is None:
            return None
        predicted[path] = math.sqrt(after)
        before = after
    return predicted


def _first(row: Mapping[str, JSON]) -> float | None:
    """Return the measured mean square of the input of the first activation."""
    rms = finite(row.get("pre_rms") or row.get("rms"))
    return None if rms is None else rms**2


def _next(run: RunData, path: str, before: float) -> float | None:
    weight, bias = run.plan.get(f"{path}.weight", {}), run.plan.get(f"{path}.bias", {})
    fan_in, std = finite(weight.get("fan_in")), finite(weight.get("std"))
    if not fan_in or std is None or finite(weight.get("mean")) != 0:
        return None
    shift = (finite(bias.get("std")) or 0.0) ** 2 + (finite(bias.get("mean")) or 0.0) ** 2
    return fan_in * std**2 * before + shift
