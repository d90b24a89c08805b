"""Dense, activation, flatten and dropout layers of a config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Count, whole
from initlab.runner.layers.base import ActivationName, Context, Layer, Rate, register


@register
@dataclass
class Dense(Layer):
    """A fully connected layer.

    Formula: y = activation(x W^T + b)

    Source: Gluon, `gluon.nn.Dense`; torch: `nn.Linear`.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16, activation: relu}
    """

    tokens: ClassVar[bool | None] = False
    units: Count
    """The outputs."""
    activation: Optional[ActivationName] = None
    """What the output goes through; null for nothing."""
    use_bias: bool = True
    """Whether b is added."""
    flatten: bool = True
    """Whether all axes but the first are joined before; else only the last axis is mapped."""
    in_units: Annotated[int, whole(0, note=", 0 for unknown")] = 0
    """The inputs, if they are to be checked; 0: what comes in."""
    weight_initializer: Optional[Initializer] = None
    """What draws the weight; null: the network's initializer."""
    bias_initializer: Optional[Initializer] = None
    """What draws the bias; null: zeros, unless a rule names the bias."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_used("bias_initializer", "use_bias")

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Dense`; its bias is zero unless an option or a rule says otherwise."""
        return nn.Dense(
            self.units,
            activation=self.activation,
            use_bias=self.use_bias,
            flatten=self.flatten,
            in_units=self.in_units,
            dtype=context.dtype,
            weight_initializer=context.initializer("weight", None),
            bias_initializer=context.initializer("bias", "zeros"),
        )


@register
@dataclass
class Activation(Layer):
    """An activation function of each element.

    Source: Gluon, `gluon.nn.Activation`. `leaky` has the slope 0.01 below 0.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16}
          - {kind: activation, activation: tanh}
    """

    tokens: ClassVar[bool | None] = False
    activation: ActivationName
    """The name of the function."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Activation`."""
        return nn.Activation(self.activation)


@register
@dataclass
class Flatten(Layer):
    """Joins all axes but the first.

    Source: Gluon, `gluon.nn.Flatten`.

    Example:
        input: [1, 8, 8]
        layers:
          - {kind: flatten}
          - {kind: dense, units: 10}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Flatten`."""
        return nn.Flatten()


@register
@dataclass
class Dropout(Layer):
    """Leaves elements out while training.

    Formula: y = x m / (1 - rate), where m is 0 with probability rate and else 1

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    2014.

    Example:
        input: [8]
        layers:
          - {kind: dense, units: 16, activation: relu}
          - {kind: dropout, rate: 0.5}
    """

    tokens: ClassVar[bool | None] = False
    rate: Rate
    """The fraction of elements that is left out."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Dropout`."""
        return nn.Dropout(self.rate)
