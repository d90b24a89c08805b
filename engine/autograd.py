"""Reverse-mode differentiation on a tape.

The module does not depend on an array library: gradients are objects that can be added.
`engine.tape` defines boxes and nodes.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias, TypeVar, cast, overload

from initlab.engine.arrays import Array
from initlab.engine.errors import MXNetError
from initlab.engine.tape import (
    PRIMITIVES,
    Backward,
    Box,
    JointPrimitive,
    Leaf,
    Node,
    Place,
    Primitive,
    Result,
    Results,
    is_box,
    live_node,
    memory,
)

NOT_IN_GRAPH = (
    "Check failed: !AGInfo: :IsNone(*i): Cannot differentiate node because it is not in a "
    "computational graph. You need "
    "to set is_recording to true or use autograd.record() to save computational graphs for backward. If "
    "you want to differentiate the "
    "same graph twice, you need to pass retain_graph=True to backward."
)
IN_GRAPH = (
    "Check failed: AGInfo: :IsNone(*output): Assigning to NDArrays that are already in a "
    "computational graph will cause "
    "undefined behavior when evaluating gradients. Please call backward first to clear the graph or do "
    "this out side of a record "
    "section. Also note that you cannot use inplace operations like +=, *=, relu(x, out=x), y[idx]=x, etc "
    "inside a record section."
)

B = TypeVar("B", bound=Box)
G = TypeVar("G")
Boxes: TypeAlias = Box | Sequence[Box]
"""One box or several."""
HeadGrads: TypeAlias = Box | Sequence[Box | None] | None
"""The gradients of heads: ones in place of a None."""

_mode = threading.local()


def is_recording() -> bool:
    """Return whether primitives are recorded on the tape."""
    return getattr(_mode, "recording", False)


def is_training() -> bool:
    """Return whether layers behave as in training, where dropout drops elements."""
    return getattr(_mode, "training", False)


def is_dropping() -> bool:
    """Return whether dropout drops elements: in train mode, but not inside `without_dropout`."""
    return is_training() and not getattr(_mode, "keeping", False)


@contextmanager
def without_dropout() -> Iterator[None]:
    """Let dropout drop nothing inside a `with`, in train mode too."""
    before = getattr(_mode, "keeping", False)
    _mode.keeping = True
    try:
        yield
    finally:
        _mode.keeping = before


def set_recording(is_record: bool) -> bool:
    """Set whether primitives are recorded; return the previous value."""
    before = is_recording()
    _mode.recording = bool(is_record)
    return before


def set_training(train_mode: bool) -> bool:
    """Set whether layers behave as in training; return the previous value."""
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


@contextmanager
def kept() -> Iterator[None]:
    """Afterwards this thread's modes are as they were, however what is inside the `with` ended."""
    before = dict(vars(_mode))
    try:
        yield
    finally:
        vars(_mode).clear()
        vars(_mode).update(before)


def record(train_mode: bool = True) -> AbstractContextManager[None]:
    """Record primitives inside a `with`, by default in train mode."""
    return _modes(True, train_mode)


def pause(train_mode: bool = False) -> AbstractContextManager[None]:
    """Record nothing inside a `with`, by default in predict mode."""
    return _modes(False, train_mode)


def train_mode() -> AbstractContextManager[None]:
    """Let layers behave as in training, inside a `with`."""
    return _modes(None, True)


def predict_mode() -> AbstractContextManager[None]:
    """Let layers behave as in prediction, inside a `with`."""
    return _modes(None, False)


def _where(device: Place, vjp: Backward) -> Backward:
    """Return the vjp with its device made current first, which may have changed since the forward
    pass.
    """

    def applied(gradient: object) -> Sequence[Any]:
        device.use()
        return vjp(gradient)

    return applied


