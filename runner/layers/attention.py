"""Attention and transformer blocks as layers of a config; samples are sequences (length, units)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.basic import check_activation, check_boolean, check_positive

DEFAULTS = {"weight": None, "bias": "zeros", "gamma": "ones", "beta": "zeros"}
PROJECTIONS = ("projection_weight", "contract.weight")
"""What leads back to the shortcut."""


@dataclass
class Attention(Layer):
    """Base of the layers with attention of `heads` heads over `units`."""

    units: int
    heads: int
    causal: bool = False
    dropout: float = 0.0
    use_bias: bool = True
    weight_initializer: Any = None
    bias_initializer: Any = None
    projection_initializer: Any = None

    def __post_init__(self) -> None:
        check_positive("units", self.units)
        check_positive("heads", self.heads)
        check_boolean("causal", self.causal)
        check_boolean("use_bias", self.use_bias)
        if self.units % self.heads:
            raise OptionError("heads", f"must divide units ({self.units}), got {self.heads}")
        if (
            isinstance(self.dropout, bool)
            or not isinstance(self.dropout, (int, float))
            or not 0 <= self.dropout < 1
        ):
            raise OptionError("dropout", f"must be a number of [0, 1), got {self.dropout!r}")
        if not self.use_bias and self.bias_initializer is not None:
            raise OptionError("bias_initializer", "is given, but use_bias is false")

    def initialized(self, block: gluon.Block, context: Context) -> gluon.Block:
        """The block, each of whose parameters has the initializer that an option, a rule or the
        layer's default gives it.
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
        """A `gluon.nn.MultiHeadAttention`."""
        block = nn.MultiHeadAttention(
            self.units, self.heads, self.causal, self.dropout, self.use_bias, dtype=context.dtype
        )
        return self.initialized(block, context)


@register
@dataclass
class TransformerBlock(Attention):
    """Attention, then `expand` to `hidden` units (4 `units` where not given) and `contract`, each
    around a shortcut.

    `norm` says whether `norm1` and `norm2` come before each (pre) or after the addition (post).
    `projection_initializer` is for what leads back to the shortcut: `attention.projection_weight`
    and `contract.weight`.
    """

    hidden: Optional[int] = None
    activation: str = "gelu"
    norm: str = "pre"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden is not None:
            check_positive("hidden", self.hidden)
        check_activation(self.activation)
        if self.norm not in ("pre", "post"):
            raise OptionError("norm", f"must be 'pre' or 'post', got {self.norm!r}")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.TransformerBlock`."""
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

    length: int
    units: int
    weight_initializer: Any = None

    def __post_init__(self) -> None:
        check_positive("length", self.length)
        check_positive("units", self.units)

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.PositionEmbedding`."""
        return nn.PositionEmbedding(
            self.length, self.units, context.initializer("weight", None), context.dtype
        )
