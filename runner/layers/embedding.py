"""Embedding of token numbers; samples are (length,) whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Count
from initlab.runner.layers.base import Context, Layer, register


@register
@dataclass
class Embedding(Layer):
    """Rows of a table of `input_dim` words by `output_dim` units: (…) -> (…, output_dim)."""

    tokens: ClassVar[bool | None] = True
    input_dim: Count
    output_dim: Count
    weight_initializer: Optional[Initializer] = None

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Embedding`."""
        return nn.Embedding(
            self.input_dim,
            self.output_dim,
            dtype=context.dtype,
            weight_initializer=context.initializer("weight", None),
        )
