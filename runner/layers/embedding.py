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
    """Rows of a table, for numbers of tokens: (…) -> (…, output_dim).

    Source: Gluon, `gluon.nn.Embedding`; torch: `nn.Embedding`.

    Example:
        input: [12]
        layers:
          - {kind: embedding, input_dim: 256, output_dim: 16}
    """

    tokens: ClassVar[bool | None] = True
    input_dim: Count
    """The rows: numbers of tokens are 0 … input_dim - 1."""
    output_dim: Count
    """The numbers of a row."""
    weight_initializer: Optional[Initializer] = None
    """What draws the table; null: the network's initializer."""

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Embedding`."""
        return nn.Embedding(
            self.input_dim,
            self.output_dim,
            dtype=context.dtype,
            weight_initializer=context.initializer("weight", None),
        )
