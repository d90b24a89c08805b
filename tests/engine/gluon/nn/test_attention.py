"""Attention against torch 2.13 (`vectors/torch-attention.npz`), and what its options mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, random
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn

with np.load(Path(__file__).parents[3] / "vectors" / "torch-attention.npz") as file:
    TORCH = {key: file[key] for key in file.files}
X = nd.array(TORCH["x"])


def attention(**options) -> nn.MultiHeadAttention:
    layer = nn.MultiHeadAttention(8, 2, **options)
    layer.initialize()
    for name, parameter in layer._reg_params.items():
        parameter.set_data(nd.array(TORCH[name]))
    return layer


@pytest.mark.parametrize(
    ("name", "options", "inputs"),
    [
        ("plain", {}, ()),
        ("causal", {"causal": True}, ()),
        ("cross", {}, (TORCH["memory"],)),
        ("lengths", {}, (None, TORCH["valid_length"])),
    ],
)
def test_outputs_are_torchs(name, options, inputs):
    out = attention(**options)(X, *(None if i is None else nd.array(i) for i in inputs))
    np.testing.assert_allclose(out.asnumpy(), TORCH[name], rtol=1e-4, atol=1e-5)


def test_gradients_are_torchs():
    layer = attention()
    X.attach_grad()
    with autograd.record():
        out = layer(X)
    out.backward(nd.array(TORCH["head"]))
    for got, wanted in (
        (X.grad, "dx"),
        (layer.qkv_weight.grad(), "dqkv"),
        (layer.projection_weight.grad(), "dprojection"),
    ):
        np.testing.assert_allclose(got.asnumpy(), TORCH[wanted], rtol=1e-4, atol=1e-5)


NAMES = {
    "attention.qkv_weight": "self_attn.in_proj_weight",
    "attention.qkv_bias": "self_attn.in_proj_bias",
    "attention.projection_weight": "self_attn.out_proj.weight",
    "attention.projection_bias": "self_attn.out_proj.bias",
    "expand.weight": "linear1.weight",
    "expand.bias": "linear1.bias",
    "contract.weight": "linear2.weight",
    "contract.bias": "linear2.bias",
    "norm1.gamma": "norm1.weight",
    "norm1.beta": "norm1.bias",
    "norm2.gamma": "norm2.weight",
    "norm2.beta": "norm2.bias",
}
"""Our paths, torch's names."""


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_transformer_block_is_torchs_encoder_layer(norm):
    block = nn.TransformerBlock(8, 2, 12, pre_norm=norm == "pre")
    block.initialize()
    parameters = block.structural_params()
    assert set(parameters) == set(NAMES)
    for path, name in NAMES.items():
        parameters[path].set_data(nd.array(TORCH[f"{norm} {name}"]))
    np.testing.assert_allclose(block(X).asnumpy(), TORCH[f"{norm} out"], rtol=2e-4, atol=2e-5)


def test_a_block_leaves_out_what_lies_beyond_the_lengths_and_has_its_gradient():
    block = nn.TransformerBlock(8, 2, 12, causal=True)
    block.initialize(init.Normal(0.5))
    lengths, found = nd.array([2, 5, 3]), []
    for beyond in (0.0, 9.0):
        x = TORCH["x"].copy()
        x[0, 2:] = beyond
        x = nd.array(x)
        x.attach_grad()
        with autograd.record():
            loss = (block(x, lengths)[0, :2] ** 2).sum()
        loss.backward()
        found.append(
            (loss.asscalar(), x.grad.asnumpy()[0, :2], block.attention.qkv_weight.grad().asnumpy())
        )
        assert not x.grad.asnumpy()[0, 2:].any()
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_causal_position_does_not_see_what_comes_after():
    layer = attention(causal=True)
    changed = TORCH["x"].copy()
    changed[:, 3:] += 1
    before, after = layer(X).asnumpy(), layer(nd.array(changed)).asnumpy()
    assert (before[:, :3] == after[:, :3]).all()
    assert (before[:, 3:] != after[:, 3:]).any()


