"""Sends the engine's arrays through a module, and gradients back.

One call of a module is one step on the engine's tape: torch differentiates what lies within. What the
modules inside are given and return is told to the hooks of their blocks, as arrays whose gradients come
from the same backward pass. Values are not changed on the way: parameters share the memory of the
engine's, and the module is as it was afterwards, but for running statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from initlab.engine import autograd, gluon, nd, streams
from initlab.engine.device import cpu
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Leaf, Node, live_node
from initlab.runner.torch.body import Body
from initlab.runner.torch.memory import array_over, tensor_over

NAME = "torch"
"""The name of a module's step on the tape."""
TWICE = "the gradient of a torch module cannot be differentiated again"
Values: TypeAlias = "nd.NDArray | list[Values]"
DROPPING = (
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
    functional.alpha_dropout,
    functional.feature_alpha_dropout,
)


def sent(block: gluon.Block, body: Body, path: str, args: Sequence[object]) -> object:
    """Return what the module of a block returns for these arguments, arrays in place of tensors.

    Raises MXNetError with torch's message, and the path of the module that it comes from.
    """
    body.make()
    for one in args:
        if isinstance(one, nd.NDArray) and not one.device.is_host:
            raise MXNetError(f"a torch module runs on device=cpu here, not on {one.device}")
    module = body.at(path)
    recording, training = autograd.is_recording(), autograd.is_training()
    pass_ = _Pass(recording)
    parameters = _bind(block, body, path, recording)
    tokens = body.gives_tokens(path)
    given = [pass_.enter(one, tokens) if isinstance(one, nd.NDArray) else one for one in args]
    with ExitStack() as stack:
        stack.enter_context(torch.set_grad_enabled(recording))
        if training:
            stack.enter_context(_seeded())
            stack.enter_context(_restoring(module, block))
            if not autograd.is_dropping():
                stack.enter_context(_WithoutDropout())
        stack.enter_context(_mode(module, training, autograd.is_dropping()))
        called = _Called()
        stack.enter_context(_told(block, module, pass_, called))
        try:
            result = module(*given)
        except Exception as error:
            raise called.located(error) from error
    return pass_.leave(_left(path, result), parameters)


class _WithoutDropout(TorchFunctionMode):
    """Lets dropout drop nothing."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        options = dict(kwargs or {})
        if func in DROPPING:
            return args[0] if args else options["input"]
        if func is functional.scaled_dot_product_attention:
            args, options = (
                args[:4] + (0.0,) * (len(args) > 4) + args[5:],
                options | {name: 0.0 for name in ("dropout_p",) if name in options},
            )
        return func(*args, **options)


@contextmanager
def _mode(module: nn.Module, training: bool, dropping: bool) -> Iterator[None]:
    """Put a module into train or predict mode, inside a `with`; recurrent layers drop between layers
    and attention within only if `dropping`.
    """
    before = [(one, one.training) for one in module.modules()]
    dropouts = [
        (one, one.dropout)
        for one in module.modules()
        if isinstance(one, nn.RNNBase | nn.MultiheadAttention) and not dropping
    ]
    module.train(training)
    for one, _ in dropouts:
        one.dropout = 0.0
    try:
        yield
    finally:
        for one, mode in before:
            one.training = mode
        for one, rate in dropouts:
            one.dropout = rate


@contextmanager
def _seeded() -> Iterator[None]:
    """Let torch draw, inside a `with`, what follows from the engine's stream; its own generator is as
    before afterwards.
    """
    seed = int(streams.current().integers(0, 2**31, 1)[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _restoring(module: nn.Module, block: gluon.Block) -> Iterator[None]:
    """Restore, at exit, the buffers that are no parameters of the block, like counters of batches."""
    known = block.structural_params()
    kept = [
        (owner, name, buffer, buffer._version, buffer.clone())
        for path, owner in module.named_modules()
        for name, buffer in owner._buffers.items()
        if buffer is not None and (f"{path}.{name}" if path else name) not in known
    ]
    try:
        yield
    finally:
        for owner, name, buffer, version, values in kept:
            if owner._buffers[name] is not buffer or buffer._version != version:
                owner._buffers[name] = values


def _bind(
    block: gluon.Block, body: Body, path: str, recording: bool
) -> list[tuple[nn.Parameter, nd.NDArray]]:
    """Let the module use the memory of the block's parameters; return both of each that is learned."""
    made: dict[int, torch.Tensor] = {}
    learned: list[tuple[nn.Parameter, nd.NDArray]] = []
    module, bound = body.at(path), body.bound
    for below, parameter in block.structural_params().items():
        above, _, name = below.rpartition(".")
        owner, array = module.get_submodule(above), parameter.data()
        full = f"{path}.{below}" if path else below
        is_parameter = name in owner._parameters
        held = owner._parameters if is_parameter else owner._buffers
        fresh = id(parameter) not in made
        if fresh:
            same = bound.get(full) is array._raw
            tensor = held[name] if same else tensor_over(np.asarray(array._raw))
            if is_parameter and not same:
                tensor = nn.Parameter(tensor, requires_grad=False)
            made[id(parameter)] = tensor
        tensor = made[id(parameter)]
        held[name], bound[full] = tensor, array._raw
        if is_parameter and fresh:
            tensor.requires_grad_(recording and parameter.grad_req != "null")
            if tensor.requires_grad:
                learned.append((tensor, array))
    return learned


