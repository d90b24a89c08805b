"""A model in two files, `<prefix>-model.json` and `<prefix>-model.params`: MXNet's `Block.save` and
`Block.load`.

The JSON file has the classes and names of all blocks, in order; it holds no code, and no graph,
since the engine computes at once. A model is loaded into blocks that are made in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from initlab.engine.errors import FormatError


class Block(Protocol):
    """What is used of a block."""

    _children: Any

    @property
    def name(self) -> str: ...
    def save_parameters(self, filename: str) -> None: ...
    def load_parameters(self, filename: str) -> None: ...


Described = dict[str, Any]
"""A block: its name, whether it was hybridized, its children, and under their keys their own."""


def described(block: Block) -> Described:
    """Return the description of a block and all below it, as MXNet writes it."""
    numbers = iter(range(1 << 30))

    def one(part: Block) -> tuple[str, Described]:
        key = f"{type(part).__name__.lower()}{next(numbers)}"
        names = {child.name: name for name, child in part._children.items()}
        row: Described = {"orig_name": part.name}
        if hasattr(part, "hybrid_forward"):
            row["hybridized"] = False
        row["children"] = names
        for child in part._children.values():
            inner, described_child = one(child)
            row[inner] = described_child
        return key, row

    return dict([one(block)])


def _rows(content: object, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (class name, keys of the children) of each block in order.

    Raises FormatError if the content is something else.
    """
    if not isinstance(content, dict):
        raise FormatError(f"{path}: describes no model")
    for key, row in content.items():
        if key in (
            "orig_name",
            "hybridized",
            "children",
            "in_format",
            "out_format",
            "inputs",
            "symbol",
        ):
            continue
        children = row.get("children") if isinstance(row, dict) else None
        if not isinstance(children, dict):
            raise FormatError(f"{path}: describes no model: '{key}' has no children")
        yield key.rstrip("0123456789"), [str(name) for name in children.values()]
        yield from _rows(row, path)


def write(block: Block, prefix: str) -> None:
    """Write both files."""
    Path(f"{prefix}-model.json").write_text(json.dumps(described(block)), encoding="utf-8")
    block.save_parameters(f"{prefix}-model.params")


def _all(block: Block) -> Iterator[Block]:
    yield block
    for child in block._children.values():
        yield from _all(child)


def read(block: Block, prefix: str) -> None:
    """Give children the names that they had, and read the parameters.

    Raises FormatError if the JSON file is damaged, and ValueError if it describes other blocks.
    """
    path = Path(f"{prefix}-model.json")
    try:
        rows = list(_rows(json.loads(path.read_text(encoding="utf-8")), path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: is no JSON ({type(error).__name__})") from error
    blocks = list(_all(block))
    found = [type(part).__name__.lower().rstrip("0123456789") for part in blocks]
    if [kind for kind, _ in rows] != found:
        raise ValueError(
            f"{path}: describes blocks of the classes {', '.join(k for k, _ in rows)}, but the model has "
            f"{', '.join(found)} - make the same blocks in the same order"
        )
    for part, (_, names) in zip(blocks, rows, strict=True):
        if len(names) == len(part._children):
            renamed = zip(names, list(part._children.values()), strict=True)
            part._children.clear()
            part._children.update(renamed)
    block.load_parameters(f"{prefix}-model.params")
