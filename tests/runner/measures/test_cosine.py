"""Cosines between two inputs, followed through the layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from measured import CHAIN, by_hand, measured, subject

from initlab.runner.declare import declare


def test_a_cosine_begins_where_it_is_told_and_is_followed():
    words = [*CHAIN, "measure=[cosine]", "measure.cosine.start=0.25", "measure.cosine.pairs=3"]
    given, values = subject(*words)
    rows = measured(given, *words)["layers"]
    (measure,) = declare(*words).checked.measure.values()
    x = measure._inputs(given).astype(np.float64)
    for u, v in x.reshape(3, 2, 6):
        assert u @ v / 6 == pytest.approx(0.25, abs=1e-6)
        assert u @ u == pytest.approx(6, rel=1e-6) and v @ v == pytest.approx(6, rel=1e-6)
    for path, (before, after) in by_hand(x, values).items():
        for name, array in (("pre_cosine", before), ("cosine", after)):
            pairs = array.reshape(3, 2, -1)
            wanted = [p @ q / math.sqrt((p @ p) * (q @ q)) for p, q in pairs]
            assert rows[path][name] == pytest.approx(np.mean(wanted), abs=1e-5)


def test_without_a_start_the_cosine_is_that_of_neighbours_in_the_batch():
    words = [*CHAIN, "measure=[cosine]", "measure.cosine.pairs=4"]
    given, values = subject(*words)
    p, q = (
        by_hand(given.batch.inputs.astype(np.float64), values)["a"][1]
        .reshape(4, 2, -1)
        .swapaxes(0, 1)
    )
    wanted = (p * q).sum(1) / np.sqrt((p * p).sum(1) * (q * q).sum(1))
    assert measured(given, *words)["layers"]["a"]["cosine"] == pytest.approx(
        wanted.mean(), abs=1e-5
    )


AVERAGED = [
    "model.input=[6]",
    "model.layers=[{kind: dense, name: a, units: 5}, {kind: batch_norm, name: bn}]",
    "init=normal",
    "init.sigma=1",
    "data=normal",
    "data.batch=9",
    "measure=[cosine]",
]


@pytest.mark.parametrize("start", ["null", "0.5"])
def test_in_train_mode_pairs_are_normalized_with_the_batch(start):
    words = [*AVERAGED, f"measure.cosine.start={start}"]
    given, v = subject(*words)
    (measure,) = declare(*words).checked.measure.values()
    pair, batch = measure._inputs(given), given.batch.inputs
    x = np.concatenate([pair, batch[2 if start == "null" else 0 :]]).astype(np.float64)
    z = x @ v["a.weight"].T + v["a.bias"]
    p, q = ((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5))[:2]
    wanted = p @ q / math.sqrt((p @ p) * (q @ q))
    assert measured(given, *words)["layers"]["bn"]["cosine"] == pytest.approx(wanted, abs=1e-5)
