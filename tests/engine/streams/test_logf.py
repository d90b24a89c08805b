"""The float32 logarithm of MXNet's stream."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.streams.logf import logf


def test_logf_is_the_logarithm_to_its_last_bits():
    x = np.linspace(1e-6, 1, 100_001, dtype=np.float32)[1:]
    exact = np.array([math.log(float(v)) for v in x])
    assert np.abs((logf(x) - exact) / np.spacing(np.abs(exact).astype(np.float32))).max() < 0.9
