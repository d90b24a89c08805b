"""The calls of a network's blocks as a tree, and the way from its input to its output.

A container whose output is that of one of its children is only a list; any other block that is
called is a stage, with a signal that enters it and one that leaves it. The stages from the input to
the output are the trunk: a residual block is one stage of it, and its branch is what it adds. This
follows from the calls alone, so it holds for containers of a plugin and for networks made in Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from initlab.engine import gluon, nd
from initlab.engine.tape import Node as Step
from initlab.runner.errors import ConfigError
from initlab.runner.observation.signals import rms_between, rms_of
from initlab.runner.probes.following import Addition, Call, blocks_by_path, following

DEEPEST = 12
"""Functions between an addition and the output of its block at most."""


@dataclass(eq=False)
class Node:
    """A call of a block with an array that entered it and one that left it, and the calls within.

    `additions` are those that the block reported itself. `alone` says whether it was given one
    argument.
    """

    path: str
    block: gluon.Block
    entered: nd.NDArray
    left: nd.NDArray
    parts: list[Node]
    additions: list[Addition]
    alone: bool

    @property
    def leaf(self) -> bool:
        """Whether this is one layer: it calls no other, or has parameters of its own."""
        return not self.parts or not self.block._children or bool(self.block._reg_params)

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
        number = _last_with(self.parts, self.left)
        found: list[Node] = []
        while number is not None:
            found.append(self.parts[number])
            entered = found[-1].entered
            if entered is self.entered:
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

    @property
    def adds(self) -> bool:
        """Whether this is a container that adds something to what enters it."""
        if self.leaf:
            return False
        return bool(self.additions) or _added(self.left, self.entered)[1] is not None

    def calls(self) -> Iterator[Node]:
        """Yield this call and all within it."""
        yield self
        for part in self.parts:
            yield from part.calls()

    def branch(self) -> float | None:
        """Return the rms of what a container adds, divided by that of what it is added to.

        Of several additions one after the other it is the root of the sum of squares. None if
        nothing is added to what enters.
        """
        before = host(self.entered)
        if self.leaf or before.dtype.kind in "iu":
            return None
        plain, other = _added(self.left, self.entered)
        size = rms_of(before)
        if plain and before.shape == self.left.shape:
            return rms_between(host(self.left), before) / size if size > 0 else None
        if self.additions:
            pairs = [(rms_of(host(a.branch)), rms_of(host(a.stream))) for a in self.additions]
            if any(stream == 0 for _, stream in pairs):
                return None
            return math.sqrt(sum((branch / stream) ** 2 for branch, stream in pairs))
        if other is None or other.shape != self.entered.shape or size == 0:
            return None
        return rms_of(host(other)) / size


def _last_with(parts: list[Node], output: nd.NDArray) -> int | None:
    """Return the number of the last part with this output; None without any."""
    return max((n for n, part in enumerate(parts) if part.left is output), default=None)


def _added(
    output: nd.NDArray, entered: nd.NDArray, plain: bool = True, deep: int = 0
) -> tuple[bool, nd.NDArray | None]:
    """Return (whether an output on the tape is what entered and other addends, what was added to it).

    Between the addition and the output there may be functions of one array; then it is no plain sum.
    (False, None) if nothing is added to what entered.
    """
    step = output._node
    if not isinstance(step, Step) or output is entered or deep > DEEPEST:
        return False, None
    given = [one for one in step.args if isinstance(one, nd.NDArray)]
    if step.name == "add" and len(given) == 2:
        for one, other in (given, given[::-1]):
            if one is entered:
                return plain, other
    elif len(given) == 1:
        plain = False
    else:
        return False, None
    ways = (_added(one, entered, plain, deep + 1) for one in given)
    return next((way for way in ways if way[1] is not None), (False, None))


def _entering(given: list[nd.NDArray], left: nd.NDArray | None) -> nd.NDArray | None:
    """Return the array that counts as what entered a block: of several the one to which the block adds
    something, as a residual stream may be given beside what the block computes with; else the first.
    """
    if len(given) > 1 and left is not None:
        streams = (one for one in given if _added(left, one)[1] is not None)
        return next(streams, given[0])
    return given[0] if given else None


def host(array: nd.NDArray) -> np.ndarray:
    """Return an array's values in host memory, without a copy if they are there, for reading."""
    return array.__array__(copy=False) if array.device.is_host else array.asnumpy()


@dataclass(eq=False)
class _Open:
    """A call that has begun."""

    path: str
    parts: list[Node] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)


@contextmanager
def calls_of(network: gluon.Block) -> Iterator[list[Node]]:
    """Make the tree of the calls inside a `with`; the list then holds that of the network.

    A call that is given or returns no array is none; those within count for what calls it.
    """
    top = _Open("")
    running = [top]

    def begun(path: str) -> None:
        running.append(_Open(path))

    def joined(addition: Addition) -> None:
        running[-1].additions.append(addition)

    def ended(call: Call) -> None:
        mine = running.pop()
        while mine.path != call.path:  # begun, but left by an error that the network caught
            parts, mine = mine.parts, running.pop()
            mine.parts += parts
        left = next(_arrays(call.returned), None)
        entered = _entering(list(_arrays(call.arguments)), left)
        if entered is None or left is None:
            running[-1].parts += mine.parts
        else:
            alone = len(call.arguments) == 1
            parts, joins = mine.parts, mine.additions
            node = Node(call.path, call.block, entered, left, parts, joins, alone)
            running[-1].parts.append(node)

    with following(blocks_by_path(network), ended, joined, begun):
        yield top.parts


def arrays_in(output: object) -> list[nd.NDArray]:
    """Return the arrays that a network returns, in lists and tuples too.

    Raises ConfigError if there are none.
    """
    arrays = list(_arrays(output))
    if arrays:
        return arrays
    said = f"must return an array, or a list or tuple with one, got {type(output).__name__}"
    raise ConfigError.of("network", said)


def _arrays(value: object) -> Iterator[nd.NDArray]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _arrays(part)
    elif isinstance(value, nd.NDArray):
        yield value
