"""The signal through the layers: moments before and after each activation, dead and saturated
units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initlab.engine import nd
from initlab.runner.measures.base import (
    Findings,
    Measure,
    activation_name,
    forward,
    outputs,
    register,
    wide,
)
from initlab.runner.probes import Subject, moments

RANGES = {"tanh": (-1.0, 1.0), "erf": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Activation -> the ends of its range."""
NEAR = 0.005
"""A value within this fraction of the range from one of its ends is saturated: beyond 0.99 for
tanh."""


@register
@dataclass
class Layers(Measure):
    """One forward pass of the batch in predict mode, with a row for the last call of each layer."""

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "layers": (
            "shape",
            "rms",
            "mean",
            "variance",
            "zeros",
            "pre_rms",
            "pre_mean",
            "pre_variance",
            "rms_ratio",
            "pre_rms_ratio",
            "dead",
            "saturated",
        )
    }

    def measure(self, subject: Subject) -> Findings:
        """Return a row for each layer.

        `rms_ratio` is the rms divided by that of the previous row, `pre_rms_ratio` the same for
        pre-activations. `dead` is the fraction of units that are 0 for every sample. `saturated` is
        the fraction of values near an end of the activation's range, None if the range has no end.
        """
        before: dict[str, nd.NDArray] = {}
        with outputs(subject.layers, before) as after:
            forward(subject, subject.inputs())
        rows: list[dict[str, Any]] = []
        for path, output in after.items():
            values = wide(output)
            row = {"path": path, "shape": list(output.shape), **moments(values)}
            given = moments(wide(before[path]))
            row |= {f"pre_{name}": given[name] for name in ("rms", "mean", "variance")}
            for column in ("rms", "pre_rms"):
                row[f"{column}_ratio"] = (
                    row[column] / rows[-1][column] if rows and rows[-1][column] > 0 else None
                )
            row["dead"] = float((values == 0).all(axis=0).mean())
            row["saturated"] = saturated(values, activation_name(subject.layers[path]))
            rows.append(row)
        return {"layers": rows}


def saturated(values: np.ndarray, activation: str | None) -> float | None:
    """Return the fraction of values within `NEAR` of an end of the activation's range.

    Returns None if the range has no end.
    """
    if activation not in RANGES:
        return None
    low, high = RANGES[activation]
    margin = NEAR * (high - low)
    return float(((values < low + margin) | (values > high - margin)).mean())
