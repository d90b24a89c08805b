"""What a manifest says of each file of a run's folder that was written before it.

bytes           the size of the file
sha256          of all its bytes; or
header_sha256   of a safetensors file: of the bytes before its data. The data are the tensors, whose
                digests the manifest has, so that every byte is covered and none is hashed twice
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from initlab.engine.formats.safetensors import Safetensors
from initlab.runner.evidence.sound import is_digest, is_text, is_whole
from initlab.runner.json_values import JSON

AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Written:
    """The size of a file and the SHA-256, in hex, of its bytes; of a safetensors file that of its
    header.
    """

    bytes: int
    sha256: str | None = None
    header_sha256: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the content of the manifest."""
        return {name: value for name, value in vars(self).items() if value is not None}


def of_bytes(content: bytes) -> Written:
    """Return what the manifest says of a file with this content."""
    return Written(len(content), hashlib.sha256(content).hexdigest())


def of_file(path: Path) -> Written:
    """Return what the manifest says of a file. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if path.suffix == Safetensors.suffix:
            first = file.read(8)
            length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
            header = first + file.read(min(length, size))
            return Written(size, header_sha256=hashlib.sha256(header).hexdigest())
        digest = hashlib.sha256()
        while block := file.read(AT_ONCE):
            digest.update(block)
        return Written(size, digest.hexdigest())


def are_written(value: object) -> bool:
    """Return whether this is what a manifest says of files: `Written` by name, within the folder."""
    return isinstance(value, dict) and all(
        is_inside(name) and _is_written(entry) for name, entry in value.items()
    )


def is_inside(name: object) -> bool:
    """Return whether this names a file within a folder: no `..`, no absolute path."""
    if not is_text(name):
        return False
    path = PurePosixPath(str(name))
    return str(path) == name and not path.is_absolute() and ".." not in path.parts


def _is_written(value: object) -> bool:
    if not isinstance(value, dict) or not is_whole(value.get("bytes")):
        return False
    digests = value.keys() - {"bytes"}
    return (
        len(digests) == 1
        and digests <= {"sha256", "header_sha256"}
        and all(is_digest(value[name]) for name in digests)
    )
