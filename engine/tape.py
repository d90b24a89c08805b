"""The tape: nodes that record which primitive was applied to which boxes, and the interface of a
box.

A *box* is an object that holds a raw value for primitives: it has `_raw`, `_device`, `_node` (its
node on the tape, or None) and `_wrap(raw)`, which makes another of its kind. A node stores the
primitive, its inputs and its attributes. For gradients that are differentiable themselves, the
primitive is run again over boxes: `_traced()` returns the traced value of a box (its attribute
`box` leads back), `_traced_xp()` the array library for traced values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeAlias, TypeGuard, TypeVar

from initlab.engine.arrays import Array, Library

Gradients: TypeAlias = Sequence[Array | None]
"""One gradient for each array from which a result was computed, or None."""
Vjp: TypeAlias = Callable[[Array], Gradients]
"""Gradient of a result -> gradients of the arrays from which it was computed."""
JointVjp: TypeAlias = Callable[[Sequence[Array | None]], Gradients]
"""The same for several results; None is for an unused result."""
Result: TypeAlias = tuple[Array, Vjp]
"""The return value of the function of a primitive."""
Results: TypeAlias = tuple[tuple[Array, ...], JointVjp]
"""The same with several results."""


Backward: TypeAlias = Callable[[Any], Sequence[Any]]
"""A step backward through a node: a vjp, or the same over boxes, with every step on the tape."""


class Place(Protocol):
    """A device, as far as the tape uses it."""

    @property
    def is_host(self) -> bool: ...
    def use(self) -> Library:
        """Make it the current device of its library, and return the library."""


class Box(Protocol):
    """An object that holds a raw value for primitives."""

    _raw: Array
    _node: Node | Leaf | None

    @property
    def _device(self) -> Place: ...
    def _wrap(self, raw: Array) -> Self: ...
    def _ones(self) -> Array: ...
    def _traced(self) -> Array: ...
    def _traced_xp(self) -> Library: ...
    def _mark(self, gradient: Any, grad_req: str) -> None: ...


B = TypeVar("B", bound=Box)


class Primitive(Protocol):
    """A function of boxes that returns a box. Arguments may also be numbers and None."""

    __name__: str
    __wrapped__: Callable[..., Result]

    def __call__(self, *args: B | float | None, **attributes: object) -> B: ...


class JointPrimitive(Protocol):
    """A function of boxes that returns several."""

    __name__: str
    __wrapped__: Callable[..., Results]

    def __call__(self, *args: B | float | None, **attributes: object) -> tuple[B, ...]: ...


def is_box(value: object) -> TypeGuard[Box]:
    """Return whether primitives treat a value as a box."""
    return hasattr(value, "_wrap")


def memory(raw: object) -> int:
    """Return a number for the memory of a raw array: the same for all views of an array."""
    base: object = getattr(raw, "base", None)
    return id(raw if base is None else base)


PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by name, those with several results too; the tests go through them all."""


class Together(list[Any]):
    """The gradients of a function's results, None where none has arrived; added result by result."""

    def __add__(self, other: list[Any]) -> Together:
        return Together(
            b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)
        )


_passes = itertools.count(1)


class Node:
    """One application of a primitive.

    `vjp` maps the raw gradient of its result to those of its boxes; it is None after the tape was
    consumed. `replay` does the same over boxes. Without a `replay`, the primitive of that name is
    run again.
    """

    __slots__ = ("name", "parents", "vjp", "args", "attributes", "replay", "checked")
    passes: ClassVar[int] = 0
    """The number of the last backward pass that consumed nodes."""

    def __init__(
        self,
        name: str,
        parents: list[Node | Leaf | None],
        vjp: Backward,
        args: tuple[object, ...] = (),
        attributes: dict[str, object] | None = None,
        replay: Backward | None = None,
    ) -> None:
        self.name = name
        self.parents = parents
        self.vjp: Backward | None = vjp
        self.args = args
        self.attributes = attributes or {}
        self.replay = replay
        self.checked = Node.passes

    @classmethod
    def of_one(cls, joint: Node, number: int, count: int) -> Node:
        """Return the node of one of several results, which passes its gradient to the node of all."""

        def place(gradient: object) -> Sequence[Any]:
            return (Together(gradient if i == number else None for i in range(count)),)

        return cls("output", [joint], place, replay=place)

    def spent(self) -> bool:
        """Return whether the node was consumed, or all that its boxes were computed from was.

        The ancestors are looked through once after each pass that consumed something.
        """
        if self.vjp is None or self.checked == Node.passes:
            return self.vjp is None
        for node in unchecked(self):
            parents = [parent for parent in node.parents if parent is not None]
            if all(isinstance(parent, Node) and parent.vjp is None for parent in parents):
                node.spend()
            node.checked = Node.passes
        return self.vjp is None

    def spend(self) -> None:
        """Free what the node holds: it cannot be differentiated again."""
        self.vjp, self.args, self.replay, self.parents = None, (), None, []

    @classmethod
    def count_pass(cls) -> None:
        """Say that a backward pass has consumed nodes."""
        cls.passes = next(_passes)

    def gradients(self, gradient: object) -> Sequence[Any]:
        """Return the raw gradients of its boxes, from that of its result; None for a box without
        one.
        """
        assert self.vjp is not None
        return self.vjp(gradient)

    def recorded_gradients(self, gradient: Any) -> Sequence[Any]:
        """Return the same over boxes, with every step on the tape."""
        if self.replay is not None:
            return self.replay(gradient)
        first = next(a for a in self.args if is_box(a))
        traced = [a._traced() if is_box(a) else a for a in self.args]
        function: Callable[..., tuple[object, Backward]] = PRIMITIVES[self.name].__wrapped__
        _, vjp = function(first._traced_xp(), *traced, **self.attributes)
        several = isinstance(gradient, Together)
        found = vjp(
            [None if g is None else g._traced() for g in gradient]
            if several
            else gradient._traced()
        )
        return [
            None if g is None else g.box if hasattr(g, "box") else first._wrap(g) for g in found
        ]


class Leaf:
    """A variable whose gradient is wanted.

    A backward pass calls `receive(gradient)` once, with the sum over all its uses. `stored` is the
    box that it writes to, or None.
    """

    __slots__ = ("receive", "stored")

    def __init__(self, receive: Callable[[Array], None], stored: Box | None = None) -> None:
        self.receive = receive
        self.stored = stored


def unchecked(node: Node) -> list[Node]:
    """Return a node and its ancestors that were not looked at since the last pass that consumed
    nodes, each after its parents.
    """
    found: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node | Leaf | None, bool]] = [(node, False)]
    while stack:
        one, done = stack.pop()
        if not isinstance(one, Node) or one.vjp is None or one.checked == Node.passes:
            continue
        if done:
            found.append(one)
        elif id(one) not in seen:
            seen.add(id(one))
            stack.append((one, True))
            stack += [(parent, False) for parent in one.parents]
    return found


def live_node(box: Box) -> Node | Leaf | None:
    """Return a box's node; None if it has none or a backward pass has consumed it.

    What was computed before a backward pass counts as a constant after it, as in MXNet. So a
    recurrent state that is carried from one training step to the next needs no `detach`.
    """
    node = box._node
    return None if isinstance(node, Node) and node.spent() else node
