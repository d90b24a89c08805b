"""The signal through the layers: moments before and after each activation, dead and saturated
units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initlab.engine import gluon
from initlab.runner.measures.base import (
    Findings,
    Measure,
    activation_name,
    before_activation,
    forward,
    register,
    wide,
)
from initlab.runner.probes import Subject
from initlab.runner.probes.watching import LAYER_COLUMNS, Call, Row, Table, calls, ratio

RANGES = {"tanh": (-1.0, 1.0), "erf": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Activation -> the ends of its range."""
NEAR = 0.005
"""A value within this fraction of the range from one of its ends is saturated: beyond 0.99 for
tanh."""


@register
@dataclass
class Layers(Measure):
    """One forward pass of the batch, with a row for the last call of each layer: moments before and
    after activations, dead and saturated units.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, for saturation; Lu, Shin, Su and Karniadakis, "Dying ReLU and initialization",
    2019, for dead units.

    Example: initlab measure=[layers] model=deep_mlp
    """

    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "layers": (
            *LAYER_COLUMNS,
            "pre_mean",
            "pre_variance",
            "pre_rms_ratio",
            "dead",
            "saturated",
        )
    }

    def measure(self, subject: Subject) -> Findings:
        """Return a row for each layer, with the columns of the probe and these.

        `pre_…` are the moments before the activation, or of the output of a layer without one.
        `pre_rms_ratio` is the rms before the activation divided by that of the row whose output
        enters the layer. `dead` is the fraction of units that are 0 for every sample. `saturated`
        is the fraction of values near an end of the activation's range, None if the range has no
        end.
        """
        table, found = Table([]), dict[str, Row]()

        def called(call: Call) -> None:
            row = found[call.path] = table.call(call)
            row.update(self._more(call, subject.layers[call.path], table))

        with calls(subject.layers, called, table.join):
            forward(subject, subject.inputs())
        for row in found.values():
            source = found.get(row["input"], {}).get("pre_rms")
            row["pre_rms_ratio"] = None if source is None else ratio(row["pre_rms"], source)
        return {"layers": list(found.values())}

    def _more(self, call: Call, layer: gluon.Block, table: Table) -> Row:
        values = wide(call.output)
        given = table.moments_of(before_activation(call, layer))
        return {
            **{f"pre_{name}": given[name] for name in ("rms", "mean", "variance")},
            "dead": float((values == 0).all(axis=0).mean()),
            "saturated": saturated(values, activation_name(layer)),
        }


def saturated(values: np.ndarray, activation: str | None) -> float | None:
    """Return the fraction of values within `NEAR` of an end of the activation's range.

    Returns None if the range has no end.
    """
    if activation not in RANGES:
        return None
    low, high = RANGES[activation]
    margin = NEAR * (high - low)
    return float(((values < low + margin) | (values > high - margin)).mean())