@dataclass
class _Kept:
    """A tensor that was seen, with the array that stands for it."""

    tensor: torch.Tensor
    version: int
    array: nd.NDArray
    edge: GradientEdge | None


class _Pass:
    """The arrays that stand for the tensors of one call."""

    def __init__(self, recording: bool) -> None:
        self.recording = recording
        self.inputs: list[tuple[torch.Tensor, nd.NDArray]] = []
        self._kept: dict[int, _Kept] = {}
        self._by_memory: dict[object, _Kept] = {}
        self._views: list[torch.Tensor] = []
        self._graph: list[_Kept] = []
        self._by_step: dict[tuple[object, int], nd.NDArray] = {}

    def enter(self, array: nd.NDArray, tokens: bool) -> torch.Tensor:
        """Return the tensor of an array that enters the network; whole numbers are int64."""
        raw = np.asarray(array._raw)
        whole = tokens or raw.dtype.kind in "iu"
        tensor = tensor_over(raw.astype(np.int64) if whole else raw)
        if self.recording and not whole:
            tensor.requires_grad_()
            self.inputs.append((tensor, array))
        self._keep(tensor, array)
        return tensor

    def array(self, tensor: torch.Tensor) -> nd.NDArray:
        """Return the array that stands for a tensor, a copy of its present values."""
        known = self._kept.get(id(tensor))
        if known is None or known.version != tensor._version:
            known = self._seen_as(tensor)
        if known is not None:
            return known.array
        array = nd.NDArray(array_over(tensor).copy(), cpu())
        kept = self._keep(tensor, array)
        if kept.edge is not None:
            array._node = self._inner(tensor)
        return array

    def _seen_as(self, tensor: torch.Tensor) -> _Kept | None:
        """Return what is kept of the tensor of which this is another view, of the same elements."""
        known = self._by_memory.get(_memory(tensor))
        graph = self.recording and tensor.requires_grad
        if known is None or known.version != tensor._version or graph != (known.edge is not None):
            return None
        self._kept[id(tensor)] = known
        self._views.append(tensor)
        if graph:
            edge = get_gradient_edge(tensor)
            self._by_step[(edge.node, edge.output_nr)] = known.array
        return known

    def _keep(self, tensor: torch.Tensor, array: nd.NDArray) -> _Kept:
        graph = self.recording and tensor.requires_grad
        edge = get_gradient_edge(tensor) if graph else None
        kept = _Kept(tensor, tensor._version, array, edge)
        self._kept[id(tensor)] = self._by_memory[_memory(tensor)] = kept
        if edge is not None:
            self._graph.append(kept)
            self._by_step[(edge.node, edge.output_nr)] = array
        return kept

    def _inner(self, tensor: torch.Tensor) -> Node:
        """Return the step of a tensor within the network. It passes no gradient on: that comes from
        the step of the whole. A sum of what is known says so, as its parts are asked for.
        """
        args = self._addends(tensor)
        name = "add" if args else NAME
        return Node(name, [Leaf(lambda _: None)], lambda _: (None,), args, replay=_twice)

    def _addends(self, tensor: torch.Tensor) -> tuple[nd.NDArray, ...]:
        """Return the two arrays of which a tensor is the sum; none if it is no such sum."""
        if type(tensor.grad_fn).__name__ != "AddBackward0" or tensor.grad_fn._saved_alpha != 1:
            return ()
        found = [self._by_step.get(step) for step in tensor.grad_fn.next_functions]
        known = [one for one in found if one is not None and one.shape == tuple(tensor.shape)]
        if len(known) == 1 and len(found) == 2:
            rest = array_over(tensor) - np.asarray(known[0]._raw)
            return known[0], nd.NDArray(rest, cpu())
        return tuple(known) if len(known) == 2 else ()

    def leave(
        self, result: object, parameters: Sequence[tuple[nn.Parameter, nd.NDArray]]
    ) -> object:
        """Return what leaves the network, with its step on the tape."""
        tensors: list[torch.Tensor] = []
        arrays = _mapped(result, lambda one: self._leaving(one, tensors))
        heads = [one for one in tensors if self.recording and one.requires_grad]
        if not heads:
            return arrays
        last = {id(self._kept[id(one)]) for one in (*heads, *(t for t, _ in self.inputs))}
        inner = [kept for kept in self._graph if id(kept) not in last]
        sources = [
            *[(get_gradient_edge(t), live_node(a)) for t, a in (*self.inputs, *parameters)],
            *[(kept.edge, kept.array._node) for kept in inner],
        ]
        step = Node(NAME, [node for _, node in sources], _backward(heads, [e for e, _ in sources]))
        step.replay = _twice
        for number, head in enumerate(heads):
            made = Node.of_one(step, number, len(heads))
            made.args, made.replay = self._addends(head), _twice
            made.name = "add" if made.args else NAME
            self._kept[id(head)].array._node = made
        return arrays

    def _leaving(self, tensor: torch.Tensor, tensors: list[torch.Tensor]) -> nd.NDArray:
        array = self.array(tensor)
        if any(tensor is one for one, _ in self.inputs):  # the network returns what it was given
            array = nd.NDArray(array._raw, cpu())
            tensor = tensor.view_as(tensor)
            self._keep(tensor, array)
        if not any(tensor is one for one in tensors):
            tensors.append(tensor)
        return array


