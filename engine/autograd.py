"""Reverse-mode differentiation on a tape. It knows no arrays: values are opaque things that can be
added.

A *box* is whatever carries a raw value through primitives: it has `_raw`, `_device` (with an
`is_host`, and a `use()` that makes it the current one and gives its array library), `_node` (its
place on the tape, or None) and `_wrap(raw)`, which makes another of its kind. A node keeps the
primitive, its inputs and its attributes. For gradients that shall be differentiable themselves the
primitive is run again over boxes: `_traced()` gives what stands for a box there (its attribute
`box` leads back), `_traced_xp()` the array library for such stand-ins.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from initlab.engine.errors import MXNetError

NOT_IN_GRAPH = (
    "MXNetError: Check failed: !AGInfo: :IsNone(*i): Cannot differentiate node because it is not in a "
    "computational graph. You need "
    "to set is_recording to true or use autograd.record() to save computational graphs for backward. If "
    "you want to differentiate the "
    "same graph twice, you need to pass retain_graph=True to backward."
)
IN_GRAPH = (
    "MXNetError: Check failed: AGInfo: :IsNone(*output): Assigning to NDArrays that are already in a "
    "computational graph will cause "
    "undefined behavior when evaluating gradients. Please call backward first to clear the graph or do "
    "this out side of a record "
    "section. Also note that you cannot use inplace operations like +=, *=, relu(x, out=x), y[idx]=x, etc "
    "inside a record section."
)

_mode = threading.local()
PRIMITIVES: dict[str, Callable[..., Any]] = {}
"""Every primitive by name; the tests go through them all."""


def is_recording() -> bool:
    """Whether primitives are put on the tape."""
    return getattr(_mode, "recording", False)


def is_training() -> bool:
    """Whether layers behave as in training (dropout drops)."""
    return getattr(_mode, "training", False)


def set_recording(is_record: bool) -> bool:
    """Set whether primitives are recorded; gives what it was."""
    before = is_recording()
    _mode.recording = bool(is_record)
    return before


def set_training(train_mode: bool) -> bool:
    """Set whether layers behave as in training; gives what it was."""
    before = is_training()
    _mode.training = bool(train_mode)
    return before


@contextmanager
def _modes(recording: bool | None, training: bool | None) -> Iterator[None]:
    before = is_recording(), is_training()
    if recording is not None:
        set_recording(recording)
    if training is not None:
        set_training(training)
    try:
        yield
    finally:
        set_recording(before[0])
        set_training(before[1])


def record(train_mode: bool = True) -> Any:
    """While open, primitives are recorded, in train mode unless told otherwise."""
    return _modes(True, train_mode)


def pause(train_mode: bool = False) -> Any:
    """While open, nothing is recorded."""
    return _modes(False, train_mode)


def train_mode() -> Any:
    """While open, layers behave as in training."""
    return _modes(None, True)


def predict_mode() -> Any:
    """While open, layers behave as in prediction."""
    return _modes(None, False)


class _Together(list[Any]):
    """The gradients of a function's results, None where none came yet; adds result by result."""

    def __add__(self, other: Any) -> Any:
        return _Together(
            b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)
        )


def _slot(number: int, count: int) -> tuple[Any, tuple[Any, ...], dict[str, Any], Any]:
    """What carries the gradient of one of several results to the node of all."""

    def place(gradient: Any) -> tuple[Any]:
        return (_Together(gradient if i == number else None for i in range(count)),)

    return place, (), {}, place


