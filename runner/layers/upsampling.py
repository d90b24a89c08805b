"""Upsampling layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from initlab.engine import gluon
from initlab.engine.gluon.contrib.nn import PixelShuffle2D
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.convolution import Sizes, as_sizes, sizes


@register
@dataclass
class PixelShuffle(Layer):
    """Sub-pixel upsampling: (factor^2 channels, height, width) -> (channels, factor height, factor
    width).

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", 2016.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d, channels: 12, kernel_size: 3, weight_initializer: icnr}
          - {kind: pixel_shuffle, factor: 2}
    """

    factor: Annotated[Sizes, sizes(1)]
    """One number, or a list with one for each axis."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.contrib.nn.PixelShuffle2D`."""
        return PixelShuffle2D(as_sizes(self.factor))
