"""Embedding of token numbers; samples are (length,) whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.gluon.hybrid_block import Functions
from initlab.engine.init import Initializer
from initlab.engine.nd import NDArray
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
    padding_idx: Optional[int] = None
    """The row of the token that fills sequences up: it is 0 and gets no gradient. A negative number counts
    from the end; null: no row."""

    def __post_init__(self) -> None:
        super().__post_init__()
        rows, row = self.input_dim, self.padding_idx
        if row is not None and not -rows <= row < rows:
            said = f"must be a row of the table, from {-rows} to {rows - 1}, got {row}"
            raise OptionError("padding_idx", said)

    def build(self, context: Context) -> gluon.Block:
        """Return a `gluon.nn.Embedding`."""
        sizes = self.input_dim, self.output_dim
        own = context.initializer("weight", None)
        if self.padding_idx is None:
            return nn.Embedding(*sizes, dtype=context.dtype, weight_initializer=own)
        padding = self.padding_idx % self.input_dim
        return _Padded(padding, *sizes, dtype=context.dtype, weight_initializer=own)


class _Padded(nn.Embedding):
    """An embedding whose row `padding` is drawn as 0 and gets no gradient by it."""

    def __init__(self, padding: int, input_dim: int, output_dim: int, **options: Any) -> None:
        super().__init__(input_dim, output_dim, **options)
        self._padding = padding
        self.weight.zero_rows = (padding,)

    def hybrid_forward(self, F: Functions, x: NDArray, weight: NDArray) -> NDArray:
        """Return the rows with the indices in x."""
        found = super().hybrid_forward(F, x, weight)
        rows = F.reshape(found, (-1, weight.shape[1]))
        learned = F.reshape(x, (-1,)) != self._padding
        return F.reshape(F.where(learned, rows, F.BlockGrad(rows)), found.shape)


_Padded.__name__ = nn.Embedding.__name__  # the kind of layer that tables show
