"""Borders around images as layers of a config; samples are (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.gluon.nn.padding import MODES
from initlab.engine.registry import advice
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.convolution import as_sizes, check_sizes


@register
@dataclass
class Pad(Layer):
    """`width` rows and columns on each side, or [rows, columns]: zeros (`mode` zero), the reflected
    image (reflect), or the image's other end (circular), with which a convolution that pads nothing
    has no edge."""

    width: Any
    mode: str = "zero"

    def __post_init__(self) -> None:
        check_sizes("width", self.width, 0)
        if not (isinstance(self.mode, str) and self.mode in MODES):
            raise OptionError("mode", f"has no '{self.mode}' - {advice(str(self.mode), MODES)}")

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.Pad2D`."""
        return nn.Pad2D(as_sizes(self.width), self.mode)


@register
@dataclass
class ReflectionPad2D(Layer):
    """The reflected image around the image: `padding` rows and columns on each side."""

    padding: int

    def __post_init__(self) -> None:
        if isinstance(self.padding, bool) or not isinstance(self.padding, int) or self.padding < 0:
            raise OptionError(
                "padding", f"must be a whole number of at least 0, got {self.padding!r}"
            )

    def build(self, context: Context) -> gluon.Block:
        """A `gluon.nn.ReflectionPad2D`."""
        return nn.ReflectionPad2D(self.padding)
