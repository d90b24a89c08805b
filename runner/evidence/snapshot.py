"""The first values of all parameters: their digests, and the file they are kept in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
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
    """The snapshot's name within a run's folder."""
    return f"snapshot{file_format.suffix}" if shard is None else shard.file_name


def digest_values(values: Mapping[str, np.ndarray], aliases: dict[str, str]) -> Digests:
    """The digests of the owners' values and of the whole, aliases (name -> owner) included."""
    tensors = {path: digest.tensor_digest(array) for path, array in values.items()}
    root = digest.root_digest(tensors, aliases)
    return Digests({path: value.hex() for path, value in tensors.items()}, root.hex())


def open_file(path: Path) -> formats.Snapshot:
    """The snapshot in a file, or in those that an index names: mapped into memory where the format
    allows it, and read when it is touched; else read whole.

    FileNotFoundError; FormatError for a file that is damaged, cut short or of another kind.
    """
    if path.suffix == formats.safetensors.Safetensors.suffix:
        return formats.safetensors.open_mapped(path)
    if path.suffix == formats.sharded.Sharded.suffix:
        return formats.sharded.open_sharded(path)
    return formats.get(path).read(path)


class Saved(Mapping[str, np.ndarray]):
    """The values in a run's snapshot by path, mapped where the format allows it; an alias has its
    owner's. A change to them reaches no file.

    `tensors` are the owners' alone, `aliases` name -> owner, `metadata` what the file says besides.
    """

    def __init__(self, path: Path) -> None:
        """EvidenceError for a file that is missing or damaged."""
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
        """The tensor-v1 digest of a tensor as the file has it, in hex."""
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
    """The tensor-v1 digest of a tensor as it lies in an open safetensors file, read leaf by leaf.
    EOFError for a file cut short.
    """

    def leaf(start: int) -> bytes:
        data = np.empty(min(digest.LEAF, entry.stop - start), np.uint8)
        read_exactly(descriptor, data, start)
        return digest.leaf_digest(data)

    starts = range(entry.start, entry.stop, digest.LEAF)
    if workers == 1 or len(starts) < 2 * workers:
        return digest.from_leaves(entry.dtype.name, entry.shape, map(leaf, starts))
    with ThreadPoolExecutor(workers) as pool:
        return digest.from_leaves(
            entry.dtype.name, entry.shape, _in_flight(pool, leaf, starts, 4 * workers)
        )


def _in_flight(
    pool: ThreadPoolExecutor, task: Callable[[int], bytes], items: Sequence[int], most: int
) -> Iterator[bytes]:
    """The task's results in order, with at most so many begun ahead."""
    waiting: deque[Future[bytes]] = deque()
    for item in items:
        waiting.append(pool.submit(task, item))
        if len(waiting) == most:
            yield waiting.popleft().result()
    yield from (future.result() for future in waiting)


def stored_digests(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """(path -> tensor-v1 digest in hex, alias -> owner) of a safetensors file, or of the files that
    an index names; no tensor is held.

    FileNotFoundError; FormatError for a damaged file or an index that does not fit its files;
    EOFError for a file cut short meanwhile.
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
        workers = streams.threads()
        return {
            name: stored_digest(file.fileno(), entry, workers).hex()
            for name, entry in found.entries.items()
        }, found.aliases


def is_as_written(path: Path, digests: dict[str, str], aliases: dict[str, str]) -> bool:
    """Whether the snapshot at `path` can be read and holds exactly the tensors (path -> digest in
    hex) and aliases that were written.
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
