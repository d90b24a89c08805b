"""Normalizations as layers of a config: mean 0 and variance 1 over some axes, then gamma and beta."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Count, Rule, within
from initlab.runner.layers.base import Context, Layer, register

Axis = Annotated[
    int,
    Rule(
        "be the number of an axis other than the batch's, 0",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value != 0,
    ),
]


@dataclass
class Norm(Layer):
    """Base class of normalizations.

    `epsilon` is added to the variance; `scale` and `center` say whether gamma and beta are learned.
    """

    tokens: ClassVar[bool | None] = False
    epsilon: Annotated[float, within(0, 1, "()")] = 1e-5
    center: bool = True
    scale: bool = True
    gamma_initializer: Optional[Initializer] = None
    beta_initializer: Optional[Initializer] = None

    def options(self, context: Context) -> dict[str, Any]:
        """Return the options of Gluon's layer. Gamma is one and beta zero unless an option or a
        rule says otherwise.
        """
        return {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "gamma_initializer": context.initializer("gamma", "ones"),
            "beta_initializer": context.initializer("beta", "zeros"),
        }


@register
@dataclass
class BatchNorm(Norm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized over all axes but the channels
    (`axis`).

    Source: Ioffe and Szegedy 2015.
    """

    averages: ClassVar[bool] = True
    block: ClassVar[Callable[..., gluon.Block]] = nn.BatchNorm
    momentum: Annotated[float, within(0, 1)] = 0.9
    axis: Axis = 1

    def build(self, context: Context) -> gluon.Block:
        """Gluon's layer of the same name: running mean zero and variance one unless a rule says
        otherwise.
        """
        block = type(self).block(
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

    block: ClassVar[Callable[..., gluon.Block]] = nn.BatchNormReLU


@register
@dataclass
class LayerNorm(Norm):
    """gamma (x - mean) / sqrt(var + epsilon) + beta, normalized along `axis` (Ba, Kiros and Hinton
    2016).
    """

    axis: Axis = -1

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.LayerNorm`."""
        block = nn.LayerNorm(axis=self.axis, **self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class InstanceNorm(Norm):
    """Normalize each channel of each sample over its positions (Ulyanov et al. 2016).

    By default gamma is not learned.
    """

    scale: bool = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.InstanceNorm`."""
        block = nn.InstanceNorm(**self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class GroupNorm(Norm):
    """Normalize each of `num_groups` groups of channels of each sample (Wu and He 2018).

    Gamma and beta have one element for each group.
    """

    num_groups: Count = 1

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GroupNorm`."""
        block = nn.GroupNorm(self.num_groups, **self.options(context))
        block.cast(context.dtype)
        return block
