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
    """Fully connected: y = activation(x W^T + b). `flatten` joins all axes but the first."""

    tokens: ClassVar[bool | None] = False
    units: Count
    activation: Optional[ActivationName] = None
    use_bias: bool = True
    flatten: bool = True
    in_units: Annotated[int, whole(0, note=", 0 for unknown")] = 0
    weight_initializer: Optional[Initializer] = None
    bias_initializer: Optional[Initializer] = None

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
    """An elementwise activation function."""

    tokens: ClassVar[bool | None] = False
    activation: ActivationName

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Activation`."""
        return nn.Activation(self.activation)


@register
@dataclass
class Flatten(Layer):
    """Joins all axes but the first."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Flatten`."""
        return nn.Flatten()


@register
@dataclass
class Dropout(Layer):
    """While training, sets a fraction `rate` of the elements to zero and scales the rest by 1 / (1
    - rate).
    """

    tokens: ClassVar[bool | None] = False
    rate: Rate

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Dropout`."""
        return nn.Dropout(self.rate)
