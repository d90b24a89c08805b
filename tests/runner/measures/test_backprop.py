"""Gradients by the outputs of layers."""

from __future__ import annotations

import numpy as np
import pytest
from measured import CHAIN, by_hand, measured, rms, subject


def test_gradients_by_layer_outputs_are_those_of_the_chain_rule():
    words = [*CHAIN, "measure=[backprop]"]
    given, values = subject(*words)
    rows = measured(given, *words)["layers"]
    (zb, _) = by_hand(given.batch.inputs.astype(np.float64), values)["b"]
    from initlab.engine.streams import Key, Stream

    gc = Stream(Key(given.seed, "@backprop")).normal(0.0, 1.0, 24).reshape(8, 3).astype(np.float64)
    gb = gc @ values["c.weight"]
    ga = (gb * (zb > 0)) @ values["b.weight"]
    for path, gradient in (("a", ga), ("b", gb), ("c", gc)):
        assert rows[path]["grad_rms"] == pytest.approx(rms(gradient), rel=1e-5)
    assert rows["a"]["grad_ratio"] == pytest.approx(rms(ga) / rms(gb), rel=1e-5)
    assert rows["a"]["chi1"] == pytest.approx((rms(ga) / rms(gb)) ** 2, rel=1e-5)
    assert rows["c"]["grad_ratio"] is None
    assert all(not np.any(p.grad().asnumpy()) for p in given.parameters.values())
