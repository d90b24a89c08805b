"""Unit vectors as data."""

from __future__ import annotations

import numpy as np

from initlab.runner.data.one_hot import OneHot


def test_unit_vectors_are_white_and_each_its_own_class():
    data = OneHot(batch=2, size=4, scale=3.0)
    train, test = data.training((4,), 0)
    assert test is None
    assert np.array_equal(train.inputs, 3 * np.eye(4))
    assert train.labels.tolist() == [0, 1, 2, 3]
    assert np.array_equal(data.load((4,), 0).inputs, train.inputs[:2])
