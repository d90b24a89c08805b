"""The table of `Block.summary`."""

from __future__ import annotations

import pytest

from initlab.engine import nd
from initlab.engine.gluon import nn, rnn


@pytest.fixture
def net():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=3), nn.Dense(2, in_units=4))
    net.initialize()
    return net


def test_a_row_a_layer_with_its_shape_and_parameters_and_their_sum(net, capsys):
    net.summary(nd.ones((5, 3)))
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["Input", "(5,", "3)", "0"] in rows
    assert ["Dense-1", "(5,", "4)", "16"] in rows and ["Dense-2", "(5,", "2)", "10"] in rows
    assert "   Total params: 26" in out and "Unique parameters in model: 26" in out


def test_a_hybridized_block_prints_no_summary(net):
    net.hybridize()
    with pytest.raises(AssertionError, match="must not be hybridized to print summary"):
        net.summary(nd.ones((5, 3)))
    net.hybridize(False)
    assert not any(block._forward_hooks for block in net._children.values())


def test_shapes_of_several_arrays_are_without_the_outer_brackets_as_in_mxnet(capsys):
    layer = rnn.LSTM(3, input_size=4)
    layer.initialize()
    layer.summary(nd.ones((2, 3, 4)), layer.begin_state(3))
    rows = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(
        row.startswith("Input           (2, 3, 4), [(1, 3, 3), (1, 3, 3)]  ") for row in rows
    )
    assert any(
        row.startswith("LSTM-1           (2, 3, 3), [(1, 3, 3), (1, 3, 3)]  ") for row in rows
    )
