"""In which order data passes the layers of a module, found by sending one batch through it.

So initializers that go by the structure of a network (which layers end a residual branch, how many
there are) work for modules whose `forward` is code. What is found is said in the language of
`initlab.engine.gluon.flow`. A module on meta computes nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from initlab.engine.gluon.flow import (
    Branch,
    Chain,
    Factor,
    Function,
    Layer,
    Offset,
    Parallel,
    Part,
    Sine,
)

Steps: TypeAlias = tuple[Part, ...]
"""The parts from what enters a module to a tensor, in order."""
ADDING = {"add", "add_", "__add__", "__radd__", "__iadd__"}
SCALING = {"mul", "mul_", "__mul__", "__rmul__", "__imul__"}
SINES = {"sin", "sin_"}
ALIKE = {
    "view",
    "reshape",
    "flatten",
    "unflatten",
    "transpose",
    "permute",
    "contiguous",
    "to",
    "type_as",
    "float",
    "half",
    "unsqueeze",
    "squeeze",
    "expand",
    "clone",
    "detach",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "movedim",
    "t",
    "__getitem__",
    "size",
    "view_as",
    "expand_as",
}
"""Functions that change no value, or not on average."""


@dataclass(eq=False)
class _Frame:
    """A call of a module: the steps to each tensor that depends on what entered."""

    path: str
    module: nn.Module
    steps: dict[int, Steps] = field(default_factory=dict)
    apart: set[int] = field(default_factory=set)
    """Tensors that layers inside made of something that did not enter, like positions."""
    kept: list[torch.Tensor] = field(default_factory=list)
    """So that no other tensor gets the number of one."""

    def note(self, tensor: torch.Tensor, steps: Steps, apart: bool = False) -> None:
        """Say which steps lead to a tensor."""
        self.steps[id(tensor)] = steps
        self.kept.append(tensor)
        (self.apart.add if apart else self.apart.discard)(id(tensor))


def flows_of(module: nn.Module, inputs: Sequence[torch.Tensor]) -> dict[str, Part]:
    """Return {path: its flow} of the modules that hold others and are called for these inputs, and of
    attention and recurrent layers.

    A module whose output does not depend on what enters it has none. Raises what the module raises.
    """
    traced = _Trace(module)
    before = [(one, one.training) for one in module.modules()]
    handles = [
        handle
        for path, part in module.named_modules()
        for handle in (
            part.register_forward_pre_hook(traced.begins(path), with_kwargs=True),
            part.register_forward_hook(traced.ends(path), with_kwargs=True),
        )
    ]
    module.eval()
    try:
        with torch.no_grad(), traced:
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for one, mode in before:
            one.training = mode
    return traced.found


class _Trace(TorchFunctionMode):
    """Follows the tensors of one call."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.found: dict[str, Part] = {}
        self._frames: list[_Frame] = []
        self._paths = {id(part): path for path, part in reversed(list(module.named_modules()))}

    def begins(self, path: str):  # type: ignore[no-untyped-def]
        """Return the hook for the begin of a call of the module at a path."""

        def hook(part: nn.Module, args: object, named: object) -> None:
            frame = _Frame(path, part)
            for tensor in _tensors((args, named)):
                frame.note(tensor, ())
            self._frames.append(frame)

        return hook

    def ends(self, path: str):  # type: ignore[no-untyped-def]
        """Return the hook for the end of such a call."""

        def hook(part: nn.Module, args: object, named: object, result: object) -> None:
            frame = self._frames.pop()
            left = list(_tensors(result))
            known = next((frame.steps[id(one)] for one in left if id(one) in frame.steps), None)
            flow = _special(part) or (None if known is None else Chain(known))
            if flow is not None and (_special(part) or any(part.children())):
                self.found.setdefault(path, flow)
            if self._frames:
                self._leave(self._frames[-1], path, list(_tensors((args, named))), left)

        return hook

    def _leave(
        self,
        outer: _Frame,
        path: str,
        given: Sequence[torch.Tensor],
        left: Sequence[torch.Tensor],
    ) -> None:
        """Note, in the call around it, that a module was called."""
        start = f"{outer.path}." if outer.path else ""
        if not path.startswith(start):
            return  # a module that another part holds
        name = path.removeprefix(start)
        known = [one for one in given if id(one) in outer.steps]
        for tensor in left:
            if known:
                steps = (*_joined([outer.steps[id(one)] for one in known]), name)
                outer.note(tensor, steps, all(id(one) in outer.apart for one in known))
            else:
                outer.note(tensor, (name,), True)

    def __torch_function__(  # type: ignore[no-untyped-def]
        self, func, types, args=(), kwargs=None
    ):
        """Compute, and note where the results come from."""
        result = func(*args, **(kwargs or {}))
        if self._frames:
            self._computed(self._frames[-1], getattr(func, "__name__", ""), (args, kwargs), result)
        return result

    def _computed(self, frame: _Frame, name: str, given: object, result: object) -> None:
        tensors = list(_tensors(given))
        known = list({id(one): one for one in tensors if id(one) in frame.steps}.values())
        left = list(_tensors(result))
        if not known or not left or (left[0] is known[0] and name in ALIKE):
            return
        own = {id(p): key for key, p in frame.module._parameters.items()}
        names = [own[id(one)] for one in tensors if id(one) in own]
        wide = [key for key in names if frame.module._parameters[key].dim() > 1]
        many = [frame.steps[id(one)] for one in known]
        apart = all(id(one) in frame.apart for one in known)
        if name in ADDING and len(known) == 2:
            steps = _sum(frame.module, many, [id(one) in frame.apart for one in known])
        else:
            steps = _joined(many)
            if name in ADDING and names:
                steps = (*steps, Offset(tuple(names)))
            elif wide:
                steps = (*steps, Layer(tuple(names)))
            elif name in SCALING and len(tensors) == 1:
                steps = (*steps, Factor(_number(given)))
            elif name in SINES:
                steps = (*steps, Sine())
            elif name not in ALIKE:
                steps = (*steps, Function())
        for tensor in left:
            frame.note(tensor, steps, apart)


