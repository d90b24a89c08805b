"""The arrays that stand for the tensors of one call of a module, and their steps on the engine's tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from initlab.engine import nd
from initlab.engine.device import cpu
from initlab.engine.errors import MXNetError
from initlab.engine.tape import Leaf, Node, live_node
from initlab.runner.torch.memory import array_over, tensor_over

NAME = "torch"
"""The name of a module's step on the tape."""
TWICE = "the gradient of a torch module cannot be differentiated again"


@dataclass
class _Kept:
    """A tensor that was seen, with the array that stands for it."""

    tensor: torch.Tensor
    version: int
    array: nd.NDArray
    edge: GradientEdge | None


class Pass:
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
        arrays = mapped(result, lambda one: self._leaving(one, tensors))
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


def mapped(result: object, change: Callable[[torch.Tensor], nd.NDArray]) -> object:
    """Return a result with arrays in place of its tensors, in lists and tuples too."""
    if isinstance(result, torch.Tensor):
        return change(result)
    if isinstance(result, list | tuple):
        return [mapped(one, change) for one in result]
    return result
