"""Growth of residual streams, against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.theory import growth


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_residual_streams_grow_as_simulated():
    n, blocks, draw = 2000, 6, generator(8)
    plain = normalized = scaled = draw.normal(size=n)
    for _ in range(blocks):
        w = [draw.normal(size=(n, n)).astype(np.float32) / math.sqrt(n) for _ in range(3)]
        plain = plain + w[0] @ plain
        normalized = normalized + w[1] @ (normalized / np.sqrt(np.mean(normalized**2)))
        scaled = scaled + w[2] @ (scaled / np.sqrt(np.mean(scaled**2))) / math.sqrt(blocks)
    for stream, branch in ((plain, "plain"), (normalized, "normalized"), (scaled, "scaled")):
        assert np.mean(stream**2) == pytest.approx(growth.residual_growth(branch, blocks), rel=0.15)
    assert growth.residual_growth("plain", 24) == 2**24
    assert growth.fixup_power(2) == -0.5
