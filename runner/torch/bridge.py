"""Sends the engine's arrays through a module, and gradients back.

One call of a module is one step on the engine's tape: torch differentiates what lies within. What the
modules inside are given and return is told to the hooks of their blocks, as arrays whose gradients come
from the same backward pass. Values are not changed on the way: parameters share the memory of the
engine's, and the module is as it was afterwards, but for running statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import nn

from initlab.engine import autograd, gluon, nd
from initlab.engine.errors import MXNetError
from initlab.runner.torch.body import Body
from initlab.runner.torch.memory import tensor_over
from initlab.runner.torch.modes import WithoutDropout, mode_of, restoring, seeded
from initlab.runner.torch.tape import Pass, mapped


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
    pass_ = Pass(recording)
    parameters = _bind(block, body, path, recording)
    tokens = body.gives_tokens(path)
    given = [pass_.enter(one, tokens) if isinstance(one, nd.NDArray) else one for one in args]
    with ExitStack() as stack:
        stack.enter_context(torch.set_grad_enabled(recording))
        if training:
            stack.enter_context(seeded())
            stack.enter_context(restoring(module, block))
            if not autograd.is_dropping():
                stack.enter_context(WithoutDropout())
        stack.enter_context(mode_of(module, training, autograd.is_dropping()))
        called = _Called()
        stack.enter_context(_told(block, module, pass_, called))
        try:
            result = module(*given)
        except Exception as error:
            raise called.located(error) from error
    return pass_.leave(_left(body.is_last(path), result), parameters)


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


def _left(last: bool, result: object) -> object:
    """Return what leaves a module. Of several tensors that a whole network returns, which is what the
    `last` module returns, the first is its scores.

    Raises MXNetError if a whole network returns no tensor.
    """
    plain = _plain(result)
    if not last:
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
def _told(block: gluon.Block, module: nn.Module, pass_: Pass, called: _Called) -> Iterator[None]:
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
                given, back = _arguments(args, named, pass_), mapped(_plain(result), pass_.array)
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
    args: tuple[object, ...], named: Mapping[str, object], pass_: Pass
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
        with torch.no_grad(), mode_of(module, False, False):
            return _shapes(_left(body.is_last(path), module(*inputs)))
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