def _memory(tensor: torch.Tensor) -> object:
    """Return what two tensors of the same elements have in common."""
    return tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()


def _twice(gradient: object) -> Sequence[object]:
    raise MXNetError(TWICE)


def _backward(
    heads: Sequence[torch.Tensor], sources: Sequence[GradientEdge]
) -> Callable[[Sequence[np.ndarray | None]], list[np.ndarray | None]]:
    """Return the step back: from gradients of what left to those of what the sources stand for."""

    def step(gradients: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        given = [(head, g) for head, g in zip(heads, gradients, strict=True) if g is not None]
        found = torch.autograd.grad(
            [head for head, _ in given],
            list(sources),
            [tensor_over(np.asarray(g, dtype=array_over(head).dtype)) for head, g in given],
            retain_graph=True,
            allow_unused=True,
        )
        return [None if one is None else array_over(one) for one in found]

    return step


def _plain(result: object) -> object:
    """Return tensors, and lists of them, of what a module returns: the scores of a model of
    transformers, or the first of its tensors.
    """
    if isinstance(result, Mapping):
        for name in ("logits", "last_hidden_state"):
            if isinstance(result.get(name), torch.Tensor):
                return result[name]
        tensors = [one for one in result.values() if isinstance(one, torch.Tensor)]
        return tensors[0] if tensors else None
    return result


def _left(path: str, result: object) -> object:
    """Return what leaves the network where the module at a path is called by itself: of several
    tensors that a whole network returns, the first is its scores.

    Raises MXNetError if a whole network returns no tensor.
    """
    plain = _plain(result)
    if path:
        return plain
    first = next(_tensors(plain), None)
    if first is None:
        raise MXNetError(f"returns {_shown(result)}, in which there is no tensor")
    return first


def _tensors(result: object) -> Iterator[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for one in result:
            yield from _tensors(one)


def _shown(result: object) -> str:
    shown = repr(result)
    return shown if len(shown) < 40 else type(result).__name__


def _mapped(result: object, change: Callable[[torch.Tensor], nd.NDArray]) -> object:
    if isinstance(result, torch.Tensor):
        return change(result)
    if isinstance(result, list | tuple):
        return [_mapped(one, change) for one in result]
    return result


class _Called:
    """The modules that are being called, the innermost last."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def located(self, error: Exception) -> Exception:
        """Return an error of the engine with torch's message, at the innermost module."""
        if isinstance(error, MXNetError):
            return error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        name = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
        found = MXNetError(f"{name}{lines[0]}")
        if self.paths:
            found.path = self.paths[-1]
        return found


@contextmanager
def _told(block: gluon.Block, module: nn.Module, pass_: _Pass, called: _Called) -> Iterator[None]:
    """Tell the blocks inside of every call of their modules, inside a `with`."""
    handles = []

    def follow(path: str, block: gluon.Block, part: nn.Module) -> None:
        heard = bool(block._forward_hooks or block._forward_pre_hooks)

        def begins(part: nn.Module, args: tuple[object, ...], named: dict[str, object]) -> None:
            called.paths.append(path)
            if heard:
                given = _arguments(args, named, pass_)
                for hook in tuple(block._forward_pre_hooks.values()):
                    hook(block, given)

        def ends(
            part: nn.Module, args: tuple[object, ...], named: dict[str, object], result: object
        ) -> None:
            called.paths.pop()
            if heard:
                given, back = _arguments(args, named, pass_), _mapped(_plain(result), pass_.array)
                for hook in tuple(block._forward_hooks.values()):
                    hook(block, given, back)

        handles.append(part.register_forward_pre_hook(begins, with_kwargs=True))
        handles.append(part.register_forward_hook(ends, with_kwargs=True))

    for path, inner in _inside(block):
        follow(path, inner, module.get_submodule(path))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _arguments(
    args: tuple[object, ...], named: Mapping[str, object], pass_: _Pass
) -> tuple[object, ...]:
    """Return the tensors that a module is given, as arrays, and what else it is given by position."""
    more = [one for one in named.values() if isinstance(one, torch.Tensor)]
    given = [one for one in (*args, *more) if one is not None]
    return tuple(pass_.array(one) if isinstance(one, torch.Tensor) else one for one in given)


def _inside(block: gluon.Block) -> Iterator[tuple[str, gluon.Block]]:
    """Yield (path, block) of all blocks below one, each once."""
    seen: set[int] = set()

    def below(above: str, parent: gluon.Block) -> Iterator[tuple[str, gluon.Block]]:
        for name, child in parent._children.items():
            if id(child) not in seen:
                seen.add(id(child))
                yield f"{above}{name}", child
                yield from below(f"{above}{name}.", child)

    return below("", block)


# --- shapes


def shape_after(
    block: gluon.Block, body: Body, path: str, shapes: Sequence[tuple[int, ...]]
) -> object:
    """Return the shape of what the module returns for inputs of these shapes, and tell the blocks
    inside theirs. A module on meta computes nothing for it.

    Raises MXNetError like `sent`.
    """
    try:
        return _shape_after(block, body, path, shapes)
    except MXNetError:
        if not any(one.is_meta for one in body.at(path).parameters()):
            raise
        body.make()  # some code needs values even for shapes
        return _shape_after(block, body, path, shapes)


def _shape_after(
    block: gluon.Block, body: Body, path: str, shapes: Sequence[tuple[int, ...]]
) -> object:
    module, tokens = body.at(path), body.gives_tokens(path)
    tensor = next(iter(module.parameters()), torch.empty(0))
    dtype = torch.int64 if tokens else _floating(module)
    inputs = [torch.zeros(shape, dtype=dtype, device=tensor.device) for shape in shapes]
    called = _Called()
    handles = []

    def follow(path: str, inner: gluon.Block, part: nn.Module) -> None:
        def begins(part: nn.Module, args: object) -> None:
            called.paths.append(path)

        def ends(part: nn.Module, args: tuple[object, ...], result: object) -> None:
            called.paths.pop()
            if hasattr(inner, "_inferred"):
                inner._inferred = _shapes(_plain(result))
                given = [tuple(one.shape) for one in args if isinstance(one, torch.Tensor)]
                inner.output_shape(*given)
                inner._inferred = None

        handles.append(part.register_forward_pre_hook(begins))
        handles.append(part.register_forward_hook(ends))

    for below, inner in _inside(block):
        follow(below, inner, module.get_submodule(below))
    try:
        with torch.no_grad(), _mode(module, False, False):
            return _shapes(_left(path, module(*inputs)))
    except Exception as error:
        raise called.located(error) from error
    finally:
        for handle in handles:
            handle.remove()


def _shapes(result: object) -> object:
    if isinstance(result, torch.Tensor):
        return tuple(result.shape)
    if isinstance(result, list | tuple):
        return [_shapes(one) for one in result]
    return None


def _floating(module: nn.Module) -> torch.dtype:
    found = (one.dtype for one in module.parameters() if one.dtype.is_floating_point)
    return next(found, torch.get_default_dtype())