class Node:
    """One application of a primitive. `vjp` maps the raw gradient of its result to those of its
    boxes; None once it was used up.

    `replay` does the same over boxes; without it, the primitive of that name is run again.
    """

    __slots__ = ("name", "parents", "vjp", "args", "attributes", "replay")

    def __init__(
        self,
        name: str,
        parents: list[Node | Leaf | None],
        vjp: Callable[[Any], Sequence[Any]],
        args: tuple[Any, ...],
        attributes: dict[str, Any],
        replay: Callable[[Any], Sequence[Any]] | None = None,
    ) -> None:
        self.name = name
        self.parents = parents
        self.vjp: Callable[[Any], Sequence[Any]] | None = vjp
        self.args: tuple[Any, ...] = args
        self.attributes = attributes
        self.replay = replay

    def gradients(self, gradient: Any) -> Sequence[Any]:
        """The raw gradients of its boxes, from that of its result; None for one that has none."""
        assert self.vjp is not None
        return self.vjp(gradient)

    def recorded_gradients(self, gradient: Any) -> Sequence[Any]:
        """The same over boxes, every step of it on the tape."""
        if self.replay is not None:
            return self.replay(gradient)
        first = next(a for a in self.args if hasattr(a, "_wrap"))
        traced = [a._traced() if hasattr(a, "_wrap") else a for a in self.args]
        _, vjp = PRIMITIVES[self.name].__wrapped__(first._traced_xp(), *traced, **self.attributes)  # type: ignore[attr-defined]
        several = isinstance(gradient, _Together)
        found = vjp(
            [None if g is None else g._traced() for g in gradient]
            if several
            else gradient._traced()
        )
        return [
            None if g is None else g.box if hasattr(g, "box") else first._wrap(g) for g in found
        ]


class Leaf:
    """A variable that gradients are wanted of; `receive(gradient)` is called once a backward pass
    with the sum over all its uses.
    """

    __slots__ = ("receive",)

    def __init__(self, receive: Callable[[Any], None]) -> None:
        self.receive = receive


def _where(device: Any, vjp: Callable[[Any], Sequence[Any]]) -> Callable[[Any], Sequence[Any]]:
    """A vjp that makes its device the current one: others may have worked since the forward pass."""

    def applied(gradient: Any) -> Sequence[Any]:
        device.use()
        return vjp(gradient)

    return applied


def primitive(
    function: Callable[..., tuple[Any, Callable[[Any], Sequence[Any]]]],
) -> Callable[..., Any]:
    """Make `f(xp, *raw values, **attributes) -> (result, vjp)` work on boxes.

    Positional arguments that are boxes are unwrapped and differentiated; the result is wrapped as
    the first of them is. A result that is a tuple becomes as many boxes; its vjp gets a list of
    their gradients, None for those that nothing used.
    """

    @functools.wraps(function)
    def applied(*args: Any, **attributes: Any) -> Any:
        boxes = [a for a in args if hasattr(a, "_wrap")]
        first = boxes[0]
        for other in boxes[1:]:
            if other._device != first._device:
                raise MXNetError(
                    f"{function.__name__}: inputs live on {first._device} and {other._device} - copy one "
                    "of them first"
                )
        try:
            result, vjp = function(
                first._device.use(),
                *(a._raw if hasattr(a, "_wrap") else a for a in args),
                **attributes,
            )
        except (ValueError, IndexError) as error:
            if isinstance(error, MXNetError) or "is out of bounds for axis" in str(
                error
            ):  # the latter of an index, not of an axis
                raise
            shapes = " and ".join(str(tuple(box._raw.shape)) for box in boxes)
            raise MXNetError(f"MXNetError: {function.__name__} of {shapes}: {error}") from error
        recorded = is_recording() and any(box._node is not None for box in boxes)
        if recorded and not first._device.is_host:
            vjp = _where(first._device, vjp)
        if isinstance(result, tuple):
            outs = tuple(first._wrap(part) for part in result)
            if recorded:
                joint = Node(function.__name__, [box._node for box in boxes], vjp, args, attributes)
                for number, part in enumerate(outs):
                    part._node = Node("output", [joint], *_slot(number, len(outs)))
            return outs
        out = first._wrap(result)
        if recorded:
            out._node = Node(function.__name__, [box._node for box in boxes], vjp, args, attributes)
        return out

    PRIMITIVES[function.__name__] = applied
    return applied


def check_writable(box: Any) -> None:
    """MXNetError for a write in place to something on the tape while recording."""
    if is_recording() and box._node is not None:
        raise MXNetError(IN_GRAPH)


def _order(heads: list[Node | Leaf]) -> list[Node]:
    """All nodes the heads depend on, each after all that depend on it."""
    found: list[Node] = []
    seen: set[int] = set()
    for head in heads:
        stack: list[tuple[Node | Leaf | None, bool]] = [(head, False)]
        while stack:
            node, done = stack.pop()
            if done:
                assert isinstance(node, Node)
                found.append(node)
            elif isinstance(node, Node) and id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack += [(parent, False) for parent in node.parents]
    return found[::-1]


