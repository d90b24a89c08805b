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
    """factor * x. With `learnable` the factor is a parameter of one number, initially `factor`."""

    tokens: ClassVar[bool | None] = False
    factor: Finite = 1.0
    learnable: bool = False
    scale_initializer: Optional[Initializer] = None

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
    """x + b with one learned number b, initially 0: Fixup's scalar bias (Zhang, Dauphin and Ma
    2019).
    """

    tokens: ClassVar[bool | None] = False
    bias_initializer: Optional[Initializer] = None

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Shift`."""
        block = nn.Shift(context.initializer("bias", "zeros"))
        block.cast(context.dtype)
        return block
