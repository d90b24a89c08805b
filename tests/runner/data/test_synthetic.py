"""Data that is drawn: uniform, normal, and ones."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.runner import data


def made(kind, **options):
    return data.REGISTRY.get(kind)(**options)


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_a_batch_is_a_function_of_the_seed(kind):
    one, again, other = (made(kind, batch=5).load((3,), seed).inputs for seed in (1, 1, 2))
    assert one.shape == (5, 3) and one.dtype == np.float32
    assert (one == again).all() and (one != other).any()


def test_numbers_lie_where_they_are_declared():
    x = made("uniform", batch=400, low=2.0, high=3.0).load((5,), 0).inputs
    assert x.min() >= 2 and x.max() < 3
    z = made("normal", batch=2000).load((5,), 0).inputs
    assert abs(z.mean()) < 0.05 and abs(z.std() - 1) < 0.05


def test_ones_are_ones_and_have_no_labels():
    batch = made("ones", batch=2).load((2, 2), 0)
    assert (batch.inputs == 1).all() and batch.labels is None