@overload
def primitive(function: Callable[..., Result]) -> Primitive: ...
@overload
def primitive(function: Callable[..., Results]) -> JointPrimitive: ...
def primitive(function: Callable[..., Result | Results]) -> Primitive | JointPrimitive:
    """Make `f(xp, *raw values, **attributes) -> (result, vjp)` a function of boxes.

    Positional arguments that are boxes are unwrapped and differentiated; the result is wrapped like
    the first of them. A tuple of results becomes several boxes; its vjp receives a list of their
    gradients, with None for unused results.
    """

    @functools.wraps(function)
    def applied(*args: object, **attributes: object) -> Box | tuple[Box, ...]:
        boxes = [a for a in args if is_box(a)]
        first = boxes[0]
        for other in boxes[1:]:
            if other._device != first._device:
                raise MXNetError(
                    f"{function.__name__}: inputs live on {first._device} and {other._device} - copy one "
                    "of them first"
                )
        vjp: Backward
        try:
            result, vjp = function(
                first._device.use(),
                *(a._raw if is_box(a) else a for a in args),
                **attributes,
            )
        except (ValueError, IndexError) as error:
            # NumPy's "is out of bounds for axis" is about a wrong index; it is passed on as it is.
            if isinstance(error, MXNetError) or "is out of bounds for axis" in str(error):
                raise
            shapes = " and ".join(str(tuple(box._raw.shape)) for box in boxes)
            raise MXNetError.checked(f"{function.__name__} of {shapes}: {error}") from error
        parents = [live_node(box) for box in boxes] if is_recording() else []
        recorded = any(parent is not None for parent in parents)
        if recorded and not first._device.is_host:
            vjp = _where(first._device, vjp)
        if isinstance(result, tuple):
            outs = tuple(first._wrap(part) for part in result)
            if recorded:
                joint = Node(function.__name__, parents, vjp, args, attributes)
                for number, part in enumerate(outs):
                    part._node = Node.of_one(joint, number, len(outs))
            return outs
        out = first._wrap(result)
        if recorded:
            out._node = Node(function.__name__, parents, vjp, args, attributes)
        return out

    applied.__qualname__ = function.__name__  # a factory's function is found under its name, too
    made = cast(Primitive, applied)
    PRIMITIVES[function.__name__] = made
    return made


def check_writable(box: Box) -> None:
    """Raise MXNetError for a write in place to an array on the tape while recording."""
    if is_recording() and live_node(box) is not None:
        raise MXNetError.checked(IN_GRAPH)


def _order(heads: list[Node | Leaf]) -> list[Node]:
    """Return all nodes that the heads depend on, each after all that depend on it."""
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
    heads: Sequence[Box],
    head_grads: Sequence[G],
    retain_graph: bool,
    step: Callable[[Node, G], Sequence[Any]],
    complete: Callable[[Leaf, G], object] | None = None,
) -> dict[int, tuple[Leaf, G]]:
    """Return {id: (leaf, gradient summed over its uses)}; `step` propagates a gradient through one
    node.

    `complete` is given the gradient of each leaf as soon as its last use has added to it; it is not
    returned then. A leaf whose stored gradient the graph itself reads is always returned. Unless
    `retain_graph`, each node frees what it holds once it has been passed, so that the memory of the
    forward pass serves the backward pass.
    """
    gradients: dict[int, Any] = {}

    def add(node: Node | Leaf, gradient: object) -> None:
        gradients[id(node)] = gradients[id(node)] + gradient if id(node) in gradients else gradient

    leaves: dict[int, Leaf] = {}
    starts: list[Node | Leaf] = []
    for head, gradient in zip(heads, head_grads, strict=True):
        if head._node is None:
            raise MXNetError.checked(NOT_IN_GRAPH)
        starts.append(head._node)
        add(head._node, gradient)
        if isinstance(head._node, Leaf):
            leaves[id(head._node)] = head._node
    order = _order(starts)
    if any(node.vjp is None for node in order):
        raise MXNetError.checked(NOT_IN_GRAPH)
    uses = Counter(id(p) for node in order for p in node.parents if isinstance(p, Leaf))
    read = {memory(gradient) for gradient in head_grads}
    read |= {memory(box._raw) for node in order for box in node.args if is_box(box)}
    for node in order:
        if id(node) in gradients:  # else no gradient comes back, e.g. from a comparison
            back = step(node, gradients.pop(id(node)))
            for parent, gradient in zip(node.parents, back, strict=True):
                if parent is not None and gradient is not None:
                    add(parent, gradient)
                    if isinstance(parent, Leaf):
                        leaves[id(parent)] = parent
            del back
        parents = node.parents
        if not retain_graph:
            node.spend()
        for parent in parents if complete is not None else ():
            uses[id(parent)] -= 1
            if uses[id(parent)] == 0 and id(parent) in leaves:
                assert complete is not None and isinstance(parent, Leaf)
                if parent.stored is None or memory(parent.stored._raw) not in read:
                    complete(leaves.pop(id(parent)), gradients.pop(id(parent)))
    if not retain_graph:
        Node.count_pass()
    return {number: (leaf, gradients[number]) for number, leaf in leaves.items()}


