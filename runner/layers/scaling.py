"""Layers with one number for the whole array: a fixed or learned factor, and a learned bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Optional

from initlab.engine import gluon, init
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Finite
from initlab.runner.layers.base import Context, Layer, register


@register
@dataclass
class Scale(Layer):
    """A factor for the whole array, fixed or learned.

    Formula: y = factor x

    Source: De and Smith, "Batch normalization biases residual blocks towards the identity function
    in deep networks", 2020: the learned multiplier of a branch.

    Example:
        input: [16]
        layers:
          - kind: residual
            layers:
              - {kind: dense, units: 16, activation: relu}
              - {kind: scale, learnable: true}
    """

    tokens: ClassVar[bool | None] = False
    factor: Finite = 1.0
    """The factor, or its first value if it is learned."""
    learnable: bool = False
    """Whether it is a parameter."""
    scale_initializer: Optional[Initializer] = None
    """What draws a learned factor; null: factor, unless a rule names it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_used("scale_initializer", "learnable")

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Scale`; a rule of the initializer that names its parameter overrides
        `factor`.
        """
        if not self.learnable:
            return nn.Scale(self.factor)
        block = nn.Scale(
            self.factor,
            learnable=True,
            scale_initializer=context.initializer("scale", init.Constant(self.factor)),
        )
        block.cast(context.dtype)
        return block


@register
@dataclass
class Shift(Layer):
    """One learned number that is added to the whole array, initially 0.

    Formula: y = x + b

    Source: Zhang, Dauphin and Ma, "Fixup initialization", 2019: the scalar bias.

    Example:
        input: [16]
        layers:
          - {kind: shift}
          - {kind: dense, units: 16}
    """

    tokens: ClassVar[bool | None] = False
    bias_initializer: Optional[Initializer] = None
    """What draws the number; null: zeros, unless a rule names it."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Shift`."""
        block = nn.Shift(context.initializer("bias", "zeros"))
        block.cast(context.dtype)
        return block
