"""Interleaved attention is attention. `tests/differential/updates.py` holds it against MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError


@pytest.mark.parametrize("between", [False, True])
def test_it_is_attention_head_by_head(between):
    rng = np.random.default_rng(0)
    length, batch, heads, size = 5, 2, 3, 4
    q, k, v = rng.normal(size=(3, length, batch, heads, size))
    scores = np.einsum("lbhc,mbhc->bhlm", q, k) / 2
    weights = rng.random((batch * heads, length, length))
    mixed = np.einsum("bhlm,mbhc->lbhc", weights.reshape(batch, heads, length, length), v)

    def packed(*parts):
        return nd.array(np.stack(parts, axis=3).reshape(length, batch, -1), dtype="float64")

    box = nd.array(weights, dtype="float64")
    contrib = nd.contrib
    if between:
        found = contrib.interleaved_matmul_encdec_qk(packed(q), packed(k, v), heads=heads)
        out = contrib.interleaved_matmul_encdec_valatt(packed(k, v), box, heads=heads)
    else:
        found = contrib.interleaved_matmul_selfatt_qk(packed(q, k, v), heads=heads)
        out = contrib.interleaved_matmul_selfatt_valatt(packed(q, k, v), box, heads=heads)
    assert found.asnumpy() == pytest.approx(scores.reshape(-1, length, length))
    assert out.asnumpy() == pytest.approx(mixed.reshape(length, batch, -1))


@pytest.mark.parametrize("shape", [(5, 2, 10), (5, 2)])
def test_channels_that_are_no_whole_heads_are_refused(shape):
    said = (
        "interleaved_matmul_selfatt_qk: needs .length, batch, 4 heads times 3 parts times channels"
    )
    with pytest.raises(MXNetError, match=said):
        nd.contrib.interleaved_matmul_selfatt_qk(nd.ones(shape), heads=4)
