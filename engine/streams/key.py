"""The key of a stream: a pure function of seed, path and generation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

VERSION = "initlab-1"
_KEYED = hashlib.blake2b(digest_size=16, key=VERSION.encode("ascii"))
LARGEST_SEED = 2**64 - 1


def check_seed(seed: int) -> int:
    """Return `seed`. Raises ValueError unless it is a whole number from 0 to 2^64-1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be 0 ... 2^64-1, got {seed!r}")
    return seed


@dataclass(frozen=True)
class Key:
    """The name of a stream.

    `path` is a parameter's path (or `@ambient`, `@data`); `generation` counts re-initializations.
    """

    seed: int
    path: str
    generation: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if not 0 <= self.generation < 2**32:
            raise ValueError(f"generation must be 0 ... 2^32-1, got {self.generation!r}")

    @cached_property
    def words(self) -> tuple[int, int]:
        """The two 64-bit words of the Philox key: BLAKE2b over seed, generation and path, keyed
        with the version's name.
        """
        data = (
            self.seed.to_bytes(8, "little")
            + self.generation.to_bytes(4, "little")
            + self.path.encode("utf-8")
        )
        keyed = _KEYED.copy()
        keyed.update(data)
        digest = keyed.digest()
        return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
