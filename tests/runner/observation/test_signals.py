"""Figures of one signal, against values from their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.runner.observation.signals import alike, by_unit, copies_in, rms_of, silent_in


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


def test_units_lie_along_their_axis():
    images = np.arange(2 * 3 * 2 * 2.0).reshape(2, 3, 2, 2)
    assert by_unit(images, 1)[2].tolist() == [8, 9, 10, 11, 20, 21, 22, 23]


def test_a_unit_is_silent_only_if_it_is_zero_everywhere():
    assert silent_in(np.array([[0, 0], [0, 1], [2, 3], [0.0, 0.0]])) == 0.5


def test_units_with_equal_signal_and_different_gradients_are_no_copies():
    rows = np.random.default_rng(0).normal(size=(4, 8))
    rows[3] = rows[1]
    gradients = np.random.default_rng(1).normal(size=(4, 8))
    assert copies_in(rows, None) == 0.5
    assert copies_in(rows, gradients) == 0.0
    gradients[3] = gradients[1]
    assert copies_in(rows, gradients) == 0.5


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 10), st.integers(0, 2**31))
def test_random_units_are_no_copies_and_repeated_ones_all_are(units, size, seed):
    rows = np.random.default_rng(seed).normal(size=(units, size))
    assert copies_in(rows, rows) == 0.0
    assert copies_in(np.repeat(rows, 2, axis=0), None) == 1.0


def test_silent_units_are_no_copies():
    assert copies_in(np.zeros((5, 3)), np.zeros((5, 3))) == 0.0


def test_the_rms_is_summed_in_float64():
    assert rms_of(np.full(4, 300, np.float16)) == 300
