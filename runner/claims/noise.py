"""Claims that share their noise: they are measured on the same random draws, so that they deviate
together, and agreement of all of them is no more evidence than agreement of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

LEAST = 4
"""Samples of a claim at least; of fewer, any two claims may seem to vary together."""
ALIKE = 0.999
"""The correlation of two claims' samples from which on their noise is the same."""


def shared(samples: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """Return the groups of claims, two or more, whose samples vary together: their correlation is
    within 0.001 of 1 or -1. `samples` has the values of each claim by its id, in the order of runs.
    """
    groups: list[list[str]] = []
    for name in samples:
        for group in groups:
            if _alike(samples[group[0]], samples[name]):
                group.append(name)
                break
        else:
            groups.append([name])
    return [tuple(group) for group in groups if len(group) > 1]


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    if len(one) != len(other) or len(one) < LEAST:
        return False
    a, b = (np.asarray(values, np.float64) - np.mean(values) for values in (one, other))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return bool(np.isfinite(size) and size > 0 and abs(float(a @ b)) / size >= ALIKE)


def sentence(names: Sequence[str]) -> str:
    """Return what is said of claims that share their noise."""
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} share their noise: they are measured on the same draws and deviate together."
