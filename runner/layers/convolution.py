"""Convolution, pooling and normalization as layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from engine import gluon
from engine.errors import OptionError
from engine.gluon import nn
from runner.layers.base import Context, Layer, register
from runner.layers.basic import check_activation, check_boolean, check_positive


def check_sizes(option: str, value: Any, least: int) -> None:
    """OptionError unless `value` is a whole number of at least `least`, or two of them."""
    sizes = value if isinstance(value, list) and len(value) == 2 else [value]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= least for n in sizes):
        raise OptionError(option, f"must be a whole number of at least {least}, or two of them, got {value!r}")


def _pair(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@register
@dataclass
class Conv2D(Layer):
    """Cross-correlation with kernels of `kernel_size` (one number or [height, width]), in `groups` that work side by side."""

    channels: int
    kernel_size: Any
    strides: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    activation: Optional[str] = None
    use_bias: bool = True
    weight_initializer: Any = None
    bias_initializer: Any = None

    def __post_init__(self) -> None:
        check_positive("channels", self.channels)
        check_positive("groups", self.groups)
        for option, least in (("kernel_size", 1), ("strides", 1), ("padding", 0), ("dilation", 1)):
            check_sizes(option, getattr(self, option), least)
        check_activation(self.activation)
        check_boolean("use_bias", self.use_bias)
        if self.channels % self.groups:
            raise OptionError("groups", f"must divide channels ({self.channels}), got {self.groups}")
        if not self.use_bias and self.bias_initializer is not None:
            raise OptionError("bias_initializer", "is given, but use_bias is false")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Conv2D`; its bias is zero unless an option or a rule says otherwise."""
        block = nn.Conv2D(
            self.channels,
            _pair(self.kernel_size),
            strides=_pair(self.strides),
            padding=_pair(self.padding),
            dilation=_pair(self.dilation),
            groups=self.groups,
            activation=self.activation,
            use_bias=self.use_bias,
            weight_initializer=context.initializer("weight", None),
            bias_initializer=context.initializer("bias", "zeros"),
        )
        block.cast(context.dtype)
        return block


@dataclass
class Pool2D(Layer):
    """Base of the pooling layers: windows of `pool_size` at `strides` (the pool size where not given)."""

    pool_size: Any = 2
    strides: Any = None
    padding: Any = 0

    def __post_init__(self) -> None:
        check_sizes("pool_size", self.pool_size, 1)
        check_sizes("padding", self.padding, 0)
        if self.strides is not None:
            check_sizes("strides", self.strides, 1)

    def options(self) -> dict[str, Any]:
        """What Gluon's layer is told."""
        return {"pool_size": _pair(self.pool_size), "strides": _pair(self.strides), "padding": _pair(self.padding)}


@register
@dataclass
class MaxPool2D(Pool2D):
    """The largest element of each window."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.MaxPool2D`."""
        return nn.MaxPool2D(**self.options())


@register
@dataclass
class AvgPool2D(Pool2D):
    """The mean of each window."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.AvgPool2D`."""
        return nn.AvgPool2D(**self.options())


@register
@dataclass
class GlobalAvgPool2D(Layer):
    """The mean of each channel."""

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.GlobalAvgPool2D`."""
        return nn.GlobalAvgPool2D()


@register
@dataclass
class BatchNorm(Layer):
    """gamma (x - mean) / sqrt(var + epsilon) + beta over all axes but the second (Ioffe and Szegedy 2015)."""

    epsilon: float = 1e-5
    momentum: float = 0.9
    gamma_initializer: Any = None
    beta_initializer: Any = None

    def __post_init__(self) -> None:
        for option, fits, said in (
            ("epsilon", lambda v: 0 < v < 1, "lie between 0 and 1"),
            ("momentum", lambda v: 0 <= v <= 1, "lie in [0, 1]"),
        ):
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not fits(value):
                raise OptionError(option, f"must {said}, got {value!r}")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.BatchNorm`: gamma one, beta zero, running mean zero and variance one unless a rule says otherwise."""
        block = nn.BatchNorm(
            epsilon=self.epsilon,
            momentum=self.momentum,
            gamma_initializer=context.initializer("gamma", "ones"),
            beta_initializer=context.initializer("beta", "zeros"),
            running_mean_initializer=context.initializer("running_mean", "zeros"),
            running_variance_initializer=context.initializer("running_var", "ones"),
        )
        block.cast(context.dtype)
        return block
