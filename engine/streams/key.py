"""The key of a stream: a pure function of seed, path and generation."""

from __future__ import annotations

import hashlib
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsIndex

import numpy as np

VERSION = "initlab-1"
_KEYED = hashlib.blake2b(digest_size=16, key=VERSION.encode("ascii"))
LARGEST_SEED = 2**64 - 1


def check_seed(seed: object) -> int:
    """Return `seed`, a whole number of any type (NumPy's too), as an int.

    Raises ValueError unless it is from 0 to 2^64-1.
    """
    number = seed if type(seed) is int else whole_number(seed)
    if number is None or not 0 <= number <= LARGEST_SEED:
        raise ValueError(f"seed must be 0 ... 2^64-1, got {seed!r}")
    return number


def whole_number(value: object) -> int | None:
    """Return a whole number of any type as an int; None for anything else, a truth value included."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except TypeError:  # an array of several elements
        return None


@dataclass(frozen=True)
class Key:
    """The name of a stream.

    `path` is a parameter's path (or `@ambient`, `@data`); `generation` counts re-initializations.
    """

    seed: int
    path: str
    generation: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        if not 0 <= self.generation < 2**32:
            raise ValueError(f"generation must be 0 ... 2^32-1, got {self.generation!r}")

    @cached_property
    def digest(self) -> bytes:
        """The 16 bytes of the Philox key: BLAKE2b over seed, generation and path, keyed with the
        version's name.
        """
        data = (
            self.seed.to_bytes(8, "little")
            + self.generation.to_bytes(4, "little")
            + self.path.encode("utf-8")
        )
        keyed = _KEYED.copy()
        keyed.update(data)
        return keyed.digest()

    @property
    def words(self) -> tuple[int, int]:
        """The digest as two 64-bit words, little-endian."""
        digest = self.digest
        return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
