"""Random token numbers, for models that begin with an embedding."""

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
    """Whole numbers 0 … vocabulary - 1, equally likely, drawn from the stream at `@data`; each is
    labelled with the next.
    """

    whole_numbers: ClassVar[bool] = True
    vocabulary: Annotated[int, whole(2, 2**31)] = 256

    @property
    def classes(self) -> int:  # type: ignore[override]
        """Every token can follow."""
        return self.vocabulary

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One label a token."""
        return shape

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Inputs and labels (batch, *shape), int64; labels are the inputs one place further along
        the last axis.
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
