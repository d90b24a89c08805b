"""The layers with parameters of their own, and those that only compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.registry import advice
from initlab.runner.layers.base import Context, Layer, register


def check_activation(name: Any) -> None:
    """OptionError for an activation that does not exist."""
    if name is not None and not (isinstance(name, str) and name in ACTIVATIONS):
        raise OptionError("activation", f"has no '{name}' - {advice(str(name), ACTIVATIONS)}")


def check_positive(option: str, value: Any) -> None:
    """OptionError unless `value` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OptionError(option, f"must be a whole number of at least 1, got {value!r}")


def check_boolean(option: str, value: Any) -> None:
    """OptionError unless `value` is true or false."""
    if not isinstance(value, bool):
        raise OptionError(option, f"must be true or false, got {value!r}")


@register
@dataclass
class Dense(Layer):
    """Fully connected: y = activation(x W^T + b). `flatten` joins all axes but the first."""

    units: int
    activation: Optional[str] = None
    use_bias: bool = True
    flatten: bool = True
    in_units: int = 0
    weight_initializer: Any = None
    bias_initializer: Any = None

    def __post_init__(self) -> None:
        check_positive("units", self.units)
        if (
            isinstance(self.in_units, bool)
            or not isinstance(self.in_units, int)
            or self.in_units < 0
        ):
            raise OptionError(
                "in_units", f"must be a whole number, 0 for unknown, got {self.in_units!r}"
            )
        check_activation(self.activation)
        check_boolean("use_bias", self.use_bias)
        check_boolean("flatten", self.flatten)
        if not self.use_bias and self.bias_initializer is not None:
            raise OptionError("bias_initializer", "is given, but use_bias is false")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Dense`; its bias is zero unless an option or a rule says otherwise."""
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
    """An element-wise nonlinearity."""

    activation: str

    def __post_init__(self) -> None:
        check_activation(self.activation)

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Activation`."""
        return nn.Activation(self.activation)


@register
@dataclass
class Flatten(Layer):
    """Joins all axes but the first."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Flatten`."""
        return nn.Flatten()


@register
@dataclass
class Dropout(Layer):
    """While training, sets a fraction `rate` of the elements to zero and scales the rest by 1 / (1
    - rate).
    """

    rate: float

    def __post_init__(self) -> None:
        if (
            isinstance(self.rate, bool)
            or not isinstance(self.rate, (int, float))
            or not 0 <= self.rate < 1
        ):
            raise OptionError("rate", f"must lie in [0, 1), got {self.rate!r}")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Dropout`."""
        return nn.Dropout(self.rate)
