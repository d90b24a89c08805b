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
    """(factor^2 channels, height, width) -> (channels, factor height, factor width).

    `factor` is one number, or one for each axis. This is sub-pixel upsampling (Shi et al. 2016).
    """

    factor: Annotated[Sizes, sizes(1)]

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.contrib.nn.PixelShuffle2D`."""
        return PixelShuffle2D(as_sizes(self.factor))
