"""Base class of data: a dataclass whose `load` returns inputs and labels.

Generated values are drawn from the stream at path `@data`, so they are a pure function of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from initlab.engine.options import Count
from initlab.engine.registry import Registry
from initlab.engine.streams import Key
from initlab.runner.kinds import Kind, registrar

REGISTRY: Registry[type[Data]] = Registry("data", __package__)
DATA_PATH = "@data"


@dataclass(frozen=True)
class Batch:
    """`inputs` (batch, *sample shape), float32 or whole numbers, and `labels`.

    Labels are int64, one for each sample (batch,) or each position, or None if the data has none.
    """

    inputs: np.ndarray
    labels: np.ndarray | None


@dataclass
class Data(Kind):
    """Base class of data kinds."""

    classes: ClassVar[int | None] = None
    """How many classes its labels tell apart; None where it has no labels."""
    whole_numbers: ClassVar[bool] = False
    """Whether its inputs are whole numbers, which name tokens."""
    batch: Count = 2
    """The number of samples that are sent through the network."""

    @property
    def numbers(self) -> int | None:
        """How many token numbers its inputs are taken from, 0 to `numbers` - 1; None if that is not
        known, or they are no token numbers.
        """
        return None

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of one sample, given the shape that `model.input` declares.

        Raises ValueError if the two disagree.
        """
        return declared

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the labels of one sample of `shape`: () for one label."""
        return ()

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch of samples of `shape`."""
        raise NotImplementedError(f"data kind '{self.kind}' defines no load")

    @classmethod
    def fingerprint(cls) -> str | None:
        """Return the SHA-256 in hex of input that may differ between machines; None if there is
        none.
        """
        return None

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch | None]:
        """Return (the training part, the test part); by default the one batch and None."""
        return self.load(shape, seed), None


def data_key(seed: int) -> Key:
    """Return the key of the stream from which generated data is drawn."""
    return Key(seed, DATA_PATH)


register = registrar(REGISTRY, Data)
"""Makes a dataclass derived from `Data` a data kind under its snake-case name."""
