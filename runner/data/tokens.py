"""Random token numbers, for models that start with an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from initlab.engine.options import whole
from initlab.engine.streams import Stream
from initlab.runner.data.base import Batch, Data, data_key, register


@register
@dataclass
class Tokens(Data):
    """Random numbers of tokens with equal probability, drawn from the stream at `@data`. The label
    of a token is the next token.

    Example: initlab data=tokens data.vocabulary=256 model=lstm_lm
    """

    whole_numbers: ClassVar[bool] = True
    vocabulary: Annotated[int, whole(2, 2**31)] = 256
    """The numbers are 0 … vocabulary - 1."""

    @property
    def classes(self) -> int:  # type: ignore[override]
        """The size of the vocabulary."""
        return self.vocabulary

    @property
    def numbers(self) -> int:
        """The size of the vocabulary."""
        return self.vocabulary

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return one label for each token."""
        return shape

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return inputs and labels (batch, *shape), int64; labels are shifted by one along the last
        axis.
        """
        *front, length = shape
        stream = Stream(data_key(seed))
        rows = np.asarray(
            stream.integers(
                0, self.vocabulary, self.batch * int(np.prod(front, dtype=int)) * (length + 1)
            ),
            np.int64,
        )
        rows = rows.reshape(self.batch, *front, length + 1)
        return Batch(rows[..., :-1], rows[..., 1:])
