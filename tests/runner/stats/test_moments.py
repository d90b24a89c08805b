"""Moments of a tensor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats.moments import Moments


def test_moments_are_those_of_numpy():
    values = laws.Normal(0.3, 2).draw(Key(0, "x"), (300, 401))
    wide = values.astype(np.float64)
    row = Moments().measure(values, laws.Normal(0.3, 2))
    assert row["count"] == wide.size
    for name, expected in (
        ("mean", wide.mean()),
        ("std", wide.std()),
        ("rms", math.sqrt((wide**2).mean())),
        ("min", wide.min()),
        ("max", wide.max()),
        ("abs_max", np.abs(wide).max()),
        ("skew", (((wide - wide.mean()) / wide.std()) ** 3).mean()),
        ("kurtosis", (((wide - wide.mean()) / wide.std()) ** 4).mean() - 3),
    ):
        assert math.isclose(row[name], expected, rel_tol=1e-9, abs_tol=1e-12), name


def test_zeros_subnormals_and_what_is_not_finite_are_counted_and_left_out():
    values = np.array([0, -0.0, 1e-40, 1, np.nan, np.inf, -1], np.float32)
    row = Moments().measure(values, laws.Constant(0))
    assert (row["count"], row["zeros"], row["subnormal"], row["nonfinite"]) == (7, 2, 1, 2)
    assert (row["min"], row["max"], row["mean"]) == (-1, 1, pytest.approx(0, abs=1e-30))


def test_an_empty_or_constant_tensor_has_no_skew():
    assert Moments().measure(np.zeros((0, 3), np.float32), laws.Constant(0))["mean"] is None
    row = Moments().measure(np.full(5, 2, np.float32), laws.Constant(2))
    assert (row["std"], row["skew"], row["kurtosis"]) == (0, None, None)
