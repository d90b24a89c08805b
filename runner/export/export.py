"""Write the first values of a finished run for another library (`initlab export`).

    torch          DIR.torch.safetensors, for `module.load_state_dict(load_file(…))`
    transformers   the folder DIR.transformers: config.json and model.safetensors, for from_pretrained

All checks come before the first byte. A file that is there with the same bytes is left as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from initlab.runner.errors import ConfigError, EvidenceError, Problems, StorageError
from initlab.runner.export.declared import Declared, Source, read
from initlab.runner.export.gpt2 import gpt2
from initlab.runner.export.tensors import Tensor, content, holds, json_bytes, laid_out, write
from initlab.runner.export.torch_names import COUNTERPARTS
from initlab.runner.files import check_target, storage_errors
from initlab.runner.json_values import JSON

LIBRARIES = ("torch", "transformers")
VALUES, CONFIG, SUFFIX = "model.safetensors", "config.json", ".safetensors"
Parts = Callable[[], Iterator[bytes | memoryview]]


@dataclass(frozen=True)
class Exported:
    """What was written, and the ties of parameters, which a module must make itself in torch."""

    path: Path
    tensors: int
    bytes: int
    """Of the values."""
    ties: Mapping[str, str]
    """Path of a tied parameter -> path of its owner."""


def export(folder: Path, library: str, target: Path | None = None, force: bool = False) -> Exported:
    """Write the values of the run in `folder` for a library, beside it if no `target` is given.

    With `force`, files that are there are replaced. Raises EvidenceError if the run cannot be used,
    ConfigError for a layer without a counterpart, and StorageError if a file is there with other
    bytes or cannot be written.
    """
    source = read(folder)
    tensors, config = _made(source, library)
    frozen = [name for one in source.layers for name in _frozen(one)] if config is None else []
    placed = laid_out(tensors, {"root-v1": source.root}, frozen)
    path = _target(folder, library, target)
    files: dict[Path, Parts] = {path: lambda: content(tensors, placed)}
    if config is not None:
        files = {path / VALUES: files[path], path / CONFIG: lambda: iter([json_bytes(config)])}
        _make_folder(path)
    missing = [one for one, parts in files.items() if _must_write(one, parts, force)]
    for one in missing:
        with storage_errors(one.parent, placed.size):
            write(one, files[one]())
    ties = source.aliases if config is None else {}
    return Exported(path, len(tensors), placed.size - len(placed.header), ties)


def _target(folder: Path, library: str, target: Path | None) -> Path:
    """Return the path of the file, or for transformers of the folder."""
    place, whole = folder.resolve(), library == "transformers"
    suffix = "" if whole else SUFFIX
    path = place.parent / f"{place.name}.{library}{suffix}" if target is None else target
    if path.resolve().is_relative_to(place):
        raise EvidenceError(f"{path}: an export cannot be in the folder of its run")
    if not whole and path.suffix != SUFFIX:
        raise ConfigError.of("--to", f"must end in {SUFFIX}, got {str(path)!r}")
    return path


def _make_folder(path: Path) -> None:
    """Make the folder for transformers, unless it is there. Raises StorageError."""
    if path.is_dir():
        return
    if path.exists():
        raise StorageError(f"{path}: is a file, and transformers reads a folder - give another")
    check_target(path)
    with storage_errors(path.parent):
        path.mkdir()


def _made(source: Source, library: str) -> tuple[list[Tensor], Mapping[str, JSON] | None]:
    """Return the tensors, and the config if the library has one."""
    if library == "transformers":
        return gpt2(source)
    problems = Problems()
    tensors: list[Tensor] = []
    for declared in source.layers:
        with problems.under(declared.place):
            tensors += _of_torch(declared)
    problems.raise_any()
    return tensors, None


def _of_torch(declared: Declared) -> list[Tensor]:
    """Return the tensors of a layer. Raises ConfigError or OptionError for one that torch lacks."""
    kind = declared.layer.kind
    if not declared.values:
        return []
    if kind not in COUNTERPARTS:
        said = f"layer '{declared.path}' is a {kind}, which has no counterpart in torch"
        raise ConfigError.of("", f"{said}. Known: {', '.join(COUNTERPARTS)}.")
    made = COUNTERPARTS[kind](declared.layer, declared.values, declared.shape)
    return [replace(one, name=f"{declared.path}.{one.name}") for one in made]


def _frozen(declared: Declared) -> list[str]:
    """Return torch's names of the parameters that are not trained: those that would hold a NaN if ours
    did.
    """
    if not declared.frozen:
        return []
    marked = {
        name: np.broadcast_to(
            values.dtype.type(math.nan if name in declared.frozen else 0), values.shape
        )
        for name, values in declared.values.items()
    }
    made = _of_torch(replace(declared, values=marked))
    return [one.name for one in made if any(np.isnan(block).any() for block in one.blocks())]


def _must_write(path: Path, parts: Parts, force: bool) -> bool:
    """Return whether a file lacks these bytes. Raises StorageError if it may not be replaced."""
    check_target(path)
    if not path.exists():
        return True
    with storage_errors(path.parent):
        if holds(path, parts()):
            return False
    if not force:
        raise StorageError(f"{path}: is there with another content - remove it, or give --force")
    return True
