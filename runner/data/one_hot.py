"""Unit vectors: whitened inputs, one for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.options import Count, Positive, whole
from initlab.runner.data.base import Batch, Data, register


@register
@dataclass
class OneHot(Data):
    """The unit vectors of a space times `scale`, float32; the label of a vector is the index of its
    1.

    All vectors are in the training part, and there is no test part. With `loss: mse`, a linear
    network's target is 1 / scale times the identity: the whitened problem with equal modes.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014.

    Example: initlab data=one_hot data.size=10 model.input=[10]
    """

    batch: Count = 10
    """How many of the vectors are sent through the network."""
    size: Annotated[int, whole(2)] = 10
    """The number of vectors, and of their elements."""
    scale: Positive = 1.0
    """The number in the place of the 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch > self.size:
            raise OptionError("batch", f"must be at most size ({self.size}), got {self.batch}")

    @property
    def classes(self) -> int:  # type: ignore[override]
        """The number of vectors."""
        return self.size

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...]:
        """[size]."""
        if declared not in (None, (self.size,)):
            raise ValueError(
                f"one_hot gives samples of [{self.size}], but model.input is {list(declared or ())}",
            )
        return (self.size,)

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch; it is the same for any seed."""
        return self._first(self.batch)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, None]:
        """Return all vectors, and no test part."""
        return self._first(self.size), None

    def _first(self, count: int) -> Batch:
        return Batch(
            np.eye(count, self.size, dtype=np.float32) * np.float32(self.scale),
            np.arange(count, dtype=np.int64),
        )
