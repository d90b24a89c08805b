"""What the constructors of torch.nn's layers write, by the shapes of their parameters."""

from __future__ import annotations

import math

import pytest

from initlab.engine.gluon import nn, rnn
from initlab.runner.plan.torch_layers import constructor_of


def scales(block):
    name, writes = constructor_of(block)
    return name, [(parameter, getattr(chosen, "scale", None)) for parameter, chosen in writes]


@pytest.mark.parametrize(
    ("block", "name", "fan_in"),
    [
        (nn.Dense(7, in_units=25), "Linear", 25),
        (nn.Conv2D(12, (3, 2), groups=4, in_channels=8), "Conv2d", 12),
        (nn.Conv1DTranspose(12, 5, in_channels=8), "ConvTranspose1d", 60),
        (nn.Conv2DTranspose(12, 3, groups=2, in_channels=8), "ConvTranspose2d", 54),
        (nn.Conv3D(2, 2, in_channels=3), "Conv3d", 24),
    ],
)
def test_weight_and_bias_have_the_bound_of_the_fan_that_the_weights_shape_has(block, name, fan_in):
    """kaiming_uniform_(a=sqrt(5)) has U(±1/sqrt(fan_in)) too, up to the rounding of its way there."""
    found, writes = scales(block)
    assert found == name
    assert [parameter for parameter, _ in writes] == ["weight", "bias"]
    assert writes[1][1] == 1 / math.sqrt(fan_in)
    assert math.isclose(writes[0][1], 1 / math.sqrt(fan_in), rel_tol=1e-15)


def test_an_attention_draws_its_outputs_projection_first_and_its_bias_in_vain():
    name, writes = constructor_of(nn.MultiHeadAttention(16, 4))
    assert name == "MultiheadAttention"
    assert [(parameter, type(chosen).__name__) for parameter, chosen in writes] == [
        ("projection_weight", "Uniform"),
        ("projection_bias", "Uniform"),
        ("qkv_weight", "Uniform"),
        ("qkv_bias", "Zero"),
        ("projection_bias", "Zero"),
    ]
    assert math.isclose(dict(writes)["qkv_weight"].scale, math.sqrt(6 / (16 + 48)))


@pytest.mark.parametrize("projection", [None, 3])
def test_a_recurrent_layer_has_the_bound_of_its_hidden_units_for_all_parameters(projection):
    block = rnn.LSTM(16, 2, bidirectional=True, input_size=5, projection_size=projection)
    name, writes = scales(block)
    assert name == "LSTM"
    assert {scale for _, scale in writes} == {0.25}
    assert [parameter for parameter, _ in writes] == list(block._reg_params)


def test_other_layers_draw_nothing():
    for block in (nn.BatchNorm(in_channels=3), nn.PReLU(), nn.HybridSequential(), nn.Flatten()):
        assert constructor_of(block) == ("", [])
