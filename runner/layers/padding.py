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
    """Adds rows and columns around images, so that a convolution without padding has no edges.

    Source: torch, `nn.ZeroPad2d`, `nn.ReflectionPad2d`, `nn.CircularPad2d`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: pad, width: 1, mode: circular}
          - {kind: conv2d, channels: 8, kernel_size: 3}
    """

    width: Annotated[Sizes, sizes(0)]
    """How many on each side: one number, or [rows, columns]."""
    mode: Annotated[str, choice(MODES)] = "zero"
    """What they hold: zeros (zero), the mirrored image (reflect) or its opposite side (circular).
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Pad2D`."""
        return nn.Pad2D(as_sizes(self.width), self.mode)


@register
@dataclass
class ReflectionPad2D(Layer):
    """Adds rows and columns of the mirrored image on each side.

    Source: Gluon, `gluon.nn.ReflectionPad2D`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: reflection_pad2d, padding: 1}
    """

    padding: Annotated[int, whole(0)]
    """How many on each side."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.ReflectionPad2D`."""
        return nn.ReflectionPad2D(self.padding)
