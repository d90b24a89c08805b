"""What enters a network."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, subject_of

from initlab.runner.observation.inputs import at_usual_size, samples_of

X = inputs(16, 5)


def test_the_spread_is_what_is_left_of_samples_without_their_mean():
    found = samples_of(X + 3, "float32", False)
    wanted = np.sqrt(np.square(X - X.mean(0)).mean() / np.square(X + 3).mean())
    assert found.spread == pytest.approx(wanted, rel=1e-6)
    assert found.rms == pytest.approx(np.sqrt(np.square(X + 3).mean()), rel=1e-6)


def test_equal_samples_have_no_spread_and_a_single_one_has_none():
    assert samples_of(np.repeat(X[:1] / 3, 4, 0), "float32", False).spread == 0
    assert samples_of(X[:1], "float32", False).spread is None


def test_token_numbers_differ_at_some_positions_and_have_no_size():
    found = samples_of(np.array([[1, 2], [1, 3], [1, 2]]), "float32", True)
    assert (found.spread, found.rms, found.usual) == (0.5, None, True)


def test_what_a_dtype_cannot_hold_is_not_finite():
    assert samples_of(X * 1e4, "bfloat16", False).finite
    assert not samples_of(X * 1e6, "float16", False).finite


@pytest.mark.parametrize("size", [1e-5, 1e5])
def test_samples_far_from_unit_size_are_divided_by_their_rms(size):
    subject = subject_of(chain(1, "relu", "he"), X * np.float32(size))
    found = at_usual_size(subject, samples_of(subject.batch.inputs, "float32", False))
    assert np.square(found.batch.inputs).mean() == pytest.approx(1, rel=1e-5)
    assert at_usual_size(subject, samples_of(X, "float32", False)) is None
