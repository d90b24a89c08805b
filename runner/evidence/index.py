"""The index of the runs below a folder: their records, kept so that the files of a run are read again
only after one of them changed. The folders stay the truth.

It lies in the user's cache, `$XDG_CACHE_HOME/initlab/runs` or `~/.cache/initlab/runs`, in a file for each
folder that was listed, so that a list writes nothing into the folder and a read-only one has an index
too. A line is a checksum (CRC-32, 8 hex digits), a space and JSON: the first one says which code
wrote it, each other line has the path of a run, the stamps of its files (`found.Place`), and its
record or null. A line that is damaged, of another code or out of date is not used. Without a
cache, as with an unwritable home, all files are read each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from initlab.runner.evidence.found import Place, Stamp, below
from initlab.runner.evidence.record import Record, record_of, state_now
from initlab.runner.files import write_bytes
from initlab.runner.json_values import JSON

FORMAT = "initlab-index-1"
SETTLED = 2_000_000_000
"""ns that a file must be unchanged to be kept: until then, another change could have the same time."""

Known = tuple[list[Stamp], list[JSON] | None]
"""The stamps of a run's files, and its record as JSON types; None if it is no run."""


def records(
    root: Path, refused: Callable[[OSError], None], indexed: bool = True
) -> Iterator[tuple[Place, Record]]:
    """Yield each run below a folder, with the state of this moment, in the order of their paths.

    `refused` is told of a folder that cannot be listed. Without `indexed`, the index is neither
    read nor written.
    """
    file = index_file(root) if indexed else None
    before = _read(file) if file is not None else {}
    now = time.time_ns()
    lines: dict[str, Known] = {}
    found: list[tuple[Place, Record]] = []
    changed = False
    for place in below(root, refused):
        known = before.pop(place.path, None)
        if known is None or known[0] != place.stamps:
            record = record_of(place)
            known = place.stamps, None if record is None else record.to_json()
            changed = True
        else:
            record = None if known[1] is None else Record(*known[1])  # type: ignore[arg-type]
        if place.changed < now - SETTLED:
            lines[place.path] = known
        if record is not None:
            found.append((place, record))
    if file is not None and (changed or before):
        with suppress(OSError):
            _write(file, lines)
    for place, record in found:
        yield place, state_now(record, place.folder)


def index_file(root: Path) -> Path | None:
    """Return the file of a folder's index; None if the user has no home."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(home):
        return None
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
    return Path(home) / "initlab" / "runs" / name


@cache
def _code() -> str:
    """Return the SHA-256, in hex, of the code that makes records."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _line(content: JSON) -> bytes:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return f"{zlib.crc32(text):08x} ".encode() + text + b"\n"


def _write(file: Path, lines: dict[str, Known]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = [_line([FORMAT, _code()])]
    content += [_line([path, *known]) for path, known in lines.items()]
    write_bytes(file, b"".join(content), durable=False)


def _read(file: Path) -> dict[str, Known]:
    """Return what an index says of each run by path; nothing if it cannot be used."""
    try:
        first, *rest = file.read_bytes().split(b"\n")
        if _content(first) != [FORMAT, _code()]:
            return {}
    except (OSError, ValueError):
        return {}
    found: dict[str, Known] = {}
    for line in rest:
        with suppress(ValueError):
            path, *known = _content(line)
            found[str(path)] = tuple(known)  # type: ignore[assignment]
    return found


def _content(line: bytes) -> list[JSON]:
    """Return what a line says. Raises ValueError if it is damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum != f"{zlib.crc32(text):08x}".encode():
        raise ValueError("its checksum is another")
    return json.loads(text)  # type: ignore[no-any-return]
