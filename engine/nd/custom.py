"""Operators written in Python with a gradient of their own (MXNet: `mx.operator`, `nd.Custom`).

A class derived from `CustomOpProp` is registered under a name and describes the operator; its
`create_operator` makes a `CustomOp`, which computes. `nd.Custom(*arrays, op_type=name)` runs it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from initlab.engine import autograd
from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import zeros
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array

Shapes = Sequence[Sequence[int]]
P = TypeVar("P", bound="type[CustomOpProp]")


class CustomOp:
    """What computes: `forward` and `backward` write into the arrays that they are given."""

    def forward(
        self,
        is_train: bool,
        req: list[str],
        in_data: list[NDArray],
        out_data: list[NDArray],
        aux: list[NDArray],
    ) -> None:
        """Write the results into `out_data` with `assign`."""
        raise NotImplementedError

    def backward(
        self,
        req: list[str],
        out_grad: list[NDArray],
        in_data: list[NDArray],
        out_data: list[NDArray],
        in_grad: list[NDArray],
        aux: list[NDArray],
    ) -> None:
        """Write the gradients of the inputs into `in_grad`; what is not written is 0."""

    def assign(self, dst: NDArray, req: str, src: Any) -> None:
        """Write `src` into `dst` for `write` and `inplace`, add it for `add`, nothing for `null`."""
        if req in ("write", "inplace"):
            dst[:] = src
        elif req == "add":
            dst[:] += src


class CustomOpProp:
    """The description of an operator: names, shapes and dtypes of its arrays."""

    def __init__(self, need_top_grad: bool = True) -> None:
        self.need_top_grad_ = need_top_grad

    def infer_shape(self, in_shape: list[Any]) -> Sequence[Shapes]:
        """Return the shapes of inputs, of outputs, and of auxiliary states (which may be left out)."""
        return in_shape, (in_shape[0],) * len(self.list_outputs()), ()

    def infer_type(self, in_type: list[Any]) -> Sequence[Sequence[Any]]:
        """Return the dtypes of inputs, outputs and auxiliary states."""
        states = len(self.list_auxiliary_states())
        return in_type, [in_type[0]] * len(self.list_outputs()), [in_type[0]] * states

    def list_outputs(self) -> list[str]:
        """Return the names of the outputs."""
        return ["output"]

    def list_arguments(self) -> list[str]:
        """Return the names of the inputs."""
        return ["data"]

    def list_auxiliary_states(self) -> list[str]:
        """Return the names of the arrays that the operator reads and changes, after the inputs."""
        return []

    def declare_backward_dependency(
        self, out_grad: Sequence[int], in_data: Sequence[int], out_data: Sequence[int]
    ) -> list[int]:
        """Return what `backward` reads. It has no effect here: everything is kept."""
        return [*(out_grad if self.need_top_grad_ else ()), *in_data, *out_data]

    def create_operator(self, ctx: Any, in_shapes: Shapes, in_dtypes: Sequence[Any]) -> CustomOp:
        """Return the operator for inputs of these shapes and dtypes on the device `ctx`."""
        return CustomOp()


_registered: dict[str, Callable[..., CustomOpProp]] = {}


def register(reg_name: str) -> Callable[[P], P]:
    """Register a class derived from CustomOpProp under the name that `nd.Custom` takes.

    A later class of the same name replaces the earlier one. Raises TypeError for another class.
    """

    def registered(prop: P) -> P:
        if not issubclass(prop, CustomOpProp):
            raise TypeError(f"register({reg_name!r}): {prop!r} is not derived from CustomOpProp")
        _registered[reg_name] = prop
        return prop

    return registered


class _Run(autograd.Function):
    """One call: the operator with the number of its states and the shapes and dtypes it gives."""

    def __init__(self, op: CustomOp, states: list[NDArray], results: list[tuple[Any, Any]]) -> None:
        super().__init__()
        self.op, self.states, self.results = op, states, results
        self.training = autograd.is_training()

    def forward(self, *inputs: NDArray) -> Any:
        outputs = [zeros(s, ctx=inputs[0].context, dtype=d) for s, d in self.results]
        requests = ["write"] * len(outputs)
        self.op.forward(self.training, requests, [*inputs], outputs, self.states)
        self.save_for_backward([*inputs], outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def backward(self, *output_grads: NDArray) -> Any:
        inputs, outputs = self.saved_tensors
        grads = [zeros(x.shape, ctx=x.context, dtype=x.dtype) for x in inputs]
        requests = ["write"] * len(grads)
        self.op.backward(requests, [*output_grads], inputs, outputs, grads, self.states)
        return grads[0] if len(grads) == 1 else grads


def Custom(*data: NDArray, op_type: str, name: str | None = None, **options: Any) -> Any:
    """Run the operator that is registered as `op_type` on arrays: its inputs, then its states.

    Arrays may also be given by the names of `list_arguments`. Other options reach the constructor
    of the CustomOpProp as text, as in MXNet. Raises MXNetError for a name that is not registered,
    and for another number of arrays than the operator takes.
    """
    if op_type not in _registered:
        near = difflib.get_close_matches(op_type, _registered, n=1)
        hint = f" - did you mean {near[0]}?" if near else " - register it: @mx.operator.register"
        raise MXNetError(f"Custom: no operator is registered as {op_type!r}{hint}")
    named = {key: value for key, value in options.items() if isinstance(value, NDArray)}
    prop = _registered[op_type](
        **{key: str(value) for key, value in options.items() if key not in named}
    )
    wanted = [*prop.list_arguments(), *prop.list_auxiliary_states()]
    arrays = [*data, *(named.pop(key) for key in wanted[len(data) :] if key in named)]
    if named or len(arrays) != len(wanted):
        raise MXNetError(
            f"Custom: {op_type} takes the arrays {', '.join(wanted)}, got {len(data)} by position"
            f"{''.join(f' and {key}' for key in named)}"
        )
    for key, value in zip(wanted, arrays, strict=True):
        check_array(value, key)
    count = len(prop.list_arguments())
    inputs, states = arrays[:count], arrays[count:]
    shapes = prop.infer_shape([list(x.shape) for x in inputs])[1]
    dtypes = prop.infer_type([np.dtype(x.dtype).type for x in inputs])[1]
    op = prop.create_operator(inputs[0].context, [list(x.shape) for x in inputs], dtypes)
    results = [(tuple(s), d) for s, d in zip(shapes, dtypes, strict=True)]
    return _Run(op, states, results)(*inputs)
