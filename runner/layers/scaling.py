"""One number for a whole array as layers of a config: a factor, fixed or learned, and a learned
summand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from initlab.engine import gluon, init
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.basic import check_boolean


@register
@dataclass
class Scale(Layer):
    """factor x; with `learnable` the factor is a parameter of one number, which starts from
    `factor`.
    """

    factor: float = 1.0
    learnable: bool = False
    scale_initializer: Any = None

    def __post_init__(self) -> None:
        if (
            isinstance(self.factor, bool)
            or not isinstance(self.factor, (int, float))
            or not math.isfinite(self.factor)
        ):
            raise OptionError("factor", f"must be a finite number, got {self.factor!r}")
        check_boolean("learnable", self.learnable)
        if not self.learnable and self.scale_initializer is not None:
            raise OptionError("scale_initializer", "is given, but learnable is false")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Scale`; a rule of the run's initializer that names its parameter wins over
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
    """x + b with one learned number b, 0 at first: Fixup's scalar bias (Zhang, Dauphin and Ma
    2019).
    """

    bias_initializer: Any = None

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Shift`."""
        block = nn.Shift(context.initializer("bias", "zeros"))
        block.cast(context.dtype)
        return block
