"""What a probe sends through the network: a dataclass whose `batch` gives inputs and labels.

Generated values are drawn from the stream at path `@data`, so that they too are a pure function of
the seed.
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
    """`inputs` (batch, *sample shape), float32 or whole numbers, and `labels`: int64, one a sample
    (batch,) or one a position, or None where the data has none of its own."""

    inputs: np.ndarray
    labels: np.ndarray | None


@dataclass
class Data(Kind):
    """Base of all data kinds."""

    classes: ClassVar[int | None] = None
    """How many classes its labels tell apart; None where it has no labels."""
    whole_numbers: ClassVar[bool] = False
    """Whether its inputs are whole numbers, which name tokens."""
    batch: Count = 2

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """The shape of one sample, given what `model.input` declares; ValueError where the two
        disagree.
        """
        return declared

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the labels of one sample of `shape`: () for one label."""
        return ()

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The batch of samples of `shape`."""
        raise NotImplementedError(f"data kind '{self.kind}' defines no load")

    @classmethod
    def fingerprint(cls) -> str | None:
        """SHA-256 in hex of what it reads that may differ between machines; None where it reads
        nothing such.
        """
        return None

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch | None]:
        """What may be learned from, and what only judges; by default the one batch, and nothing."""
        return self.load(shape, seed), None


def data_key(seed: int) -> Key:
    """The key of the stream that generated data is drawn from."""
    return Key(seed, DATA_PATH)


register = registrar(REGISTRY, Data)
"""Makes a dataclass derived from `Data` a data kind under its snake-case name."""
