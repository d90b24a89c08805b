"""Normalizations as layers of a config: mean 0 and variance 1 over some axes, then gamma and beta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.basic import check_boolean, check_positive


def check_number(option: str, value: Any, fits: bool, said: str) -> None:
    """OptionError unless `value` is a number for which `fits` holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not fits:
        raise OptionError(option, f"must {said}, got {value!r}")


def _between(value: Any, low: float, high: float, ends: bool) -> bool:
    """Whether a number lies between two others; False for what is no number."""
    return isinstance(value, (int, float)) and (
        low <= value <= high if ends else low < value < high
    )


@dataclass
class Norm(Layer):
    """Base of the normalizations: `epsilon` is added to the variance; `scale` and `center` say
    whether gamma and beta are learned.
    """

    epsilon: float = 1e-5
    center: bool = True
    scale: bool = True
    gamma_initializer: Any = None
    beta_initializer: Any = None

    def __post_init__(self) -> None:
        check_number(
            "epsilon", self.epsilon, _between(self.epsilon, 0, 1, False), "lie between 0 and 1"
        )
        check_boolean("center", self.center)
        check_boolean("scale", self.scale)

    def options(self, context: Context) -> dict[str, Any]:
        """What Gluon's layer is told: gamma is one and beta zero unless an option or a rule says
        otherwise.
        """
        return {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "gamma_initializer": context.initializer("gamma", "ones"),
            "beta_initializer": context.initializer("beta", "zeros"),
        }


def _check_axis(axis: Any) -> None:
    if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
        raise OptionError(
            "axis", f"must be the number of an axis other than the batch's, 0, got {axis!r}"
        )


@register
@dataclass
class BatchNorm(Norm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta over all axes but `axis`, the channels' (Ioffe
    and Szegedy 2015).
    """

    block: ClassVar[Any] = nn.BatchNorm
    momentum: float = 0.9
    axis: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number(
            "momentum", self.momentum, _between(self.momentum, 0, 1, True), "lie in [0, 1]"
        )
        _check_axis(self.axis)

    def build(self, context: Context) -> gluon.Block:
        """Gluon's layer of the same name: running mean zero and variance one unless a rule says
        otherwise.
        """
        block = self.block(
            axis=self.axis,
            momentum=self.momentum,
            **self.options(context),
            running_mean_initializer=context.initializer("running_mean", "zeros"),
            running_variance_initializer=context.initializer("running_var", "ones"),
        )
        block.cast(context.dtype)
        return block


@register
@dataclass
class BatchNormReLU(BatchNorm):
    """`batch_norm`, then max(x, 0)."""

    block: ClassVar[Any] = nn.BatchNormReLU


@register
@dataclass
class LayerNorm(Norm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta along `axis` (Ba, Kiros and Hinton 2016)."""

    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_axis(self.axis)

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.LayerNorm`."""
        block = nn.LayerNorm(axis=self.axis, **self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class InstanceNorm(Norm):
    """Each channel of each sample normalized over its positions (Ulyanov et al. 2016); gamma is not
    learned unless asked for.
    """

    scale: bool = False

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.InstanceNorm`."""
        block = nn.InstanceNorm(**self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class GroupNorm(Norm):
    """Each of `num_groups` groups of channels of each sample normalized (Wu and He 2018), with one
    gamma and beta a group.
    """

    num_groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("num_groups", self.num_groups)

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.GroupNorm`."""
        block = nn.GroupNorm(self.num_groups, **self.options(context))
        block.cast(context.dtype)
        return block
