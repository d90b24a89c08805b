"""English text: the bytes of Python's own help texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from initlab.runner.data.base import Batch, Data, register

BYTES = 256
TEST_SHARE = 0.1
MOST_WINDOWS = 4096
"""Windows that are learned from at most."""


@cache
def topics() -> bytes:
    """Return the texts of `pydoc_data.topics` in the order of their names, in UTF-8.

    They differ slightly between versions of Python.
    """
    from pydoc_data.topics import topics as texts

    return "\n".join(texts[name] for name in sorted(texts)).encode()


def windows(text: bytes, length: int, count: int) -> Batch:
    """Return `count` evenly spaced windows: inputs (count, length), and as labels the next bytes."""
    numbers = np.frombuffer(text, np.uint8).astype(np.int64)
    starts = np.linspace(0, numbers.size - length - 1, count).astype(np.int64)
    rows = numbers[starts[:, None] + np.arange(length + 1)]
    return Batch(rows[:, :-1], rows[:, 1:])


@register
@dataclass
class Text(Data):
    """English text: evenly spaced windows of the bytes of Python's own help, as numbers 0 … 255;
    the label of a byte is the next byte.

    The first nine tenths of the text are the training part, the rest the test part. The text's
    SHA-256 is part of a run's id, since the text differs between versions of Python.

    Example: initlab data=text model=lstm_lm
    """

    classes: ClassVar[int | None] = BYTES
    whole_numbers: ClassVar[bool] = True

    @property
    def numbers(self) -> int:
        """The number of bytes."""
        return BYTES

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of a window: one number, which the model declares."""
        if declared is not None and (len(declared) != 1 or declared[0] > len(topics()) // 20):
            raise ValueError(
                f"text gives windows of one length of at most {len(topics()) // 20}, but model.input is "
                f"{list(declared)}",
            )
        return declared

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return one label for each byte."""
        return shape

    @classmethod
    def fingerprint(cls) -> str:
        """Return the text's SHA-256."""
        return hashlib.sha256(topics()).hexdigest()

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """Return the windows; they are the same for any seed."""
        return windows(topics(), shape[0], self.batch)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Return non-overlapping windows of both parts of the text."""
        cut = int(len(topics()) * (1 - TEST_SHARE))
        parts = topics()[:cut], topics()[cut:]
        counts = (min(MOST_WINDOWS, len(part) // (shape[0] + 1)) for part in parts)
        train, test = (
            windows(part, shape[0], count) for part, count in zip(parts, counts, strict=True)
        )
        return train, test
