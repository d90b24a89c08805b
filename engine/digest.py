"""Digests of tensors and of whole snapshots. They do not depend on the file format or on how the
values were made.

tensor-v1  SHA-256 over a header (dtype, shape) and the SHA-256 digests of the data's 1 MiB leaves,
           in order
root-v1    SHA-256 over every path and its tensor digest, then every alias and its owner; both are
           sorted by UTF-8 bytes
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np

from initlab.engine import native

LEAF = 1 << 20
TOGETHER = 2 * LEAF
"""Bytes that one thread hashes at a time."""


def tensor_digest(array: np.ndarray, workers: int = 1) -> bytes:
    """Return the `tensor-v1` digest of dtype name, shape, and C-order little-endian data.

    The leaves are hashed by `workers` threads.
    """
    data = raw_bytes(array)
    spans = range(0, len(data), TOGETHER)

    def leaves(start: int) -> list[bytes]:
        return leaf_digests(data[start : start + TOGETHER])

    if workers == 1 or len(spans) < 2 * workers:
        return from_leaves(array.dtype.name, array.shape, chain.from_iterable(map(leaves, spans)))
    with ThreadPoolExecutor(workers) as pool:
        found = chain.from_iterable(pool.map(leaves, spans))
        return from_leaves(array.dtype.name, array.shape, found)


def leaf_digests(data: np.ndarray) -> list[bytes]:
    """Return the SHA-256 of each leaf of a tensor's data, uint8, which begins with a leaf.

    The last leaf may have fewer than LEAF bytes. Two leaves at once are hashed in half the time.
    """
    found: list[bytes] = []
    hash_pairs = native.pair_hasher()
    pairs = 0 if hash_pairs is None else len(data) // (2 * LEAF)
    if hash_pairs is not None and pairs:
        digests = np.empty((2 * pairs, 32), np.uint8)
        hash_pairs(data.ctypes.data, LEAF, pairs, digests.ctypes.data)
        found = [one.tobytes() for one in digests]
    for start in range(2 * LEAF * pairs, len(data), LEAF):
        found.append(hashlib.sha256(data[start : start + LEAF].data).digest())
    return found


def from_leaves(dtype: str, shape: tuple[int, ...], leaves: Iterable[bytes]) -> bytes:
    """Return the `tensor-v1` digest of a tensor from the digests of its leaves, in their order."""
    header = hashlib.sha256(b"tensor-v1\0" + dtype.encode("ascii") + b"\0")
    header.update(struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape))
    for leaf in leaves:
        header.update(leaf)
    return header.digest()


def raw_bytes(array: np.ndarray) -> np.ndarray:
    """Return the elements in C order, little-endian, as uint8; copy only if needed."""
    contiguous = np.ascontiguousarray(array)
    if contiguous.dtype.byteorder == ">":
        contiguous = contiguous.astype(contiguous.dtype.newbyteorder("<"))
    return contiguous.reshape(-1).view(np.uint8)


def root_digest(tensors: Mapping[str, bytes], aliases: Mapping[str, str]) -> bytes:
    """Return the `root-v1` digest of all tensors (path -> digest) and aliases (path -> owner's
    path).
    """
    digest = hashlib.sha256(b"root-v1\0")
    for path in sorted(tensors, key=lambda name: name.encode("utf-8")):
        digest.update(_text(path) + b"=" + tensors[path])
    for path in sorted(aliases, key=lambda name: name.encode("utf-8")):
        digest.update(_text(path) + b"@" + _text(aliases[path]))
    return digest.digest()


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<I", len(data)) + data
