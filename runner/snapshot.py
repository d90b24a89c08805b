"""The first values of all parameters: their digests, and the file they are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import digest, formats
from engine.errors import FormatError, MXNetError
from runner.plan import Plan


@dataclass(frozen=True)
class Digests:
    """`tensor-v1` digests by owner's path and the `root-v1` digest of all, in hex."""

    tensors: dict[str, str]
    root: str


def file_name(file_format: formats.Format) -> str:
    """The snapshot's name within a run's folder."""
    return f"snapshot{file_format.suffix}"


def digest_values(values: dict[str, np.ndarray], plan: Plan) -> Digests:
    """The digests of the owners' values and of the whole, aliases included."""
    tensors = {path: digest.tensor_digest(array) for path, array in values.items()}
    root = digest.root_digest(tensors, plan.aliases)
    return Digests({path: value.hex() for path, value in tensors.items()}, root.hex())


def write(folder: Path, file_format: formats.Format, values: dict[str, np.ndarray], plan: Plan, root: str) -> str:
    """Write the owners' values and the alias table; gives the file's name."""
    name = file_name(file_format)
    metadata = {"root-v1": root}
    file_format.write(folder / name, formats.Snapshot(tensors=values, aliases=plan.aliases, metadata=metadata))
    return name


def is_as_written(path: Path, digests: dict[str, str], aliases: dict[str, str]) -> bool:
    """Whether the snapshot at `path` can be read and holds exactly the tensors (path -> digest in hex) and aliases that were written."""
    try:
        found = formats.get(str(path)).read(path)
    except (FormatError, OSError, MXNetError):
        return False
    return found.aliases == aliases and {name: digest.tensor_digest(array).hex() for name, array in found.tensors.items()} == digests
