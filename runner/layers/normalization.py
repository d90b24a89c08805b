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
    """What is added to the variance."""
    center: bool = True
    """Whether beta is learned and added."""
    scale: bool = True
    """Whether gamma is learned and multiplied."""
    gamma_initializer: Optional[Initializer] = None
    """What draws gamma; null: ones, unless a rule names it."""
    beta_initializer: Optional[Initializer] = None
    """What draws beta; null: zeros, unless a rule names it."""

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
    """Normalizes each channel over the batch and all positions.

    Formula: y = gamma (x - mean) / sqrt(var + epsilon) + beta

    Source: Ioffe and Szegedy, "Batch normalization", 2015.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d, channels: 8, kernel_size: 3, use_bias: false}
          - {kind: batch_norm}
    """

    averages: ClassVar[bool] = True
    block: ClassVar[Callable[..., gluon.Block]] = nn.BatchNorm
    momentum: Annotated[float, within(0, 1)] = 0.9
    """The weight of the old value in the running mean and variance."""
    axis: Axis = 1
    """The axis of the channels."""

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
    """`batch_norm`, then relu.

    Formula: y = max(0, gamma (x - mean) / sqrt(var + epsilon) + beta)

    Source: Gluon, `gluon.nn.BatchNormReLU`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d, channels: 8, kernel_size: 3, use_bias: false}
          - {kind: batch_norm_relu}
    """

    block: ClassVar[Callable[..., gluon.Block]] = nn.BatchNormReLU


@register
@dataclass
class LayerNorm(Norm):
    """Normalizes each sample along one axis.

    Formula: y = gamma (x - mean) / sqrt(var + epsilon) + beta

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Example:
        input: [12, 16]
        layers:
          - {kind: layer_norm}
    """

    axis: Axis = -1
    """The axis over which mean and variance are taken."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.LayerNorm`."""
        block = nn.LayerNorm(axis=self.axis, **self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class InstanceNorm(Norm):
    """Normalizes each channel of each sample over its positions. By default gamma is not learned.

    Formula: y = gamma (x - mean) / sqrt(var + epsilon) + beta

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: instance_norm}
    """

    scale: bool = False
    """Whether gamma is learned and multiplied."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.InstanceNorm`."""
        block = nn.InstanceNorm(**self.options(context))
        block.cast(context.dtype)
        return block


@register
@dataclass
class GroupNorm(Norm):
    """Normalizes each group of channels of each sample. Gamma and beta have one element for each
    group.

    Formula: y = gamma (x - mean) / sqrt(var + epsilon) + beta

    Source: Wu and He, "Group normalization", 2018; Gluon, `gluon.nn.GroupNorm`.

    Example:
        input: [4, 8, 8]
        layers:
          - {kind: group_norm, num_groups: 2}
    """

    num_groups: Count = 1
    """Into how many groups the channels are divided."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GroupNorm`."""
        block = nn.GroupNorm(self.num_groups, **self.options(context))
        block.cast(context.dtype)
        return block
