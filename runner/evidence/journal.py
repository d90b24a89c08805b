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

from initlab.engine import strict_json
from initlab.engine.formats.base import sync
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.run_ids import same_run
from initlab.runner.evidence.sound import Sound, is_digest, is_text
from initlab.runner.evidence.statistics import is_row
from initlab.runner.files import in_json
from initlab.runner.json_values import restored

FORMAT = "initlab-journal-1"
START_OVER = "run without resume=true to start over"
SOUND: dict[str, Sound] = {"path": is_text, "digest": is_digest, "row": is_row}
"""What the line of a tensor has."""


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
            b"".join(
                _line({"path": f.path, "digest": f.digest, "row": in_json(f.row)}) for f in finished
            )
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
    found: dict[str, Finished] = {}
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break  # it was being written when the process died
            try:
                content = _content(line[:-1])
                if number == 1:
                    _check_identity(path, content, identity)
                    continue
                finished = _finished(content)
            except ValueError as error:
                raise EvidenceError(
                    f"{path}: line {number} of the journal is damaged, {error} - {START_OVER}"
                ) from None
            found[finished.path] = finished
    return list(found.values())


def _content(line: bytes) -> object:
    checksum, _, text = line.partition(b" ")
    if checksum != f"{zlib.crc32(text):08x}".encode():
        raise ValueError("its checksum is another")
    return strict_json.parse(text)


def _check_identity(path: Path, content: object, identity: Mapping[str, object]) -> None:
    found = content if isinstance(content, dict) else {}
    expected = {"format": FORMAT, **identity}
    named = same_run(str(found.get("run_id")), str(identity.get("run_id")))
    if not named or {**found, "run_id": None} != {**expected, "run_id": None}:
        raise EvidenceError(
            f"{path}: the journal is of another file than this run would make - {START_OVER}"
        )


def _finished(content: object) -> Finished:
    """Return what a line says of a tensor. Raises ValueError if it is not as written."""
    if not isinstance(content, dict):
        raise ValueError("it describes no tensor")
    missing = [name for name in SOUND if name not in content]
    if missing:
        raise ValueError(f"it lacks '{missing[0]}'")
    for name, sound in SOUND.items():
        if not sound(content[name]):
            raise ValueError(f"its {name} is not as written")
    row = {column: restored(value) for column, value in content["row"].items()}
    return Finished(content["path"], content["digest"], row)
