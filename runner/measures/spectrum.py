"""Singular values of the weights, compared with random matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initlab.engine import gluon
from initlab.engine.options import Count
from initlab.runner.measures.base import Findings, Measure, register, wide
from initlab.runner.probes import Subject
from initlab.runner.theory.spectra import marchenko_pastur_cdf

COLUMNS = (
    "rows",
    "columns",
    "largest",
    "smallest",
    "mean",
    "mean_square",
    "stable_rank",
    "condition",
    "ratio",
    "mp_ks",
    "mp_low",
    "mp_high",
    "trace",
    "trace_square",
    "square_trace",
)


@register
@dataclass
class Spectrum(Measure):
    """The singular values of each parameter of two or more axes, as a matrix of units (axis 0) by
    all others.

    In units of the Marchenko-Pastur law, squared singular values are divided by (longer side x
    variance), with the measured variance about 0.

    Source: Marchenko and Pastur, "Distribution of eigenvalues for some sets of random matrices",
    1967.

    Example: initlab measure=[spectrum] measure.spectrum.most=1024
    """

    watches: ClassVar[bool] = False
    gives: ClassVar[dict[str, tuple[str, ...]]] = {"spectrum": COLUMNS}
    most: Count = 4096
    """The most rows and columns of a matrix that is measured."""

    def measure(self, subject: Subject) -> Findings:
        """Return a row for each parameter; if it is too large or not finite, all columns but its
        sides are None.
        """
        matrices = {
            path: matrix_of(p) for path, p in subject.parameters.items() if len(p.shape) > 1
        }
        return {
            "spectrum": [{"path": path, **self._row(matrix)} for path, matrix in matrices.items()]
        }

    def _row(self, matrix: np.ndarray) -> dict[str, object]:
        sides = {"rows": matrix.shape[0], "columns": matrix.shape[1]}
        if max(matrix.shape) > self.most or not np.isfinite(matrix).all():
            return dict.fromkeys(COLUMNS) | sides
        return spectrum_of(matrix) | traces_of(matrix) | sides


def matrix_of(parameter: gluon.Parameter) -> np.ndarray:
    """Return a parameter's values as a matrix in float64: axis 0 by all others."""
    values = wide(parameter.data())
    return values.reshape(values.shape[0], -1)


def spectrum_of(matrix: np.ndarray) -> dict[str, object]:
    """Return the figures of a finite matrix's singular values."""
    singular = np.linalg.svd(matrix, compute_uv=False)
    squares = np.square(singular)
    total, largest, smallest = float(squares.sum()), float(singular[0]), float(singular[-1])
    ratio = min(matrix.shape) / max(matrix.shape)
    row: dict[str, object] = {
        "largest": largest,
        "smallest": smallest,
        "mean": float(singular.mean()),
        "mean_square": float(squares.mean()),
    }
    row["stable_rank"] = total / largest**2 if largest > 0 else None
    row["condition"] = largest / smallest if smallest > 0 else math.inf
    row["ratio"] = ratio
    row |= {"mp_ks": None, "mp_low": None, "mp_high": None}
    if total > 0:
        units = squares / (max(matrix.shape) * total / matrix.size)
        row |= {
            "mp_ks": distance(np.sort(units), ratio),
            "mp_low": float(units.min()),
            "mp_high": float(units.max()),
        }
    return row


def distance(ordered: np.ndarray, ratio: float) -> float:
    """Return the Kolmogorov-Smirnov distance of sorted values to the Marchenko-Pastur law."""
    expected = marchenko_pastur_cdf(ordered, ratio)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((expected - steps[:-1]).max(), (steps[1:] - expected).max()))


def traces_of(matrix: np.ndarray) -> dict[str, object]:
    """Return tr W, tr W^2 and (tr W)^2 of a square matrix; None for others."""
    if matrix.shape[0] != matrix.shape[1]:
        return dict.fromkeys(("trace", "trace_square", "square_trace"))
    trace = float(np.trace(matrix))
    return {
        "trace": trace,
        "trace_square": float((matrix * matrix.T).sum()),
        "square_trace": trace**2,
    }