def _heads(heads: Boxes, head_grads: HeadGrads) -> tuple[list[Box], list[Box]]:
    """Return heads and their gradients, both as lists of boxes."""
    boxes = _listed(heads)
    if head_grads is None:
        given: Sequence[Box | None] = [None] * len(boxes)
    else:
        given = [head_grads] if is_box(head_grads) else cast(Sequence[Box | None], head_grads)
    if len(given) != len(boxes):
        raise AssertionError("heads and head_grads must be lists of the same length")
    return boxes, [
        head._wrap(head._ones()) if g is None else g for head, g in zip(boxes, given, strict=True)
    ]


def _listed(boxes: Boxes) -> list[Box]:
    """Return one box or several as a list."""
    return [boxes] if is_box(boxes) else list(cast(Sequence[Box], boxes))


def backward(
    heads: Boxes,
    head_grads: HeadGrads = None,
    retain_graph: bool = False,
    train_mode: bool = True,
) -> None:
    """Send the gradients of `heads` to every variable they depend on; `head_grads` are by default
    ones.
    """
    boxes, given = _heads(heads, head_grads)
    with _modes(False, train_mode):
        raw = [g._raw for g in given]
        left = _accumulate(
            boxes, raw, retain_graph, Node.gradients, lambda leaf, total: leaf.receive(total)
        )
        for leaf, gradient in left.values():
            leaf.receive(gradient)


