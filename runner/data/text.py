"""English text: the bytes of Python's own help, which every Python has."""

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
    """The texts of `pydoc_data.topics` in the order of their names, UTF-8. They differ a little
    between versions of Python.
    """
    from pydoc_data.topics import topics as texts

    return "\n".join(texts[name] for name in sorted(texts)).encode()


def windows(text: bytes, length: int, count: int) -> Batch:
    """`count` windows at equal distances: inputs (count, length) and, as labels, the byte after
    each.
    """
    numbers = np.frombuffer(text, np.uint8).astype(np.int64)
    starts = np.linspace(0, numbers.size - length - 1, count).astype(np.int64)
    rows = numbers[starts[:, None] + np.arange(length + 1)]
    return Batch(rows[:, :-1], rows[:, 1:])


@register
@dataclass
class Text(Data):
    """`batch` windows of the text as numbers 0 … 255, at equal distances; each byte is labelled
    with the next.

    The first nine tenths of the text are learned from, the last tests. The text's SHA-256 is part
    of a run's id, since it differs between versions of Python.
    """

    classes: ClassVar[int | None] = BYTES
    whole_numbers: ClassVar[bool] = True

    def sample_shape(self, declared: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """A window: one number, which the model declares."""
        if declared is not None and (len(declared) != 1 or declared[0] > len(topics()) // 20):
            raise ValueError(
                f"text gives windows of one length of at most {len(topics()) // 20}, but model.input is "
                f"{list(declared)}",
            )
        return declared

    def label_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One label a byte."""
        return shape

    @classmethod
    def fingerprint(cls) -> str:
        """The text's SHA-256."""
        return hashlib.sha256(topics()).hexdigest()

    def load(self, shape: tuple[int, ...], seed: int) -> Batch:
        """The same windows for any seed."""
        return windows(topics(), shape[0], self.batch)

    def training(self, shape: tuple[int, ...], seed: int) -> tuple[Batch, Batch]:
        """Windows that do not overlap, of either part of the text."""
        cut = int(len(topics()) * (1 - TEST_SHARE))
        parts = topics()[:cut], topics()[cut:]
        counts = (min(MOST_WINDOWS, len(part) // (shape[0] + 1)) for part in parts)
        train, test = (
            windows(part, shape[0], count) for part, count in zip(parts, counts, strict=True)
        )
        return train, test