def _tensors(value: object) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested lists, tuples and mappings."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)


def _number(given: object) -> float:
    args, _ = given if isinstance(given, tuple) else ((), None)
    found = next((one for one in args if isinstance(one, int | float)), 1.0)
    return float(found)


def _prefix(many: Sequence[Steps]) -> int:
    """Return how many first steps all have in common."""
    count = 0
    for steps in zip(*many, strict=False):
        if any(one is not steps[0] for one in steps):
            break
        count += 1
    return count


def _joined(many: Sequence[Steps]) -> Steps:
    """Return the steps to what several tensors are joined to."""
    distinct = list({tuple(map(id, steps)): steps for steps in many}.values())
    common = _prefix(distinct)
    rests = [steps[common:] for steps in distinct]
    if len(rests) < 2:
        return distinct[0]
    return (*distinct[0][:common], Parallel([Chain(rest) for rest in rests]))


def _sum(module: nn.Module, both: Sequence[Steps], apart: Sequence[bool]) -> Steps:
    """Return the steps to a sum of two tensors: a residual connection, if more weights lead to one of
    them than to the other and both come from what entered.
    """
    common = _prefix(both)
    rests = [steps[common:] for steps in both]
    counts = [_weights(module, rest) for rest in rests]
    if any(apart) or counts[0] == counts[1]:
        return _joined(both)
    short, long = rests if counts[0] < counts[1] else rests[::-1]
    return (*both[0][:common], Branch(Chain(long), Chain(short) if short else None))


def _weights(module: nn.Module, parts: Sequence[Part]) -> int:
    """Return how many parameters of two axes or more the parts have."""
    count = 0
    for part in parts:
        match part:
            case str():
                count += sum(p.dim() > 1 for p in module.get_submodule(part).parameters())
            case Layer(names):
                count += len(names)
            case Chain(inner) | Parallel(inner):
                count += _weights(module, inner)
            case Branch(body, shortcut):
                count += _weights(module, [body, *([] if shortcut is None else [shortcut])])
    return count


def _special(part: nn.Module) -> Part | None:
    """Return the flow of layers of torch that compute with several weights of their own."""
    if isinstance(part, nn.MultiheadAttention):
        names = [
            name for name in part._parameters if name.startswith(("in_proj", "q_", "k_", "v_"))
        ]
        own = [name for name in names if part._parameters[name] is not None]
        return Chain([Layer(own, packs=("queries", "keys", "values")), "out_proj"])
    if isinstance(part, nn.RNNBase):
        names = [name for name, _ in part.named_parameters(recurse=False)]
        layers = [
            [n for n in names if n.split("_l")[1].split("_")[0] == str(k)]
            for k in range(part.num_layers)
        ]
        return Chain([Layer(own, inner=[n for n in own if "_ih_" not in n]) for own in layers])
    return None