def grad(
    heads: Boxes,
    variables: B | Sequence[B],
    head_grads: HeadGrads = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> list[B]:
    """Return the gradients of `heads` by the variables, as new boxes of the variables' shapes: always
    a list, also for a single variable (as MXNet 1.9.1 does, whatever its documentation says).

    The stored gradients of the variables are not changed. With `create_graph` the gradients are on
    the tape, so they can be differentiated again, any number of times. `retain_graph` is by default
    `create_graph`. Raises MXNetError if a head or a variable is not on the tape, and with
    `create_graph` if the gradient of a primitive is not made of primitives.
    """
    boxes, given = _heads(heads, head_grads)
    wanted = _listed(variables)
    if not wanted:
        raise AssertionError("variables cannot be an empty list.")
    retain = create_graph if retain_graph is None else retain_graph
    found: dict[int, tuple[Leaf, Any]]
    with _modes(create_graph, train_mode):
        if create_graph:
            found = _accumulate(boxes, given, retain, Node.recorded_gradients)
        else:
            found = _accumulate(boxes, [g._raw for g in given], retain, Node.gradients)
    result = []
    for number, variable in enumerate(wanted):
        if not isinstance(variable._node, Leaf) or id(variable._node) not in found:
            raise MXNetError.checked(
                "Check failed: !AGInfo: :IsNone(*variables[i]) && "
                "AGInfo::IsVariable(variables[i]->entry_.node): Cannot "
                f"differentiate with respect to the {number + 1}-th variable because it does not require "
                "gradient."
            )
        gradient = found[id(variable._node)][1]
        result.append(gradient if create_graph else variable._wrap(gradient))
    return cast(list[B], result)


def inner_gradients(
    heads: Boxes, inner: Sequence[B], head_grads: HeadGrads = None
) -> list[B | None]:
    """Return the gradients of `heads` by the intermediate values `inner`, as new boxes of their
    shapes.

    A gradient is None if the heads do not depend on the value. Variables get no gradients. The tape
    is consumed.
    """
    found: list[B | None] = [None] * len(inner)
    receive_inner_gradients(heads, inner, found.__setitem__, head_grads)
    return found


def receive_inner_gradients(
    heads: Boxes,
    inner: Sequence[B],
    receive: Callable[[int, B], object],
    head_grads: HeadGrads = None,
) -> None:
    """Call `receive(i, gradient)` with the gradient of `heads` by `inner[i]` as soon as it is known, so
    that no more of them need to be in memory than `receive` keeps.

    It is not called for a value that the heads do not depend on. Otherwise like `inner_gradients`.
    """
    boxes, given = _heads(heads, head_grads)
    wanted: dict[int, list[int]] = {}
    for number, box in enumerate(inner):
        if box._node is not None:
            wanted.setdefault(id(box._node), []).append(number)

    def pass_on(node: Node | Leaf, gradient: Array) -> None:
        for number in wanted.get(id(node), ()):
            receive(number, inner[number]._wrap(gradient))

    def step(node: Node, gradient: Array) -> Sequence[Any]:
        pass_on(node, gradient)
        return node.gradients(gradient)

    with _modes(False, is_training()):
        raw = [one._raw for one in given]
        for leaf, gradient in _accumulate(boxes, raw, False, step, pass_on).values():
            pass_on(leaf, gradient)


class Function:
    """A computation with a user-defined gradient (MXNet: `autograd.Function`).

    Define `forward(self, *arrays)`, which returns one array or several, and `backward(self,
    *output_gradients)`, which returns one gradient for each argument of forward.
    `save_for_backward` stores arrays in `saved_tensors`. An instance is called once.
    """

    def __init__(self) -> None:
        self._used = False
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *args: object) -> None:
        """Store arrays for `backward`."""
        self.saved_tensors = args

    def forward(self, *inputs: Any) -> Any:
        """Return the results."""
        raise NotImplementedError

    def backward(self, *output_grads: Any) -> Any:
        """Return the gradients of the inputs, from those of the results."""
        raise NotImplementedError

    def __call__(self, *inputs: Box) -> Any:
        if self.__dict__.get("_used"):
            raise AssertionError(
                "Each Function instance can only be called once. Please create another instance."
            )
        self._used = True
        with _modes(False, None):
            given = self.forward(*inputs)
        parents = [live_node(box) for box in inputs] if is_recording() else []
        if all(parent is None for parent in parents):
            return given
        single = is_box(given)
        outputs = [
            o._wrap(o._raw) if any(o is i for i in inputs) else o
            for o in ([given] if single else given)
        ]
        joint = Node(
            type(self).__name__,
            parents,
            lambda g: [
                None if b is None else b._raw for b in self._backward(inputs, outputs, g, wrap=True)
            ],
            (),
            {},
            lambda g: self._backward(inputs, outputs, g, wrap=False),
        )
        for number, output in enumerate(outputs):
            output._node = Node.of_one(joint, number, len(outputs))
        return (
            outputs[0]
            if single
            else type(given)(outputs)
            if isinstance(given, (list, tuple))
            else outputs
        )

    def _backward(
        self, inputs: Sequence[Box], outputs: Sequence[Box], gradients: Sequence[Any], wrap: bool
    ) -> list[Box]:
        """Call `backward` and check its result; `gradients` are raw arrays if `wrap`, else boxes."""
        boxes: list[Box] = []
        for output, gradient in zip(outputs, gradients, strict=True):
            if gradient is None:
                boxes.append(output._wrap(output._device.use().zeros_like(output._raw)))
            else:
                boxes.append(output._wrap(gradient) if wrap else gradient)
        found = self.backward(*boxes)
        found = [found] if is_box(found) else list(found)
        name = type(self).__name__
        if len(found) != len(inputs):
            raise MXNetError(
                f"{name}.backward must return exactly the same number of NDArrays as the number of "
                "NDArrays arguments to forward. "
                f"Expecting {len(inputs)} got {len(found)}"
            )
        for gradient, box in zip(found, inputs, strict=True):
            if not is_box(gradient):
                raise MXNetError(f"{name}.backward must return NDArrays, not {type(gradient)}")
            if gradient._raw.shape != box._raw.shape:
                raise MXNetError(
                    f"{name}.backward gives a gradient of shape {gradient._raw.shape} for an input of "
                    f"shape {box._raw.shape}"
                )
        return found


def mark_variables(
    variables: Boxes, gradients: Boxes, grad_reqs: str | list[str] = "write"
) -> None:
    """Make arrays variables whose gradients are written into the given arrays.

    MXNet: `autograd.mark_variables`.
    """
    marked = _listed(variables)
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(marked)
    for variable, gradient, grad_req in zip(marked, _listed(gradients), grad_reqs, strict=True):
        variable._mark(gradient, grad_req)
