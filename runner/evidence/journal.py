"""The journal of a streamed run: which tensors of an unfinished file are complete.

A line is a checksum (CRC-32, 8 hex digits), a space, and JSON. The first line identifies the file
being made; each other line describes one finished tensor: `path`, `digest` (tensor-v1), and `row`,
its figures. A line is written after the bytes of its tensor are on the disk. An incomplete last
line was being written when the process died and is ignored; any other line with a wrong checksum is
damage.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from initlab.engine.formats.base import sync
from initlab.runner.errors import EvidenceError

FORMAT = "initlab-journal-1"
START_OVER = "run without resume=true to start over"


@dataclass(frozen=True)
class Finished:
    """A finished tensor in the file: its tensor-v1 digest in hex, and its figures."""

    path: str
    digest: str
    row: dict[str, object]


def _line(content: Mapping[str, object]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8"
    )
    return f"{zlib.crc32(text):08x} ".encode() + text + b"\n"


class Journal:
    """A journal being written, from its beginning or after the entries in `kept`."""

    def __init__(
        self, path: Path, identity: Mapping[str, object], kept: Sequence[Finished] = ()
    ) -> None:
        temporary = path.with_name(f"{path.name}.new")
        self._file = open(temporary, "wb")  # noqa: SIM115
        try:
            self._file.write(_line({"format": FORMAT, **identity}))
            self.add(kept)
            os.replace(temporary, path)
            sync(path.parent)
        except BaseException:
            self._file.close()
            raise

    def add(self, finished: Sequence[Finished]) -> None:
        """Record finished tensors, durably; their bytes must be on the disk."""
        self._file.write(
            b"".join(_line({"path": f.path, "digest": f.digest, "row": f.row}) for f in finished)
        )
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path, identity: Mapping[str, object]) -> list[Finished]:
    """Return the finished tensors of a journal.

    Raises FileNotFoundError, or EvidenceError if it is damaged or belongs to another file.
    """
    lines = path.read_bytes().split(b"\n")[:-1]
    contents = [_parsed(path, number, line) for number, line in enumerate(lines, 1)]
    if not contents:
        return []
    if contents[0] != {"format": FORMAT, **identity}:
        raise EvidenceError(
            f"{path}: the journal is of another file than this run would make - {START_OVER}"
        )
    found = {}
    for number, content in enumerate(contents[1:], 2):
        try:
            found[content["path"]] = Finished(content["path"], content["digest"], content["row"])
        except KeyError as error:
            raise EvidenceError(
                f"{path}: line {number} of the journal is damaged, it lacks {error} - {START_OVER}"
            ) from None
    return list(found.values())


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    checksum, _, text = line.partition(b" ")
    if checksum != f"{zlib.crc32(text):08x}".encode():
        raise EvidenceError(f"{path}: line {number} of the journal is damaged - {START_OVER}")
    content: dict[str, Any] = json.loads(text)
    return content
