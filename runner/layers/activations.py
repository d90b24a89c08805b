"""Rectifiers with options of their own as layers of a config; those without are `activation` by
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initlab.engine import gluon, init
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import Identity as IdentityBlock
from initlab.engine.options import Count, NotNegative
from initlab.runner.layers.base import Context, Layer, register


@register
@dataclass
class LeakyReLU(Layer):
    """x above 0, alpha x below."""

    alpha: NotNegative

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.LeakyReLU`."""
        return nn.LeakyReLU(self.alpha)


@register
@dataclass
class Prelu(Layer):
    """x above 0, below it x times a learned slope, 0.25 at first: one for all, or one for each of
    `in_channels` (He et al. 2015).
    """

    in_channels: Count = 1
    alpha_initializer: Any = None

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.PReLU`."""
        block = nn.PReLU(context.initializer("alpha", init.Constant(0.25)), self.in_channels)
        block.cast(context.dtype)
        return block


@register
@dataclass
class Elu(Layer):
    """x above 0, alpha (e^x - 1) below."""

    alpha: NotNegative = 1.0

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.ELU`."""
        return nn.ELU(self.alpha)


@register
@dataclass
class Selu(Layer):
    """The self-normalizing ELU (Klambauer et al. 2017)."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.SELU`."""
        return nn.SELU()


@register
@dataclass
class Gelu(Layer):
    """x Phi(x), Phi being the normal distribution function."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.GELU`."""
        return nn.GELU()


@register
@dataclass
class Swish(Layer):
    """x sigmoid(beta x)."""

    beta: NotNegative = 1.0

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Swish`."""
        return nn.Swish(self.beta)


@register
@dataclass
class Identity(Layer):
    """The input itself."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.contrib.nn.Identity`."""
        return IdentityBlock()
