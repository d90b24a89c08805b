"""Networks to measure, and their measurements computed by hand."""

from __future__ import annotations

import numpy as np
from words import last_of_each

from initlab.runner.declare import declare
from initlab.runner.probes import Subject
from initlab.runner.run import stages

CHAIN = [
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 5, activation: tanh}, {kind: dense, name: b, units: 4, activation: relu}, {kind: dense, name: c, units: 3}]",
    "init=normal",
    "init.sigma=0.7",
    "data=normal",
    "data.batch=8",
]


def subject(*words: str) -> tuple[Subject, dict[str, np.ndarray]]:
    """Return the Subject that a run's measurements receive, and its values in float64."""
    config = declare(*last_of_each(*words)).checked
    network, _ = stages.initialize(config)
    values = {path: array.astype(np.float64) for path, array in stages.host_values(network).items()}
    return stages.subject_of(config, network), values


def measured(given: Subject, *words: str) -> dict[str, dict[str, dict]]:
    """Return {section: {path: row}} of the one measurement that the words choose."""
    (measure,) = declare(*last_of_each(*words)).checked.measure.values()
    return {
        section: {row["path"]: row for row in rows}
        for section, rows in measure.measure(given).items()
    }


def by_hand(x: np.ndarray, v: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return {layer: (before, after)} its activation."""
    za = x @ v["a.weight"].T + v["a.bias"]
    a = np.tanh(za)
    zb = a @ v["b.weight"].T + v["b.bias"]
    b = np.maximum(zb, 0)
    c = b @ v["c.weight"].T + v["c.bias"]
    return {"a": (za, a), "b": (zb, b), "c": (c, c)}


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


DIGITS = [
    "model.input=[64]",
    "model.layers=[{kind: dense, name: fc, units: 10}]",
    "data=digits",
    "data.batch=16",
    "init=normal",
]
