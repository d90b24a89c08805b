"""Figures of one signal, against values from their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.runner.observation.signals import (
    BLOCK,
    Units,
    alike,
    copies_in,
    rms_between,
    rms_of,
    signal_of,
    zeros_in,
)


def mean_cosine(values: np.ndarray) -> float:
    flat = values.reshape(len(values), -1).astype(np.float64)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[~np.eye(len(unit), dtype=bool)]
    return float(pairs.mean())


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 9), st.integers(0, 2**31))
def test_alike_is_the_mean_cosine_over_all_pairs(samples, size, seed):
    values = np.random.default_rng(seed).normal(size=(samples, size))
    assert alike(values) == pytest.approx(mean_cosine(values), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-150, 1e150), st.integers(0, 2**31))
def test_the_cosine_does_not_depend_on_the_size_of_the_signal(size, seed):
    values = np.random.default_rng(seed).normal(size=(4, 5))
    assert alike(values * size) == pytest.approx(alike(values), abs=1e-12)


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.ones((1, 2)), np.array([[1.0], [0.0]])])
def test_samples_without_direction_have_no_cosine(values):
    assert alike(values) is None


def units(rows: np.ndarray) -> Units:
    """Figures of rows (units, elements)."""
    return Units.of(rows, 0)


def copies(rows: np.ndarray, gradients: np.ndarray | None = None) -> float:
    return copies_in(units(rows), None if gradients is None else units(gradients))


def test_units_lie_along_their_axis():
    images = np.arange(2 * 3 * 2 * 2.0).reshape(2, 3, 2, 2)
    found = Units.of(images, 1)
    assert found.squares[2] == np.square([8, 9, 10, 11, 20, 21, 22, 23.0]).sum()
    assert (found.rms, found.largest) == (pytest.approx(rms_of(images)), 23)
    assert found.zeros == zeros_in(images) == 1 / 24
    assert (Units.of(images, -3).squares == found.squares).all()


def test_a_unit_is_silent_only_if_it_is_zero_everywhere():
    assert units(np.array([[0, 0], [0, 1], [2, 3], [0.0, 0.0]])).silent == 0.5


def test_units_with_equal_signal_and_different_gradients_are_no_copies():
    rows = np.random.default_rng(0).normal(size=(4, 8))
    rows[3] = rows[1]
    gradients = np.random.default_rng(1).normal(size=(4, 8))
    assert copies(rows) == 0.5
    assert copies(rows, gradients) == 0.0
    gradients[3] = gradients[1]
    assert copies(rows, gradients) == 0.5


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 10), st.integers(0, 2**31))
def test_random_units_are_no_copies_and_repeated_ones_all_are(count, size, seed):
    rows = np.random.default_rng(seed).normal(size=(count, size))
    assert copies(rows, rows) == 0.0
    assert copies(np.repeat(rows, 2, axis=0)) == 1.0


def test_silent_units_are_no_copies():
    assert copies(np.zeros((5, 3)), np.zeros((5, 3))) == 0.0


@pytest.mark.parametrize("shape", [(3, 4, 300, 200), (2, 3, BLOCK + 5), (40000, 6), (BLOCK + 3, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_figures_of_many_blocks_are_those_of_the_whole_array(shape, dtype):
    values = np.maximum(np.random.default_rng(0).normal(size=shape), -0.5).astype(dtype)
    values[1, 1] = 0
    axis = 1
    wide = np.moveaxis(values.astype(np.float64), axis, 0).reshape(shape[axis], -1)
    found = Units.of(values, axis)
    assert found.squares == pytest.approx(np.square(wide).sum(1), rel=1e-12)
    assert found.rms == pytest.approx(np.sqrt(np.square(wide).mean()), rel=1e-12)
    assert (found.largest, found.zeros) == (np.abs(wide).max(), (wide == 0).mean())
    assert rms_of(values) == pytest.approx(found.rms, rel=1e-12)
    few = values[:50]
    assert alike(few) == pytest.approx(mean_cosine(few), abs=1e-12)
    other = np.ones(shape, dtype)
    assert rms_between(values, other) == pytest.approx(rms_of(values.astype(float) - 1), rel=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_hidden(wrong):
    values = np.ones((3, 2 * BLOCK), np.float32)
    values[1, 7] = wrong
    with np.errstate(all="ignore"):
        found = signal_of(values, values, None, None)
    assert not np.isfinite(found.rms) and not np.isfinite(found.largest)
    assert found.copies == 0.0 and found.zeros == 0.0


def test_bfloat16_and_token_numbers_have_figures():
    import ml_dtypes

    values = np.random.default_rng(0).normal(size=(4, 6))
    small = values.astype(ml_dtypes.bfloat16)
    assert signal_of(small, small, "tanh", None).rms == pytest.approx(rms_of(values), rel=1e-2)
    assert alike(small) == pytest.approx(alike(values), abs=1e-2)
    tokens = signal_of(np.arange(6).reshape(2, 3), None, None, None)
    assert (tokens.cosine, tokens.silent, tokens.largest) == (None, 0.0, 5.0)


def test_one_score_a_sample_is_one_unit():
    assert signal_of(np.ones(5, np.float32), None, None, None).units == 1


def test_the_rms_is_summed_in_float64():
    assert rms_of(np.full(4, 300, np.float16)) == 300
