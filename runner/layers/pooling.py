"""Pooling as layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.convolution import Sizes, as_sizes, sizes


@dataclass
class Pool2D(Layer):
    """Base class of pooling: windows of `pool_size` at distances of `strides` (by default the pool
    size).
    """

    pool_size: Annotated[Sizes, sizes(1)] = 2
    """The height and width of a window: one number, or a list of two."""
    strides: Optional[Annotated[Sizes, sizes(1)]] = None
    """The distance between windows: one number, or a list of two; null: the pool size."""
    padding: Annotated[Sizes, sizes(0)] = 0
    """What is added on each side: one number, or a list of two."""

    def options(self) -> dict[str, Any]:
        """Return the options of Gluon's layer."""
        return {
            "pool_size": as_sizes(self.pool_size),
            "strides": as_sizes(self.strides),
            "padding": as_sizes(self.padding),
        }


@register
@dataclass
class MaxPool2D(Pool2D):
    """The maximum of each window of an image, for each channel.

    Source: Gluon, `gluon.nn.MaxPool2D`; torch: `nn.MaxPool2d`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: max_pool2d, pool_size: 2}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.MaxPool2D`."""
        return nn.MaxPool2D(**self.options())


@register
@dataclass
class AvgPool2D(Pool2D):
    """The mean of each window of an image, for each channel.

    Source: Gluon, `gluon.nn.AvgPool2D`; torch: `nn.AvgPool2d`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: avg_pool2d, pool_size: 2}
    """

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.AvgPool2D`."""
        return nn.AvgPool2D(**self.options())


@register
@dataclass
class GlobalAvgPool2D(Layer):
    """The mean of each channel over the whole image.

    Source: Gluon, `gluon.nn.GlobalAvgPool2D`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: global_avg_pool2d}
    """

    tokens: ClassVar[bool | None] = False

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GlobalAvgPool2D`."""
        return nn.GlobalAvgPool2D()


@register
@dataclass
class GlobalMaxPool2D(Layer):
    """The maximum of each channel over the whole image.

    Source: Gluon, `gluon.nn.GlobalMaxPool2D`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: global_max_pool2d}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.GlobalMaxPool2D`."""
        return nn.GlobalMaxPool2D()
