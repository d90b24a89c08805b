"""A snapshot in several safetensors files with an index: Hugging Face's sharded layout.

The index is JSON with a `weight_map` from tensor to the file next to the index. All files in the
index must exist and hold the tensors it states; aliases come from the files. Source: the checkpoint
documentation of huggingface/transformers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from initlab.engine import strict_json
from initlab.engine.errors import FormatError
from initlab.engine.formats.base import (
    Format,
    Snapshot,
    check_names,
    checked,
    register,
)
from initlab.engine.formats.foreign import KIND_BYTES, other_kind
from initlab.engine.formats.safetensors import Safetensors, open_mapped


@register
class Sharded(Format):
    """The format of `model.safetensors.index.json` and its files.

    It is read only: runs with `shard=i/n` write the parts.
    """

    name: ClassVar[str] = "sharded"
    suffix: ClassVar[str] = ".json"
    for_runs: ClassVar[bool] = False

    def read(self, path: str | os.PathLike[str]) -> Snapshot:
        """Read all parts as one snapshot.

        Raises FileNotFoundError if the index is missing, and FormatError if it is damaged or does
        not fit the files.
        """
        return _read(Path(path), Safetensors().read)

    def open(self, path: str | os.PathLike[str]) -> Snapshot:
        """Return all parts, mapped into memory. Errors are `read`'s."""
        return open_sharded(path)

    def dump(self, file: BinaryIO, snapshot: Snapshot) -> None:
        """Raise FormatError: an index cannot be written alone."""
        raise FormatError("a sharded snapshot is made of several files - write it as .safetensors")

    def parse(self, data: bytes) -> Snapshot:
        """Raise FormatError: an index holds no tensors."""
        raise FormatError("an index holds no tensors - read it by its path")


def open_sharded(path: str | os.PathLike[str]) -> Snapshot:
    """Return all parts as one snapshot mapped into memory, like `safetensors.open_mapped`."""
    return _read(Path(path), open_mapped)


def files_of(path: Path) -> dict[str, str]:
    """Return {tensor: file name} from the index at `path`.

    Raises FormatError if the index is damaged or a file is missing.
    """
    try:
        index = strict_json.read(path)
    except ValueError as error:
        with open(path, "rb") as file:
            kind = other_kind(file.read(KIND_BYTES))
        if kind is not None:
            raise FormatError(f"{path}: is {kind}") from None
        raise FormatError(f"{path}: is damaged ({error}) - write the file again") from None
    files: Any = index.get("weight_map") if isinstance(index, dict) else None
    proper = isinstance(files, dict) and all(
        isinstance(name, str) and Path(name).name == name for name in files.values()
    )
    checked(
        proper,
        f"{path}: is no index of a sharded snapshot: it has no proper weight_map - give the "
        ".index.json of one",
    )
    missing = sorted({name for name in files.values() if not (path.parent / name).exists()})
    count = len(set(files.values()))
    checked(
        not missing,
        lambda: (
            f"{path}: names {count} files, {count - len(missing)} are there: {', '.join(missing[:3])} is "
            "missing - copy all parts here"
        ),
    )
    found: dict[str, str] = files
    return found


def _read(path: Path, open_part: Callable[[Path], Snapshot]) -> Snapshot:
    files = files_of(path)
    whole = Snapshot({})
    for name in sorted(set(files.values())):
        part = open_part(path.parent / name)
        named = {tensor for tensor, file in files.items() if file == name}
        odd = sorted(named ^ {*part.tensors, *part.unread})
        said = (
            f"{path}: says of '{odd[0]}' that it is {'' if odd and odd[0] in named else 'not '}in {name}, "
            "which is not so"
            if odd
            else ""
        )
        checked(not odd, said)
        whole.tensors.update(part.tensors)
        whole.aliases.update(part.aliases)
        whole.unread.update(part.unread)
    try:
        check_names(whole)
    except FormatError as error:
        raise FormatError(f"{path}: {error} - write the files again") from error
    return whole
