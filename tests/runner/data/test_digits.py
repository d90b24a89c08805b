"""The digits: two parts."""

from __future__ import annotations

import numpy as np

from initlab.runner.data.digits import Digits


def test_no_digit_is_in_both_parts():
    train, test = Digits().training((64,), 0)
    assert (len(train.inputs), len(test.inputs)) == (1437, 360)
    whole = Digits(batch=1797).load((64,), 0)
    assert np.array_equal(whole.inputs[::5], test.inputs)
    assert np.array_equal(np.delete(whole.labels, np.arange(0, 1797, 5)), train.labels)
