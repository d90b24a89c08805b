"""Follows the blocks of a network while data passes: what each call is given and returns, and what is
added to a stream. Probes, measurements and the diagnosis all look at a network through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from initlab.engine import gluon, nd
from initlab.engine.gluon.nn.joining import Joining

Arguments: TypeAlias = tuple[Any, ...]
"""What a block is called with: arrays, and whatever else it takes."""


@dataclass
class Call:
    """One call of a block."""

    path: str
    block: gluon.Block
    arguments: Arguments
    returned: object
    before: nd.NDArray | None
    """The input of the block's own activation; None without one."""


@dataclass
class Addition:
    """A branch that joined a stream, in the block at `path`: stream + branch."""

    path: str
    block: Joining
    end: str
    """The name of the child that ends the branch."""
    stream: nd.NDArray
    branch: nd.NDArray


def blocks_by_path(root: gluon.Block) -> dict[str, gluon.Block]:
    """Return {path: block} of a block, whose path is "", and all below it.

    A block that stands at several places has the first of their paths.
    """
    found: dict[int, tuple[str, gluon.Block]] = {}

    def add(path: str, block: gluon.Block) -> None:
        if id(block) not in found:
            found[id(block)] = path, block
            for name, child in block._children.items():
                add(f"{path}.{name}" if path else name, child)

    add("", root)
    return dict(found.values())


@contextmanager
def following(
    blocks: Mapping[str, gluon.Block],
    ended: Callable[[Call], object],
    joined: Callable[[Addition], object] = lambda _: None,
    begun: Callable[[str], object] = lambda _: None,
) -> Iterator[None]:
    """Report every call of the blocks and every addition of a branch, inside a `with`.

    `begun` is told the path of a block that is called, `ended` its call when it is over. So a container
    begins before the blocks that it holds, and ends after them.
    """
    before: dict[str, nd.NDArray] = {}
    handles = []

    def follow(path: str, followed: gluon.Block) -> None:
        def on_begin(block: gluon.Block, arguments: Arguments) -> None:
            begun(path)

        def on_end(block: gluon.Block, arguments: Arguments, returned: object) -> None:
            ended(Call(path, block, arguments, returned, before.pop(path, None)))

        def on_activation(block: gluon.Block, arguments: Arguments) -> None:
            before[path] = arguments[0]

        def on_join(block: Joining, end: str, stream: Any, branch: Any, total: Any) -> None:
            if block.activated:
                before[path] = total
            joined(Addition(path, block, end, stream, branch))

        handles.append(followed.register_forward_pre_hook(on_begin))
        handles.append(followed.register_forward_hook(on_end))
        activation = getattr(followed, "act", None)
        if isinstance(activation, gluon.Block):
            handles.append(activation.register_forward_pre_hook(on_activation))
        if isinstance(followed, Joining):
            handles.append(followed.register_join_hook(on_join))

    for path, block in blocks.items():
        follow(path, block)
    try:
        yield
    finally:
        for handle in handles:
            handle.detach()
