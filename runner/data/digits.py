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
    """1797 real images of handwritten digits, with pixels divided by 16 into [0, 1], and their
    labels.

    A batch is the first images. A sample has shape [64], [8, 8] or [1, 8, 8]. For training, all
    images are used: every fifth, starting with the first, is for testing (360), the others are for
    training (1437).

    Source: Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998.

    Example: initlab data=digits data.batch=64 model.input=[64]
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
        """Return [64], or the other shape of the same image that the model declares."""
        if declared is None:
            return SHAPES[0]
        if declared not in SHAPES:
            raise ValueError(
                f"digits gives samples of [64], [8, 8] or [1, 8, 8], but model.input is {list(declared)}",
            )
        return declared

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the batch; it is the same for any seed."""
        return _read(slice(self.batch), shape)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Return the two parts; they are the same for any seed."""
        tests = np.arange(COUNT) % TEST_EVERY == 0
        return _read(~tests, shape), _read(tests, shape)


def _read(chosen: object, shape: tuple[int, ...]) -> Batch:
    with np.load(FILE, allow_pickle=False) as file:
        images, labels = file["images"][chosen], file["labels"][chosen]
    inputs = images.astype(np.float32) / np.float32(LARGEST)
    return Batch(inputs.reshape(len(images), *shape), labels.astype(np.int64))
