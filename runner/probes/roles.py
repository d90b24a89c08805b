"""Which layers of a network have a row in the table of layers, and what each is in the network.

A layer that holds no other has a row. A container has a row of its own if its output is not that of
its last child: residual, concurrent, transformer_block, and any block with a `forward` of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from initlab.engine import gluon
from initlab.engine.gluon.nn.containers import is_chain
from initlab.engine.gluon.nn.joining import Joining
from initlab.engine.gluon.rnn import RecurrentCell
from initlab.engine.registry import snake_case

ROLE_COLUMNS = ("kind", "stream", "inside", "joins")


@dataclass(frozen=True)
class Role:
    """What a layer is in its network."""

    kind: str
    """The name of its class in snake case: `dense`, `layer_norm`, `residual`."""
    stream: bool
    """Whether it is a container whose output is not that of its last child."""
    inside: str | None
    """The path of the innermost container with a row that it is part of."""
    joins: str | None
    """The path of the container that adds its output to what enters the container, if it ends a
    branch.
    """

    def columns(self) -> dict[str, object]:
        """Return the cells of a row, in the order of `ROLE_COLUMNS`."""
        return {name: getattr(self, name) for name in ROLE_COLUMNS}


def layers_with_rows(root: gluon.Block, declared: Collection[str] = ()) -> dict[str, gluon.Block]:
    """Return {path: layer} of the layers with a row, a container after what it holds.

    `declared` are paths of layers that a config lists without children, which have a row in any
    case. The steps of a recurrent cell have none, nor has dropout that a block with a `forward` of
    its own holds.
    """
    found: dict[int, tuple[str, gluon.Block]] = {}
    for path, block, parent in _blocks(root, ""):
        if path in declared or _has_row(block, parent):
            found.setdefault(id(block), (path, block))
    return dict(found.values())


def _blocks(parent: gluon.Block, above: str) -> Iterator[tuple[str, gluon.Block, gluon.Block]]:
    """Yield (path, block, the block that holds it) of all blocks below one, children first.

    The activation of a layer is no block of its own.
    """
    for name, child in parent._children.items():
        if child is not getattr(parent, "act", None):
            yield from _blocks(child, f"{above}{name}.")
            yield f"{above}{name}", child, parent


def _has_row(block: gluon.Block, parent: gluon.Block) -> bool:
    if isinstance(block, gluon.nn.Dropout):
        return is_chain(parent)
    return not isinstance(block, RecurrentCell) and not (holds_layers(block) and is_chain(block))


def holds_layers(block: gluon.Block) -> bool:
    """Return whether a block has children, besides its own activation."""
    return any(child is not getattr(block, "act", None) for child in block._children.values())


def roles_of(layers: Mapping[str, gluon.Block]) -> dict[str, Role]:
    """Return the role of each of the layers with a row, by path."""
    joins = {
        end: path
        for path, block in layers.items()
        if isinstance(block, Joining)
        for end in (branch_end(path, block, name, layers) for name in block.branch_ends)
        if end is not None
    }
    return {
        path: Role(
            kind=kind_of(block),
            stream=holds_layers(block) and not is_chain(block),
            inside=_inside(path, layers),
            joins=joins.get(path),
        )
        for path, block in layers.items()
    }


def kind_of(block: gluon.Block) -> str:
    """Return the kind of a block: its class's name in snake case, without what says how it runs."""
    return snake_case(type(block).__name__.lstrip("_")).removeprefix("hybrid_")


def branch_end(
    path: str, block: gluon.Block, name: str, layers: Mapping[str, gluon.Block]
) -> str | None:
    """Return the path of the row at the end of a branch, whose last child is `name` of the block at
    `path`; None if no layer there has a row.
    """
    block, path = block._children[name], f"{path}.{name}"
    while path not in layers and block._children:
        last, block = list(block._children.items())[-1]
        path = f"{path}.{last}"
    return path if path in layers else None


def _inside(path: str, layers: Mapping[str, gluon.Block]) -> str | None:
    above = path.rpartition(".")[0]
    while above and above not in layers:
        above = above.rpartition(".")[0]
    return above or None
