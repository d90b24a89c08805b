"""Attention and transformer blocks as layers of a config; samples are sequences (length, units)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Count, choice
from initlab.runner.layers.base import ActivationName, Context, Layer, Rate, register

DEFAULTS = {"weight": None, "bias": "zeros", "gamma": "ones", "beta": "zeros"}
PROJECTIONS = ("projection_weight", "contract.weight")
"""What leads back to the shortcut."""


@dataclass
class Attention(Layer):
    """Base class of layers with attention of `heads` heads over `units`."""

    tokens: ClassVar[bool | None] = False
    units: Count
    """The numbers of a position, in and out; a multiple of heads."""
    heads: Count
    """The attention heads, each of units / heads numbers."""
    causal: bool = False
    """Whether a position sees only itself and those before it."""
    dropout: Rate = 0.0
    """The fraction of attention weights and outputs that is left out while training."""
    use_bias: bool = True
    """Whether the projections have biases."""
    weight_initializer: Optional[Initializer] = None
    """What draws the weights; null: the network's initializer."""
    bias_initializer: Optional[Initializer] = None
    """What draws the biases; null: zeros, unless a rule names them."""
    projection_initializer: Optional[Initializer] = None
    """What draws the weights before each addition to the shortcut, like attention.projection_weight
    and contract.weight; null: as the other weights.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise OptionError("heads", f"must divide units ({self.units}), got {self.heads}")
        self.check_used("bias_initializer", "use_bias")

    def initialized(self, block: gluon.Block, context: Context) -> gluon.Block:
        """Return the block with the initializer of each parameter set by an option, a rule or the
        default.
        """
        for path, parameter in block.structural_params().items():
            kind = path.rpartition(".")[2].rpartition("_")[2]
            chosen = self.projection_initializer is not None and path.endswith(PROJECTIONS)
            parameter.init = context.initializer(
                path, DEFAULTS[kind], "projection" if chosen else kind
            )
        return block


@register
@dataclass
class MultiHeadAttention(Attention):
    """Attention of several heads of a sequence to itself.

    The projections of queries, keys and values are packed in `qkv_weight` (3 units, units); the
    output's is `projection_weight`. Samples are (length, units).

    Formula: head = softmax(Q K^T / sqrt(units / heads)) V

    Source: Vaswani et al., "Attention is all you need", 2017.

    Example:
        input: [12, 16]
        layers:
          - {kind: multi_head_attention, units: 16, heads: 4, causal: true}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.MultiHeadAttention`."""
        block = nn.MultiHeadAttention(
            self.units, self.heads, self.causal, self.dropout, self.use_bias, dtype=context.dtype
        )
        return self.initialized(block, context)


@register
@dataclass
class TransformerBlock(Attention):
    """Self-attention, then a feed-forward network, each with a residual connection.

    The feed-forward network is `expand` to `hidden` units and `contract`; the normalizations are
    `norm1` and `norm2`. Samples are (length, units).

    Formula: x + f(norm(x)) if norm is pre, norm(x + f(x)) if it is post

    Source: Vaswani et al., "Attention is all you need", 2017 (post); Radford et al., "Language
    models are unsupervised multitask learners" (GPT-2), 2019 (pre).

    Example:
        input: [12, 16]
        layers:
          - {kind: transformer_block, units: 16, heads: 4, activation: gelu_tanh}
    """

    hidden: Optional[Count] = None
    """The units of the feed-forward network; null: 4 units."""
    activation: ActivationName = "gelu"
    """The activation of the feed-forward network."""
    norm: Annotated[str, choice("pre post")] = "pre"
    """Whether a normalization comes before each part (pre) or after each addition (post)."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.TransformerBlock`."""
        block = nn.TransformerBlock(
            self.units,
            self.heads,
            self.hidden,
            self.activation,
            self.norm == "pre",
            self.causal,
            self.dropout,
            self.use_bias,
            dtype=context.dtype,
        )
        block.cast(context.dtype)
        return self.initialized(block, context)


@register
@dataclass
class PositionEmbedding(Layer):
    """Adds a learned vector to each position. Samples are (length, units).

    Formula: y_t = x_t + w_t

    Source: Radford et al., "Language models are unsupervised multitask learners" (GPT-2), 2019:
    `wpe`.

    Example:
        input: [12]
        layers:
          - {kind: embedding, input_dim: 256, output_dim: 16}
          - {kind: position_embedding, length: 12, units: 16}
    """

    tokens: ClassVar[bool | None] = False
    length: Count
    """The most positions that a sample may have."""
    units: Count
    """The numbers of a position."""
    weight_initializer: Optional[Initializer] = None
    """What draws the vectors; null: the network's initializer."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.PositionEmbedding`."""
        return nn.PositionEmbedding(
            self.length, self.units, context.initializer("weight", None), context.dtype
        )
