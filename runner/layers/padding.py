"""Borders around images as layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.gluon.nn.padding import MODES
from initlab.engine.options import choice, whole
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.convolution import Sizes, as_sizes, sizes


@register
@dataclass
class Pad(Layer):
    """Add `width` rows and columns on each side, or [rows, columns].

    `mode` fills them with zeros (`zero`), the mirrored image (`reflect`), or the opposite side of
    the image (`circular`), so that a convolution without padding has no edges.
    """

    width: Annotated[Sizes, sizes(0)]
    mode: Annotated[str, choice(MODES)] = "zero"

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Pad2D`."""
        return nn.Pad2D(as_sizes(self.width), self.mode)


@register
@dataclass
class ReflectionPad2D(Layer):
    """Add `padding` rows and columns of the mirrored image on each side."""

    padding: Annotated[int, whole(0)]

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.ReflectionPad2D`."""
        return nn.ReflectionPad2D(self.padding)
