"""The UCI optical recognition of handwritten digits: 1797 real images of 8 x 8 pixels, and their
labels.

`optdigits/optdigits.npz` holds them; `optdigits/README.md` beside it gives their source and licence
(CC BY 4.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from initlab.engine.errors import OptionError
from initlab.engine.options import Count
from initlab.runner.data.base import Batch, Data, register

FILE = Path(__file__).parent / "optdigits" / "optdigits.npz"
COUNT = 1797
PIXELS = 64
SHAPES = ((64,), (8, 8), (1, 8, 8))
LARGEST = 16.0
"""Pixels are whole numbers from 0 to 16."""
TEST_EVERY = 5
"""Every fifth image is kept for testing."""


@register
@dataclass
class Digits(Data):
    """The first `batch` images, pixels divided by 16 into [0, 1]. A sample may be [64], [8, 8] or
    [1, 8, 8].

    All 1797 are there for training: every fifth, the first among them, tests (360), the others are
    learned from (1437).
    """

    classes: ClassVar[int | None] = 10
    batch: Count = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch > COUNT:
            raise OptionError(
                "batch", f"must be at most {COUNT}, the number of images, got {self.batch}"
            )

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...]:
        """[64] unless the model declares one of the other shapes of the same image."""
        if declared is None:
            return SHAPES[0]
        if declared not in SHAPES:
            raise ValueError(
                f"digits gives samples of [64], [8, 8] or [1, 8, 8], but model.input is {list(declared)}",
            )
        return declared

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The same images for any seed."""
        return _read(slice(self.batch), shape)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """The same parts for any seed."""
        tests = np.arange(COUNT) % TEST_EVERY == 0
        return _read(~tests, shape), _read(tests, shape)


def _read(chosen: object, shape: tuple[int, ...]) -> Batch:
    with np.load(FILE, allow_pickle=False) as file:
        images, labels = file["images"][chosen], file["labels"][chosen]
    inputs = images.astype(np.float32) / np.float32(LARGEST)
    return Batch(inputs.reshape(len(images), *shape), labels.astype(np.int64))
