"""Borders around images as layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.gluon.nn.padding import MODES
from initlab.engine.options import choice, whole
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.convolution import as_sizes, sizes


@register
@dataclass
class Pad(Layer):
    """`width` rows and columns on each side, or [rows, columns]: zeros (`mode` zero), the reflected
    image (reflect), or the image's other end (circular), with which a convolution that pads nothing
    has no edge."""

    width: Annotated[Any, sizes(0)]
    mode: Annotated[str, choice(MODES)] = "zero"

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Pad2D`."""
        return nn.Pad2D(as_sizes(self.width), self.mode)


@register
@dataclass
class ReflectionPad2D(Layer):
    """The reflected image around the image: `padding` rows and columns on each side."""

    padding: Annotated[int, whole(0)]

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.ReflectionPad2D`."""
        return nn.ReflectionPad2D(self.padding)
