"""What a layer's parameters are called in torch, by layer kind, and how they lie there.

A parameter has its layer's path in our config, then the name that torch's module gives it:

    kind                               torch's module                   changed
    dense                              Linear                           -
    conv1d … conv3d, their transposes  Conv1d … ConvTranspose3d         -
    embedding, position_embedding      Embedding                        -
    batch_norm, batch_norm_relu        BatchNorm1d … BatchNorm3d        gamma, beta -> weight, bias
    layer_norm, instance_norm          LayerNorm, InstanceNorm1d … 3d   the same
    group_norm                         GroupNorm                        a gamma a group -> a channel
    prelu                              PReLU                            alpha -> weight
    rnn, lstm, gru                     RNN, LSTM, GRU                   l0_i2h_… -> …_ih_l0
    multi_head_attention               MultiheadAttention               qkv_… -> in_proj_…
    transformer_block                  TransformerEncoderLayer          zeros for absent biases
    scale, shift                       a Parameter of one's own         -

Weights have the same axes in both, (out, in, *kernel), and gates and packed projections the same
order: LSTM input, forget, cell, output; GRU reset, update, new; attention queries, keys, values.
Source: the documentation of torch.nn 2.13.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from initlab.engine.errors import OptionError
from initlab.runner.export.tensors import Tensor, filled, repeated, same
from initlab.runner.layers import Layer
from initlab.runner.layers.attention import TransformerBlock
from initlab.runner.layers.normalization import BatchNorm, GroupNorm, LayerNorm

Values = Mapping[str, np.ndarray]
"""The parameters of one layer by their names within it."""
Shape = tuple[int, ...] | None
Made = Callable[[Layer, Values, Shape], Iterator[Tensor]]
"""(layer, its parameters, the shape of its output with the batch axis, None if it is not known) ->
torch's tensors, by their names within the module."""

NORM = {"gamma": "weight", "beta": "bias"}
ATTENTION = {
    "qkv_weight": "in_proj_weight",
    "qkv_bias": "in_proj_bias",
    "projection_weight": "out_proj.weight",
    "projection_bias": "out_proj.bias",
}
BLOCK = {
    **{f"norm{n}.{ours}": f"norm{n}.{theirs}" for n in (1, 2) for ours, theirs in NORM.items()},
    **{f"attention.{ours}": f"self_attn.{theirs}" for ours, theirs in ATTENTION.items()},
    **{f"expand.{name}": f"linear1.{name}" for name in ("weight", "bias")},
    **{f"contract.{name}": f"linear2.{name}" for name in ("weight", "bias")},
}
RECURRENT = re.compile(r"([lr])(\d+)_(i2h|h2h|h2r)_(weight|bias)")
SOURCES = {"i2h": "ih", "h2h": "hh", "h2r": "hr"}


def renamed(names: Mapping[str, str]) -> Made:
    """Return a counterpart whose parameters have other names only."""

    def made(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
        return (same(names.get(name, name), array) for name, array in values.items())

    return made


def recurrent(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
    """Yield `weight_ih_l0` for `l0_i2h_weight`, with `_reverse` for the backward direction."""
    for name, array in values.items():
        found = RECURRENT.fullmatch(name)
        assert found is not None
        side, number, source, kind = found.groups()
        back = "_reverse" if side == "r" else ""
        yield same(f"{kind}_{SOURCES[source]}_l{number}{back}", array)


def batch_norm(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
    """Yield weight, bias, the running values, and torch's count of batches, which is 0."""
    assert isinstance(layer, BatchNorm)
    if layer.axis != 1:
        raise OptionError("axis", f"must be 1, where torch's BatchNorm has it, got {layer.axis}")
    for name, array in values.items():
        if name == "gamma" and not layer.scale:  # it is taken for ones, whatever it holds
            yield filled("weight", array.shape, array.dtype.name, 1)
        else:
            yield same(NORM.get(name, name), array)
    yield filled("num_batches_tracked", (), "int64", 0)


def layer_norm(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
    """Yield weight and bias."""
    assert isinstance(layer, LayerNorm)
    if layer.axis != -1 and (shape is None or layer.axis != len(shape) - 1):
        said = f"must be -1, the last, where torch's LayerNorm has it, got {layer.axis}"
        raise OptionError("axis", said)
    return renamed(NORM)(layer, values, shape)


def group_norm(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
    """Yield weight and bias, with the number of a group for each of its channels."""
    assert isinstance(layer, GroupNorm)
    if shape is None:
        said = "the number of channels is not known - give model.input in the config"
        raise OptionError("num_groups", said)
    for name, array in values.items():
        yield repeated(NORM[name], array, shape[1] // layer.num_groups)


def transformer_block(layer: Layer, values: Values, shape: Shape) -> Iterator[Tensor]:
    """Yield the parameters of a TransformerEncoderLayer, whose layers all have a bias or none."""
    assert isinstance(layer, TransformerBlock)
    for ours, theirs in BLOCK.items():
        if ours in values:
            yield same(theirs, values[ours])
        else:
            weight = values[ours.removesuffix("bias") + "weight"]
            yield filled(theirs, weight.shape[:1], weight.dtype.name, 0)


COUNTERPARTS: dict[str, Made] = {
    **dict.fromkeys(
        ("dense", "embedding", "position_embedding", "scale", "shift"),
        renamed({}),
    ),
    **dict.fromkeys(
        (f"conv{axes}d{also}" for axes in (1, 2, 3) for also in ("", "_transpose")), renamed({})
    ),
    **dict.fromkeys(("batch_norm", "batch_norm_relu"), batch_norm),
    "layer_norm": layer_norm,
    "instance_norm": renamed(NORM),
    "group_norm": group_norm,
    "prelu": renamed({"alpha": "weight"}),
    **dict.fromkeys(("rnn", "lstm", "gru"), recurrent),
    "multi_head_attention": renamed(ATTENTION),
    "transformer_block": transformer_block,
}
"""Layer kind -> torch's tensors of such a layer."""
