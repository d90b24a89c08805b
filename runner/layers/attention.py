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
    heads: Count
    causal: bool = False
    dropout: Rate = 0.0
    use_bias: bool = True
    weight_initializer: Optional[Initializer] = None
    bias_initializer: Optional[Initializer] = None
    projection_initializer: Optional[Initializer] = None

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
    """Attention with packed projections of queries, keys and values: `qkv_weight` (3 units, units)
    and `projection_weight`.
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

    The feed-forward network is `expand` to `hidden` units (by default 4 times `units`) and
    `contract`. `norm` says whether `norm1` and `norm2` come before each (pre) or after the addition
    (post). `projection_initializer` is for the weights before each addition:
    `attention.projection_weight` and `contract.weight`.
    """

    hidden: Optional[Count] = None
    activation: ActivationName = "gelu"
    norm: Annotated[str, choice("pre post")] = "pre"

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
    """Adds a learned vector to each of at most `length` positions."""

    tokens: ClassVar[bool | None] = False
    length: Count
    units: Count
    weight_initializer: Optional[Initializer] = None

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.PositionEmbedding`."""
        return nn.PositionEmbedding(
            self.length, self.units, context.initializer("weight", None), context.dtype
        )
