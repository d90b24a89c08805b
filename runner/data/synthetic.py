"""Generated batches: drawn from a law at `@data`, or constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.options import Finite, Positive
from initlab.runner.data.base import Batch, Data, data_key, register


@register
@dataclass
class Uniform(Data):
    """Uniform samples, drawn from the stream at `@data`.

    Formula: U[low, high)

    Example: initlab data=uniform data.low=-1
    """

    low: Finite = 0.0
    """The smallest value."""
    high: Finite = 1.0
    """The bound above, which does not occur."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise OptionError("low", f"must be less than high ({self.high}), got {self.low}")

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch drawn from `@data`."""
        return Batch(
            laws.Uniform(self.low, self.high).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Normal(Data):
    """Normal samples, drawn from the stream at `@data`.

    Formula: N(mean, std^2)

    Example: initlab data=normal data.batch=64
    """

    mean: Finite = 0.0
    """The mean."""
    std: Positive = 1.0
    """The standard deviation."""

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch drawn from `@data`."""
        return Batch(
            laws.Normal(self.mean, self.std).draw(data_key(seed), (self.batch, *shape)), None
        )


@register
@dataclass
class Ones(Data):
    """Every element 1."""

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch; it is the same for any seed."""
        return Batch(np.ones((self.batch, *shape), np.float32), None)