def _accumulate(
    heads: Sequence[Any],
    head_grads: Sequence[Any],
    retain_graph: bool,
    step: Callable[[Node, Any], Sequence[Any]],
) -> dict[int, tuple[Leaf, Any]]:
    """id -> (leaf, gradient summed over its uses); `step` takes a gradient through one node."""
    gradients: dict[int, Any] = {}

    def add(node: Node | Leaf, gradient: Any) -> None:
        gradients[id(node)] = gradients[id(node)] + gradient if id(node) in gradients else gradient

    leaves: dict[int, Leaf] = {}
    for head, gradient in zip(heads, head_grads, strict=True):
        if head._node is None:
            raise MXNetError(NOT_IN_GRAPH)
        add(head._node, gradient)
        if isinstance(head._node, Leaf):
            leaves[id(head._node)] = head._node
    order = _order([head._node for head in heads])
    if any(node.vjp is None for node in order):
        raise MXNetError(NOT_IN_GRAPH)
    for node in order:
        if id(node) not in gradients:  # only comparisons and the like led here
            continue
        for parent, gradient in zip(node.parents, step(node, gradients.pop(id(node))), strict=True):
            if parent is not None and gradient is not None:
                add(parent, gradient)
                if isinstance(parent, Leaf):
                    leaves[id(parent)] = parent
    if not retain_graph:
        for node in order:
            node.vjp, node.args, node.replay = None, (), None
    return {number: (leaf, gradients[number]) for number, leaf in leaves.items()}


def _heads(heads: Any, head_grads: Any) -> tuple[list[Any], list[Any]]:
    """Heads and their gradients, both as boxes."""
    heads = [heads] if hasattr(heads, "_wrap") else list(heads)
    if head_grads is None:
        head_grads = [None] * len(heads)
    elif hasattr(head_grads, "_wrap"):
        head_grads = [head_grads]
    if len(head_grads) != len(heads):
        raise AssertionError("heads and head_grads must be lists of the same length")
    return heads, [
        head._wrap(head._ones()) if g is None else g
        for head, g in zip(heads, head_grads, strict=True)
    ]


def backward(
    heads: Any, head_grads: Any = None, retain_graph: bool = False, train_mode: bool = True
) -> None:
    """Send the gradients of `heads` (ones where not given) to every variable they depend on."""
    boxes, given = _heads(heads, head_grads)
    with _modes(False, train_mode):
        for leaf, gradient in _accumulate(
            boxes, [g._raw for g in given], retain_graph, Node.gradients
        ).values():
            leaf.receive(gradient)


