"""The files that a run's first values are read from, wherever its config names them.

Their digests are part of the run's id: other values in a file are another run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from initlab.engine.errors import FormatError
from initlab.engine.formats import sharded
from initlab.runner.json_values import JSON

MAIN = "init.param"
"""The place of the run's own initializer; older versions knew no other."""


def input_files(resolved: Mapping[str, JSON]) -> dict[str, str]:
    """Return {place: path} of all files: `init.param`, `init.rules[0].init.param` and so on, and for
    the parts of a sharded snapshot `init.param/PART`.
    """
    found = {}
    chosen = resolved.get("init")
    param = chosen.get("param") if isinstance(chosen, dict) else None
    if isinstance(param, str):
        found[MAIN] = param
    for group in ("init", "model"):
        found |= dict(_loaded(resolved.get(group), group))
    for place, path in list(found.items()):
        found |= {f"{place}/{part.name}": str(part) for part in _parts(Path(path))}
    return found


def _loaded(node: JSON, place: str) -> Iterator[tuple[str, str]]:
    """Yield (place, path) of each `load` initializer below a part of the config."""
    if isinstance(node, dict):
        param = node.get("param")
        if node.get("kind") == "load" and isinstance(param, str):
            yield f"{place}.param", param
        for key, value in node.items():
            yield from _loaded(value, f"{place}.{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _loaded(value, f"{place}[{number}]")


def _parts(index: Path) -> list[Path]:
    """Return the files that an index names; none if the file is no index, or one that is refused."""
    if index.suffix != sharded.Sharded.suffix:
        return []
    try:
        return [index.parent / name for name in sorted(set(sharded.files_of(index).values()))]
    except (FormatError, OSError):
        return []
