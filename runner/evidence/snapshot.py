"""The first values of all parameters: their digests, and the file they are kept in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initlab.engine import digest, formats, streams
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.formats.placed import read_exactly
from initlab.engine.formats.safetensors import Entry, read_layout
from initlab.runner.plan.rows import Plan
from initlab.runner.plan.shards import INDEX, Shard


@dataclass(frozen=True)
class Digests:
    """`tensor-v1` digests by owner's path and the `root-v1` digest of all, in hex."""

    tensors: dict[str, str]
    root: str


def file_name(file_format: formats.Format, shard: Shard | None = None) -> str:
    """The snapshot's name within a run's folder."""
    return f"snapshot{file_format.suffix}" if shard is None else shard.file_name


def digest_values(values: dict[str, np.ndarray], plan: Plan) -> Digests:
    """The digests of the owners' values and of the whole, aliases included."""
    tensors = {path: digest.tensor_digest(array) for path, array in values.items()}
    root = digest.root_digest(tensors, plan.aliases)
    return Digests({path: value.hex() for path, value in tensors.items()}, root.hex())


def write(
    folder: Path, file_format: formats.Format, values: dict[str, np.ndarray], plan: Plan, root: str
) -> str:
    """Write the owners' values and the alias table; gives the file's name."""
    name = file_name(file_format)
    metadata = {"root-v1": root}
    file_format.write(
        folder / name, formats.Snapshot(tensors=values, aliases=plan.aliases, metadata=metadata)
    )
    return name


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
        if path.name == INDEX or path.suffix == formats.safetensors.Safetensors.suffix:
            return stored_digests(path) == (digests, aliases)
        found = formats.get(str(path)).read(path)
    except (FormatError, OSError, EOFError, MXNetError):
        return False
    return (
        found.aliases == aliases
        and {name: digest.tensor_digest(array).hex() for name, array in found.tensors.items()}
        == digests
    )
