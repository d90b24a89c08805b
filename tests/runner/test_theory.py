"""Closed forms, against random numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import nd
from engine.ops.activation import ACTIVATIONS
from runner.theory import second_moment

N = 1_000_000


@pytest.mark.parametrize("q", [0.01, 1.0, 9.0])
@pytest.mark.parametrize("activation", [None, "relu", "leaky", "tanh", "sigmoid", "gelu", "silu"])
def test_the_second_moment_is_that_of_many_random_numbers(activation, q):
    z = np.sqrt(q) * np.random.default_rng(7).standard_normal(N)
    y = z if activation is None else ACTIVATIONS[activation](nd.array(z, dtype="float64")).asnumpy()
    squares = y * y
    error = squares.std() / math.sqrt(N)
    assert abs(squares.mean() - second_moment(activation, q)) < 6 * error


def test_he_keeps_and_what_is_not_known_is_none():
    assert second_moment("relu", 2.0) == 1.0
    assert second_moment("selu", 1.0) is None
    assert second_moment("tanh", 0.0) == 0.0


def test_a_mean_square_is_not_negative():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        second_moment("relu", -1)