def grad(
    heads: Any,
    variables: Any,
    head_grads: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> Any:
    """The gradients of `heads` by `variables`, as new boxes; what the variables hold is left alone.

    With `create_graph` the gradients are on the tape, to be differentiated again, as often as
    wanted. `retain_graph` is `create_graph` unless it is given. MXNetError for a primitive whose
    gradient is not made of primitives.
    """
    boxes, given = _heads(heads, head_grads)
    single = hasattr(variables, "_wrap")
    wanted = [variables] if single else list(variables)
    if not wanted:
        raise AssertionError("variables cannot be an empty list.")
    retain = create_graph if retain_graph is None else retain_graph
    with _modes(create_graph, train_mode):
        if create_graph:
            found = _accumulate(boxes, given, retain, Node.recorded_gradients)
        else:
            found = _accumulate(boxes, [g._raw for g in given], retain, Node.gradients)
    result = []
    for number, variable in enumerate(wanted):
        if not isinstance(variable._node, Leaf) or id(variable._node) not in found:
            raise MXNetError(
                "MXNetError: Check failed: !AGInfo: :IsNone(*variables[i]) && "
                "AGInfo::IsVariable(variables[i]->entry_.node): Cannot "
                f"differentiate with respect to the {number + 1}-th variable because it does not require "
                "gradient."
            )
        gradient = found[id(variable._node)][1]
        result.append(gradient if create_graph else variable._wrap(gradient))
    return result[0] if single else result


def inner_gradients(heads: Any, inner: Sequence[Any], head_grads: Any = None) -> list[Any]:
    """The gradients of `heads` by values on the way to them, as new boxes; None by a value that
    they do not depend on.

    Nothing is sent to variables, and the tape is used up.
    """
    boxes, given = _heads(heads, head_grads)
    wanted = {id(box._node) for box in inner if box._node is not None}
    found: dict[int, Any] = {}

    def step(node: Node, gradient: Any) -> Sequence[Any]:
        if id(node) in wanted:
            found[id(node)] = gradient
        return node.gradients(gradient)

    with _modes(False, is_training()):
        leaves = _accumulate(boxes, [g._raw for g in given], False, step)
    found |= {number: gradient for number, (_, gradient) in leaves.items() if number in wanted}
    return [box._wrap(found[id(box._node)]) if id(box._node) in found else None for box in inner]


class Function:
    """A computation with a gradient of its own (MXNet: `autograd.Function`).

    Define `forward(self, *arrays)`, which gives an array or several, and `backward(self,
    *output_gradients)`, which gives as many arrays as forward takes; `save_for_backward` keeps
    arrays for it in `saved_tensors`. An instance is called once.
    """

    def __init__(self) -> None:
        self._used = False
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *args: Any) -> None:
        """Keep arrays for `backward`."""
        self.saved_tensors = args

    def forward(self, *inputs: Any) -> Any:
        """The results."""
        raise NotImplementedError

    def backward(self, *output_grads: Any) -> Any:
        """The gradients of the inputs, from those of the results."""
        raise NotImplementedError

    def __call__(self, *inputs: Any) -> Any:
        if self.__dict__.get("_used"):
            raise AssertionError(
                "Each Function instance can only be called once. Please create another instance."
            )
        self._used = True
        with _modes(False, None):
            given = self.forward(*inputs)
        if not is_recording() or all(box._node is None for box in inputs):
            return given
        single = hasattr(given, "_wrap")
        outputs = [
            o._wrap(o._raw) if any(o is i for i in inputs) else o
            for o in ([given] if single else given)
        ]
        joint = Node(
            type(self).__name__,
            [box._node for box in inputs],
            lambda g: [
                None if b is None else b._raw for b in self._backward(inputs, outputs, g, wrap=True)
            ],
            (),
            {},
            lambda g: self._backward(inputs, outputs, g, wrap=False),
        )
        for number, output in enumerate(outputs):
            output._node = Node("output", [joint], *_slot(number, len(outputs)))
        return (
            outputs[0]
            if single
            else type(given)(outputs)
            if isinstance(given, (list, tuple))
            else outputs
        )

    def _backward(self, inputs: Any, outputs: Any, gradients: Any, wrap: bool) -> list[Any]:
        boxes = []
        for output, gradient in zip(outputs, gradients, strict=True):
            if gradient is None:
                boxes.append(output._wrap(output._device.use().zeros_like(output._raw)))
            else:
                boxes.append(output._wrap(gradient) if wrap else gradient)
        found = self.backward(*boxes)
        found = [found] if hasattr(found, "_wrap") else list(found)
        name = type(self).__name__
        if len(found) != len(inputs):
            raise MXNetError(
                f"{name}.backward must return exactly the same number of NDArrays as the number of "
                "NDArrays arguments to forward. "
                f"Expecting {len(inputs)} got {len(found)}"
            )
        for gradient, box in zip(found, inputs, strict=True):
            if not hasattr(gradient, "_wrap"):
                raise MXNetError(f"{name}.backward must return NDArrays, not {type(gradient)}")
            if gradient._raw.shape != box._raw.shape:
                raise MXNetError(
                    f"{name}.backward gives a gradient of shape {gradient._raw.shape} for an input of "
                    f"shape {box._raw.shape}"
                )
        return found


def mark_variables(variables: Any, gradients: Any, grad_reqs: str | list[str] = "write") -> None:
    """Make arrays variables whose gradients are kept in the given arrays (MXNet:
    `autograd.mark_variables`).
    """
    if hasattr(variables, "_wrap"):
        variables, gradients = [variables], [gradients]
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(variables)
    for variable, gradient, grad_req in zip(variables, gradients, grad_reqs, strict=True):
        variable._mark(gradient, grad_req)
