"""What NumPy draws, against the vectors of initlab-1, bit for bit."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import laws, streams

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "exact-streams.json").read_text(encoding="utf-8")
)


COUNT = 1000003


DRAWN = {
    "uniform": laws.Uniform(0, 1),
    "uniform_-0.07_0.07": laws.Uniform(-0.07, 0.07),
    "uniform_-1_3": laws.Uniform(-1, 3),
    "normal": laws.Normal(0, 1),
    "normal_mean0_std0.01": laws.Normal(0, 0.01),
    "normal_mean0.5_std0.02": laws.Normal(0.5, 0.02),
    "truncated_normal_pm2": laws.TruncatedNormal(0, 1, -2, 2),
    "truncated_normal_pm1": laws.TruncatedNormal(0, 1, -1, 1),
    "truncated_normal_-0.5_inf": laws.TruncatedNormal(0, 1, -0.5, math.inf),
}


STREAMS = VECTORS["streams"]


def key_of(stream: dict) -> streams.Key:
    return streams.Key(int(stream["seed"]), stream["path"], stream["generation"])


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(
    "stream", STREAMS, ids=lambda s: f"{s['seed']}-{s['path']}-{s['generation']}"
)
def test_a_law_draws_the_vectors_bits(stream, name):
    assert set(DRAWN) <= set(stream)
    values = DRAWN[name].draw(key_of(stream), (COUNT,))
    expected = stream[name]
    assert [f"{bits:08x}" for bits in values[:16].view(np.uint32)] == expected["first16_bits"]
    assert values[:4].tolist() == expected["first4"]
    assert hashlib.sha256(values.tobytes()).hexdigest() == expected["sha256_of_1000003_le_float32"]
