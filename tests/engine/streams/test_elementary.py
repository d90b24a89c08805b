"""The float64 logarithm and exponential that pass no libm."""

from __future__ import annotations

import numpy as np

from initlab.engine.streams import elementary


def test_logarithm_and_exponential_are_right_to_a_few_units_of_the_last_place():
    x = np.linspace(-700, 700, 20001)
    np.testing.assert_allclose(elementary.exp(x), np.exp(x), rtol=1e-15)
    y = np.concatenate([np.geomspace(1e-300, 1e300, 20001), 1 + np.linspace(-1e-3, 1e-3, 1000)])
    np.testing.assert_allclose(elementary.log(y), np.log(y), rtol=1e-14)
    assert elementary.exp(np.array([-800.0]))[0] == 0
