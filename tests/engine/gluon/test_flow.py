"""What blocks say about their computation."""

from __future__ import annotations

import pytest

from initlab.engine.gluon import nn, rnn
from initlab.engine.gluon.contrib.nn import HybridConcurrent, Identity
from initlab.engine.gluon.flow import (
    Branch,
    Chain,
    Factor,
    Function,
    Layer,
    Offset,
    Parallel,
    Sine,
)

QKV = ("queries", "keys", "values")
BLOCKS = [
    (lambda: nn.Dense(3), Layer(["weight", "bias"])),
    (lambda: nn.Dense(3, use_bias=False, activation="relu"), Chain([Layer(["weight"]), "act"])),
    (lambda: nn.Conv2D(3, 3), Layer(["weight", "bias"])),
    (lambda: nn.Conv2DTranspose(3, 3, use_bias=False), Layer(["weight"])),
    (lambda: nn.Activation("sin"), Sine()),
    (lambda: nn.Activation("tanh"), Function()),
    (lambda: nn.Dropout(0.5), Chain()),
    (lambda: nn.Flatten(), Chain()),
    (lambda: Identity(), Chain()),
    (lambda: nn.Scale(3), Factor(3.0)),
    (lambda: nn.Scale(3, learnable=True), Factor(3.0, "scale")),
    (lambda: nn.Shift(), Chain()),
    (lambda: nn.PositionEmbedding(3, 4), Offset(["weight"])),
    (lambda: nn.BatchNorm(), None),
    (lambda: nn.Embedding(3, 4), None),
    (lambda: nn.HybridSequential(), Chain([])),
    (lambda: HybridConcurrent(), Parallel([])),
    (
        lambda: nn.MultiHeadAttention(4, 2),
        Chain(
            [
                Layer(["qkv_weight", "qkv_bias"], packs=QKV),
                Layer(["projection_weight", "projection_bias"]),
            ]
        ),
    ),
    (
        lambda: nn.TransformerBlock(4, 2, pre_norm=False),
        Chain(
            [
                Branch(Chain(["attention", "drop"])),
                "norm1",
                Branch(Chain(["expand", "contract", "drop"])),
                "norm2",
            ]
        ),
    ),
    (
        lambda: rnn.LSTM(3, input_size=4),
        Chain(
            [
                Layer(
                    ["l0_i2h_weight", "l0_h2h_weight", "l0_i2h_bias", "l0_h2h_bias"],
                    inner=["l0_h2h_weight", "l0_h2h_bias"],
                )
            ]
        ),
    ),
]


@pytest.mark.parametrize(("make", "flow"), BLOCKS)
def test_a_block_says_which_layers_and_children_data_pass(make, flow):
    assert make().data_flow() == flow


def test_children_follow_each_other_and_a_residual_block_adds_its_shortcut():
    net = nn.Residual(nn.Dense(3), nn.Activation("relu"), shortcut=nn.Dense(3), activation="sin")
    assert net.data_flow() == Chain([Branch(Chain(["0", "1"]), "shortcut"), Sine()])
    assert nn.Residual(nn.Dense(3)).data_flow() == Branch(Chain(["0"]))


def test_a_class_with_a_computation_of_its_own_does_not_inherit_it():
    class Other(nn.HybridSequential):
        def hybrid_forward(self, F, x):
            return x

    class Same(nn.HybridSequential):
        pass

    class Said(Other):
        def hybrid_forward(self, F, x):
            return x

        def data_flow(self):
            return Chain()

    assert (Other().data_flow(), Same().data_flow()) == (None, Chain([]))
    assert Said().data_flow() == Chain()
