"""The LSTM cell with a projection."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import init, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import contrib, rnn


def test_it_computes_what_the_layer_with_a_projection_computes():
    cell, layer = contrib.rnn.LSTMPCell(4, 3), rnn.LSTM(4, projection_size=3)
    for one in (cell, layer):
        one.initialize(init.Constant(0.1))
    x = nd.array(np.linspace(-1, 1, 30).reshape(3, 2, 5))
    outputs, states = cell.unroll(3, x, layout="TNC", merge_outputs=True)
    expected, last = layer(x, layer.begin_state(2))
    assert np.allclose(outputs.asnumpy(), expected.asnumpy(), atol=1e-6)
    for mine, theirs in zip(states, last, strict=True):
        assert np.allclose(mine.asnumpy(), theirs.asnumpy()[0], atol=1e-6)


def test_it_prints_its_sizes_and_refuses_other_inputs():
    cell = contrib.rnn.LSTMPCell(4, 3, input_size=5)
    assert repr(cell) == "LSTMPCell(5 -> 16 -> 3)"
    assert cell.output_shape((2, 5)) == (2, 3)
    assert [info["shape"] for info in cell.state_info(2)] == [(2, 3), (2, 4)]
    with pytest.raises(MXNetError, match=r"Provided = \[16,5\], inferred shape=\(16,6\)"):
        cell.output_shape((2, 6))
