"""The first values of all parameters: their digests, and the file that stores them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from initlab.engine import digest, formats, streams
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats.placed import read_exactly
from initlab.engine.formats.safetensors import Entry, read_layout
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.manifest import Digests
from initlab.runner.evidence.shard import INDEX, Shard


def file_name(file_format: formats.Format, shard: Shard | None = None) -> str:
    """Return the snapshot's name within a run's folder."""
    return f"snapshot{file_format.suffix}" if shard is None else shard.file_name


def digest_values(values: Mapping[str, np.ndarray], aliases: dict[str, str]) -> Digests:
    """Return the digests of the owners' values, and the root digest including aliases (name ->
    owner).
    """
    workers = streams.threads()
    tensors = {path: digest.tensor_digest(array, workers) for path, array in values.items()}
    root = digest.root_digest(tensors, aliases)
    return Digests({path: value.hex() for path, value in tensors.items()}, root.hex())


def open_file(path: Path) -> formats.Snapshot:
    """Return the snapshot in a file, or in the files of an index.

    It is mapped into memory and read on access if the format allows it, else read whole. Raises
    FileNotFoundError, or FormatError if a file is damaged, cut short or of another kind.
    """
    return formats.get(path).open(path)


class Saved(Mapping[str, np.ndarray]):
    """The values in a run's snapshot by path; an alias has its owner's.

    They are mapped if the format allows it, and changes are not written to the file. `tensors` has
    only the owners' values, `aliases` maps names to owners, `metadata` is that of the file.
    """

    def __init__(self, path: Path) -> None:
        """Open the snapshot. Raises EvidenceError if a file is missing or damaged."""
        self.path = path
        try:
            found = open_file(path)
        except FileNotFoundError:
            raise EvidenceError(f"{path}: the snapshot is missing - run the config again") from None
        except (FormatError, OSError, EOFError) as error:
            raise EvidenceError(str(error)) from error
        self.tensors, self.aliases, self.metadata = found.tensors, found.aliases, found.metadata

    def __getitem__(self, path: str) -> np.ndarray:
        return self.tensors[self.aliases.get(path, path)]

    def __iter__(self) -> Iterator[str]:
        return iter((*self.tensors, *self.aliases))

    def __len__(self) -> int:
        return len(self.tensors) + len(self.aliases)

    def digest(self, path: str) -> str:
        """Return the tensor-v1 digest of a tensor in the file, in hex."""
        return self._digests[self.aliases.get(path, path)]

    @cached_property
    def _digests(self) -> dict[str, str]:
        try:
            if _is_mapped(self.path):
                return stored_digests(self.path)[0]
        except (FormatError, OSError, EOFError) as error:
            raise EvidenceError(str(error)) from error
        return {path: digest.tensor_digest(array).hex() for path, array in self.tensors.items()}


def _is_mapped(path: Path) -> bool:
    return path.name == INDEX or path.suffix == formats.safetensors.Safetensors.suffix


def stored_digest(descriptor: int, entry: Entry, workers: int = 1) -> bytes:
    """Return the tensor-v1 digest of a tensor in an open safetensors file, read two leaves at a time.

    Raises EOFError if the file is cut short.
    """

    def leaves(start: int) -> list[bytes]:
        data = np.empty(min(digest.TOGETHER, entry.stop - start), np.uint8)
        read_exactly(descriptor, data, start)
        return digest.leaf_digests(data)

    starts = range(entry.start, entry.stop, digest.TOGETHER)
    if workers == 1 or len(starts) < 2 * workers:
        found = chain.from_iterable(map(leaves, starts))
        return digest.from_leaves(entry.dtype.name, entry.shape, found)
    with ThreadPoolExecutor(workers) as pool:
        found = chain.from_iterable(_in_flight(pool, leaves, starts, 2 * workers))
        return digest.from_leaves(entry.dtype.name, entry.shape, found)


def _in_flight(
    pool: ThreadPoolExecutor, task: Callable[[int], list[bytes]], items: Sequence[int], most: int
) -> Iterator[list[bytes]]:
    """Yield the task's results in order, with at most `most` tasks started ahead."""
    waiting: deque[Future[list[bytes]]] = deque()
    for item in items:
        waiting.append(pool.submit(task, item))
        if len(waiting) == most:
            yield waiting.popleft().result()
    yield from (future.result() for future in waiting)


def stored_digests(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return ({path: tensor-v1 digest in hex}, {alias: owner}) of a snapshot, without loading a
    tensor.

    `path` is a safetensors file or an index of several. Raises FileNotFoundError; FormatError if a
    file is damaged or does not fit the index; and EOFError if a file is cut short while it is read.
    """
    if path.name == INDEX:
        aliases = formats.sharded.open_sharded(path).aliases
        files = sorted(set(formats.sharded.files_of(path).values()))
        return {
            name: value
            for file in files
            for name, value in stored_digests(path.parent / file)[0].items()
        }, aliases
    with open(path, "rb") as file:
        found = read_layout(file, os.fstat(file.fileno()).st_size)
        for name, why in found.unread.items():
            raise FormatError(f"{path}: of its tensor '{name}', {why}, there is no digest")
        workers = streams.threads()
        return {
            name: stored_digest(file.fileno(), entry, workers).hex()
            for name, entry in found.entries.items()
        }, found.aliases


def is_as_written(path: Path, digests: dict[str, str], aliases: dict[str, str]) -> bool:
    """Return whether the snapshot at `path` holds exactly these tensors and aliases.

    `digests` maps paths to digests in hex.
    """
    try:
        if _is_mapped(path):
            return stored_digests(path) == (digests, aliases)
        found = formats.get(str(path)).read(path)
    except (FormatError, OSError, EOFError, MXNetError):
        return False
    return (
        found.aliases == aliases
        and {name: digest.tensor_digest(array).hex() for name, array in found.tensors.items()}
        == digests
    )
