"""Dependence between elements is seen, and not seen where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from fresh import trained

from initlab.runner.audit.freshness import chi_square, dependence

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("draw", ["normal", "uniform", "laplace"])
@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (8, 1000), (1000, 8), (400, 400)])
def test_independent_elements_are_not_called_dependent(draw, shape):
    assert all(dependence(getattr(RNG, draw)(size=shape), 0.0 if draw != "uniform" else 0.5)[0] > 1e-5 for _ in range(5))  # fmt: skip


def test_each_dependence_is_named():
    noise = RNG.normal(size=(64, 64))
    grown = noise * np.linspace(0.5, 1.5, 64)[:, None]
    assert dependence(grown, 0.0)[1].startswith("rows differ in energy")
    assert dependence(grown.T, 0.0)[1].startswith("columns differ in energy")
    moved = noise + RNG.normal(size=(64, 1))
    assert dependence(moved, 0.0)[0] < 1e-9
    smooth = np.cumsum(noise, axis=1)
    assert dependence(smooth, 0.0)[0] < 1e-9
    assert dependence(trained((128, 128)).astype(np.float64), 0.0)[0] < 1e-9


def test_one_direction_is_seen():
    noise = RNG.normal(size=(300, 300))
    spike = np.outer(np.sign(RNG.normal(size=300)), np.sign(RNG.normal(size=300)))
    p, said = dependence(noise + 0.25 * spike, 0.0)
    assert p < 1e-9 and said.startswith("one direction is")


def test_small_tensors_are_not_judged():
    assert dependence(np.ones((3, 3)), 0.0) == (1.0, "")


def test_a_mean_square_that_is_not_large_is_no_sign():
    assert chi_square(0.5, 10) == 1.0 and chi_square(3.0, 100) < 1e-9
