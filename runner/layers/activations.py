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
    """A rectifier with a slope below 0.

    Formula: y = x for x > 0, else alpha x

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models",
    2013.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16, weight_initializer: {kind: he, slope: 0.1}}
          - {kind: leaky_relu, alpha: 0.1}
    """

    tokens: ClassVar[bool | None] = False
    alpha: NotNegative
    """The slope below 0."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.LeakyReLU`."""
        return nn.LeakyReLU(self.alpha)


@register
@dataclass
class Prelu(Layer):
    """A rectifier whose slope below 0 is learned, initially 0.25.

    Formula: y = x for x > 0, else alpha x

    Source: He et al., "Delving deep into rectifiers", 2015.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16}
          - {kind: prelu, in_channels: 16}
    """

    tokens: ClassVar[bool | None] = False
    in_channels: Count = 1
    """1 for one slope, or the number of channels for one slope each."""
    alpha_initializer: Optional[Initializer] = None
    """What draws the slopes; null: 0.25."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.PReLU`."""
        block = nn.PReLU(context.initializer("alpha", init.Constant(0.25)), self.in_channels)
        block.cast(context.dtype)
        return block


@register
@dataclass
class Elu(Layer):
    """A rectifier that ends smoothly at -alpha.

    Formula: y = x for x > 0, else alpha (e^x - 1)

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", 2016.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16}
          - {kind: elu}
    """

    tokens: ClassVar[bool | None] = False
    alpha: NotNegative = 1.0
    """The value far below 0 is -alpha."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.ELU`."""
        return nn.ELU(self.alpha)


@register
@dataclass
class Selu(Layer):
    """The scaled exponential linear unit, with which LeCun's initializer keeps mean 0 and variance
    1.

    Formula: y = 1.0507 x for x > 0, else 1.7581 (e^x - 1)

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", 2017.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16, weight_initializer: lecun}
          - {kind: selu}
    """

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.SELU`."""
        return nn.SELU()


@register
@dataclass
class Gelu(Layer):
    """The Gaussian error linear unit.

    Formula: y = x Phi(x), with the standard normal distribution function Phi

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16}
          - {kind: gelu}
    """

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GELU`."""
        return nn.GELU()


@register
@dataclass
class Swish(Layer):
    """The swish, with beta 1 the SiLU.

    Formula: y = x / (1 + e^(-beta x))

    Source: Ramachandran, Zoph and Le, "Searching for activation functions", 2017.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16}
          - {kind: swish, beta: 1.5}
    """

    tokens: ClassVar[bool | None] = False
    beta: NotNegative = 1.0
    """How steep it is; 0 gives x / 2."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Swish`."""
        return nn.Swish(self.beta)


@register
@dataclass
class Identity(Layer):
    """The input unchanged, for the place of a layer that is left out.

    Formula: y = x

    Source: Gluon, `gluon.contrib.nn.Identity`.

    Example:
        input: [8]
        layers:
          - {kind: identity}
          - {kind: dense, units: 16}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.contrib.nn.Identity`."""
        return IdentityBlock()