def test_padding_beyond_the_lengths_changes_nothing_and_a_sample_of_none_gives_the_bias():
    layer = attention()
    changed = TORCH["x"].copy()
    changed[0, 2:] = 99
    lengths = nd.array([2, 5, 0])
    before, after = (layer(nd.array(x), None, lengths).asnumpy() for x in (TORCH["x"], changed))
    np.testing.assert_allclose(before[0, :2], after[0, :2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        before[2], np.broadcast_to(TORCH["projection_bias"], (5, 8)), rtol=1e-5
    )


def test_dropout_drops_weights_while_training_only():
    layer = attention(dropout=0.5)
    np.testing.assert_allclose(layer(X).asnumpy(), TORCH["plain"], rtol=1e-4, atol=1e-5)
    random.seed(0)
    with autograd.train_mode():
        one, two = layer(X).asnumpy(), layer(X).asnumpy()
    assert (one != two).any()
    random.seed(0)
    with autograd.train_mode():
        assert (layer(X).asnumpy() == one).all()


def test_fans_count_one_projection():
    layer = nn.MultiHeadAttention(8, 2)
    assert layer.qkv_weight.roles == ("out*3", "in")
    fans = init.Description("w", "w", (24, 8), roles=layer.qkv_weight.roles).fans
    assert (fans.fan_in, fans.fan_out) == (8, 8)


def test_half_precision_masks_without_overflow():
    layer = attention(causal=True)
    layer.cast("float16")
    out = layer(X.astype("float16")).asnumpy()
    np.testing.assert_allclose(out, TORCH["causal"], atol=0.02)


def test_a_block_in_half_precision_has_all_parameters_in_it():
    block = nn.TransformerBlock(8, 2, dtype="float16")
    block.initialize()
    assert {p.data().dtype for p in block.collect_params().values()} == {np.float16}


def test_positions_are_added_to_as_many_as_there_are():
    layer = nn.PositionEmbedding(6, 8)
    layer.initialize(init.Normal(1))
    np.testing.assert_allclose(
        layer(X).asnumpy(), TORCH["x"] + layer.weight.data().asnumpy()[:5], rtol=1e-6
    )


def test_it_prints_like_gluon_and_hybridizes():
    block = nn.TransformerBlock(8, 2, causal=True, pre_norm=False)
    assert (
        repr(block)
        == "TransformerBlock(MultiHeadAttention(8, heads=2, causal), hidden=32, post-norm)"
    )
    assert repr(nn.PositionEmbedding(6, 8)) == "PositionEmbedding(6, 8)"
    block.initialize()
    before = block(X).asnumpy()
    block.hybridize()
    assert (block(X).asnumpy() == before).all()
    assert block.output_shape((3, 5, 8)) == (3, 5, 8)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: nn.MultiHeadAttention(8, 3),
            ValueError,
            "units must be a multiple of num_heads, got 8 and 3",
        ),
        (
            lambda: nn.MultiHeadAttention(8, 2, dropout=1),
            ValueError,
            r"dropout must lie in \[0, 1\), got 1",
        ),
        (lambda: nn.MultiHeadAttention(8, 2, head=1), TypeError, "head"),
        (
            lambda: attention()(nd.ones((2, 5, 7))),
            MXNetError,
            r"needs sequences \(batch, length, 8\), got \(2, 5, 7\)",
        ),
        (
            lambda: attention()(X, nd.ones((3, 4, 7))),
            MXNetError,
            r"needs sequences \(3, length, 8\), got \(3, 4, 7\)",
        ),
        (
            lambda: attention()(X, nd.ones((1, 4, 8))),
            MXNetError,
            r"needs sequences \(3, length, 8\), got \(1, 4, 8\)",
        ),
        (
            lambda: attention()(X, nd.ones((4, 8))),
            MXNetError,
            r"needs sequences \(3, length, 8\), got \(4, 8\)",
        ),
        (
            lambda: attention()(X, None, nd.ones((1,))),
            MXNetError,
            r"valid_length must have shape \(3,\), got \(1,\)",
        ),
        (
            lambda: attention()(X, None, nd.ones((3, 1))),
            MXNetError,
            r"valid_length must have shape \(3,\), got \(3, 1\)",
        ),
        (
            lambda: nn.TransformerBlock(8, 2, 0),
            ValueError,
            "hidden_units must be at least 1, got 0",
        ),
        (
            lambda: nn.PositionEmbedding(0, 8),
            ValueError,
            "max_length and units must be at least 1, got 0 and 8",
        ),
        (
            lambda: nn.PositionEmbedding(4, 8).output_shape((3, 5, 8)),
            MXNetError,
            r"of at most 4 positions, got \(3, 5, 8\)",
        ),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()
