"""Rectifiers with options, as layers of a config; activations without options are `activation` by
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Optional

from initlab.engine import gluon, init
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import Identity as IdentityBlock
from initlab.engine.init import Initializer
from initlab.engine.options import Count, NotNegative
from initlab.runner.layers.base import Context, Layer, register


@register
@dataclass
class LeakyReLU(Layer):
    """x for x > 0, else alpha x."""

    tokens: ClassVar[bool | None] = False
    alpha: NotNegative

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.LeakyReLU`."""
        return nn.LeakyReLU(self.alpha)


@register
@dataclass
class Prelu(Layer):
    """x for x > 0, else alpha x with a learned alpha, initially 0.25 (He et al. 2015).

    `in_channels` is 1, for one alpha, or the number of channels, for one alpha each.
    """

    tokens: ClassVar[bool | None] = False
    in_channels: Count = 1
    alpha_initializer: Optional[Initializer] = None

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.PReLU`."""
        block = nn.PReLU(context.initializer("alpha", init.Constant(0.25)), self.in_channels)
        block.cast(context.dtype)
        return block


@register
@dataclass
class Elu(Layer):
    """x for x > 0, else alpha (e^x - 1)."""

    tokens: ClassVar[bool | None] = False
    alpha: NotNegative = 1.0

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.ELU`."""
        return nn.ELU(self.alpha)


@register
@dataclass
class Selu(Layer):
    """The scaled exponential linear unit of self-normalizing networks (Klambauer et al. 2017)."""

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.SELU`."""
        return nn.SELU()


@register
@dataclass
class Gelu(Layer):
    """x Phi(x), with the standard normal distribution function Phi."""

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GELU`."""
        return nn.GELU()


@register
@dataclass
class Swish(Layer):
    """x sigmoid(beta x)."""

    tokens: ClassVar[bool | None] = False
    beta: NotNegative = 1.0

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Swish`."""
        return nn.Swish(self.beta)


@register
@dataclass
class Identity(Layer):
    """The input unchanged."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.contrib.nn.Identity`."""
        return IdentityBlock()
