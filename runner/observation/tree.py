"""The calls of a network's blocks as a tree, and the way from its input to its output.

The blocks of a network form a tree. A container whose output is that of one of its children is only
a list; any other block that is called is a stage, with a signal that enters it and one that leaves
it. The stages from the input to the output are the trunk: a residual block is one stage of it, and
its branch is what it adds. This follows from the calls alone, so it holds for containers of a plugin
and for networks made in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from initlab.engine import gluon, nd
from initlab.runner.errors import ConfigError


@dataclass(eq=False)
class Call:
    """One call of a block: what entered it first, and the first array that left it."""

    path: str
    block: gluon.Block
    entered: nd.NDArray
    left: nd.NDArray


@contextmanager
def calls_of(network: gluon.Block) -> Iterator[list[Call]]:
    """Record every call of a block inside a `with`, in the order in which they end."""
    calls: list[Call] = []
    handles = []

    def hooked(path: str, block: gluon.Block) -> None:
        def hook(block: gluon.Block, inputs: tuple[object, ...], output: object) -> None:
            arrays = [value for value in inputs if isinstance(value, nd.NDArray)]
            left = next((value for value in _flat(output) if isinstance(value, nd.NDArray)), None)
            if arrays and left is not None:
                calls.append(Call(path, block, arrays[0], left))

        handles.append(block.register_forward_hook(hook))
        for name, child in block._children.items():
            hooked(f"{path}.{name}" if path else name, child)

    hooked("", network)
    try:
        yield calls
    finally:
        for handle in handles:
            handle.detach()


def arrays_in(output: object) -> list[nd.NDArray]:
    """Return the arrays that a network returns, in lists and tuples too.

    Raises ConfigError if there are none.
    """
    arrays = [value for value in _flat(output) if isinstance(value, nd.NDArray)]
    if arrays:
        return arrays
    found = type(output).__name__
    raise ConfigError.of(
        "network", f"must return an array, or a list or tuple with one, got {found}"
    )


def _flat(output: object) -> Iterator[object]:
    if isinstance(output, (list, tuple)):
        for part in output:
            yield from _flat(part)
    else:
        yield output


def _is_leaf(block: gluon.Block) -> bool:
    """Return whether a block is one layer: it has no children, or parameters of its own."""
    return not block._children or bool(block._reg_params)


@dataclass(eq=False)
class Node:
    """A call, and the calls within it."""

    call: Call
    parts: list[Node]

    @property
    def leaf(self) -> bool:
        """Whether this is one layer."""
        return not self.parts or _is_leaf(self.call.block)

    @property
    def is_list(self) -> bool:
        """Whether this is a container whose output is that of one of its children."""
        return not self.leaf and bool(self._way())

    def trunk(self) -> Iterator[Node]:
        """Yield the stages from the input to the output."""
        if not self.is_list:
            yield self
            return
        for part in self._way():
            yield from part.trunk()

    def _way(self) -> list[Node]:
        """Return the parts from what enters to what leaves; none if no part's output leaves.

        From a part it goes to the one whose output enters it, else to the one called before it.
        """
        number = _last_with(self.parts, self.call.left)
        found: list[Node] = []
        while number is not None:
            found.append(self.parts[number])
            entered = found[-1].call.entered
            if entered is self.call.entered:
                break
            before = _last_with(self.parts[:number], entered)
            number = before if before is not None else number - 1 if number else None
        return found[::-1]

    def leaves(self) -> Iterator[Node]:
        """Yield all layers, those of branches included."""
        if self.leaf:
            yield self
            return
        for part in self.parts:
            yield from part.leaves()


def _last_with(parts: list[Node], output: nd.NDArray) -> int | None:
    """Return the number of the last part with this output; None without any."""
    return max((n for n, part in enumerate(parts) if part.call.left is output), default=None)


def tree_of(calls: list[Call]) -> Node:
    """Return the calls as a tree. A call ends after those that it contains."""
    open_: list[Node] = []
    for call in calls:
        inside = f"{call.path}." if call.path else ""
        at = len(open_)
        while (
            at
            and open_[at - 1].call.path.startswith(inside)
            and call.path != open_[at - 1].call.path
        ):
            at -= 1
        open_[at:] = [Node(call, open_[at:])]
    return open_[-1]
