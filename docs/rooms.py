"""Print the rooms of `runner/` by floor: `python docs/rooms.py`. ARCHITECTURE.md shows it.

A room is a folder or a module directly in `runner/`. It stands one floor above the highest room that it
imports from.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "initlab.runner"


def modules() -> dict[str, ast.Module]:
    """Dotted name below `runner` -> syntax tree; a package is its `__init__`."""
    found = {}
    for path in sorted((ROOT / "runner").rglob("*.py")):
        parts = path.relative_to(ROOT / "runner").with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name not in ("", "__main__"):
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.Module, known: set[str]) -> set[str]:
    """The modules of `runner` that a module imports, in its functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            base = (node.module or "")[len(PACKAGE) + 1 :]
            names = {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
            found |= {name if name in known else base for name in names}
    return found


def arrows() -> dict[str, set[str]]:
    """Room -> the rooms that it imports from."""
    trees = modules()
    found: dict[str, set[str]] = {name.split(".")[0]: set() for name in trees}
    for name, tree in trees.items():
        room = name.split(".")[0]
        found[room] |= {other.split(".")[0] for other in imported(tree, set(trees))} - {room, ""}
    return found


def floors(below: dict[str, set[str]]) -> dict[int, list[str]]:
    """Floor, from 1 -> its rooms. ValueError for rooms that import from one another in a circle."""
    found: dict[str, int] = {}
    while len(found) < len(below):
        ready = [room for room in below if room not in found and below[room] <= found.keys()]
        if not ready:
            raise ValueError(f"a circle among {', '.join(sorted(below.keys() - found.keys()))}")
        found |= {
            room: 1 + max((found[other] for other in below[room]), default=0) for room in ready
        }
    by_floor = defaultdict(list)
    for room in sorted(found):
        by_floor[found[room]].append(room)
    return dict(by_floor)


def picture() -> str:
    """The floors, the highest first."""
    below = arrows()
    found = floors(below)
    lines = [f"{floor:>3}  {'  '.join(found[floor])}" for floor in sorted(found, reverse=True)]
    rooms, count = len(below), sum(map(len, below.values()))
    return "\n".join(
        [*lines, "", f"{rooms} rooms on {len(found)} floors, {count} imports between rooms"]
    )


if __name__ == "__main__":
    print(picture())
