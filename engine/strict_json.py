"""JSON files of ours and of others, read as if somebody had damaged them.

A document is refused, in few words, if it is no UTF-8 or no JSON, has a name twice in one object,
is nested deeper than anything that is written here, has numbers that JSON lacks or texts that are
no Unicode, or has so many parts for its length that it would fill the memory.
"""

from __future__ import annotations

import json
import os
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

MOST_DEPTH = 200
"""Objects and lists within one another. What handles a document may call itself for each."""
MOST_BYTES = 1 << 30
"""The size of a file."""
PARTS_AT_LEAST = 1000
"""Objects and lists that any document may have. Beyond them, each has so many bytes:"""
BYTES_OF_A_PART = {"[": 12, "{": 32}
"""Python needs 80 bytes for the shortest list and 230 for the shortest object, so that no document
needs more than ten times its length.
"""


def read(path: str | os.PathLike[str]) -> Any:
    """Return the document in a file. Raises OSError, and ValueError like `parse`."""
    path = Path(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"it has {size} bytes, at most {MOST_BYTES} are read")
    return parse(path.read_bytes())


def parse(data: bytes) -> Any:
    """Return the document in these bytes. Raises ValueError that says in a few words what is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 text, see byte {error.start}") from None
    parts = 0
    for opening, bytes_of_one in BYTES_OF_A_PART.items():
        found = text.count(opening)
        if found > PARTS_AT_LEAST + len(data) // bytes_of_one:
            raise ValueError(f"it has {found} times {opening!r} in {len(data)} bytes")
        parts += found
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    except RecursionError:
        raise _too_deep() from None
    if parts > MOST_DEPTH:
        _check_depth(document)
    if "\\ud" in text or "\\uD" in text:
        _check_unicode(document)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"it has {name!r} twice")
            seen.add(name)
    return found


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"it has the number {name}, which JSON lacks")


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {MOST_DEPTH} deep")


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MOST_DEPTH):
        level = list(chain.from_iterable(map(_containers, level)))
        if not level:
            return
    raise _too_deep()


def _containers(value: Any) -> list[Any]:
    """Return the objects and lists directly in a value."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in inside if isinstance(part, (dict, list))]


def _check_unicode(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("it has half a character") from None
