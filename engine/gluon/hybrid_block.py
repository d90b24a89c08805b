"""HybridBlock, the base class of layers that compute in `hybrid_forward(F, x, **params)` (MXNet:
`gluon.HybridBlock`), and how the shapes of its parameters are inferred from a first input.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, cast

import numpy as np

from initlab.engine import autograd, nd, streams
from initlab.engine.device import Device, cpu
from initlab.engine.errors import DeferredInitializationError, MXNetError, ShapeRuleError
from initlab.engine.gluon.block import Block, Shape
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import Pending, Ready
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.nd import NDArray
from initlab.engine.nd.unknown import Unknown, inferring, is_inferring
from initlab.engine.streams import Key, Stream

NOWHERE = Key(0, "@shapes")
"""The key of the stream that drawing uses while shapes are inferred."""
_log = logging.getLogger(__name__)


class Functions(Protocol):
    """The argument F of `hybrid_forward`: the functions of `nd`, by name."""

    def __getattr__(self, name: str) -> Callable[..., NDArray]: ...


class HybridBlock(Block):
    """A block that computes in `hybrid_forward(F, x, **params)`.

    F is `nd`, and the block's own parameters are passed as arrays by name.
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        self._active = False
        super().__init__(prefix, params)

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Add a hybrid block as a child, like `Block.register_child`. Raises ValueError for another
        block.
        """
        if not isinstance(block, HybridBlock):
            raise ValueError(
                f"Children of HybridBlock must also be HybridBlock, but {block} has type {type(block)}. If "
                "you are using Sequential, "
                "please try HybridSequential instead."
            )
        super().register_child(block, name)

    def hybridize(self, active: bool = True, **kwargs: object) -> None:
        """Store the flag `active`; it does not change the computation."""
        self._active = active
        super().hybridize(active, **kwargs)

    def forward(self, x: Any, *args: Any) -> Any:
        """Call `hybrid_forward` with the parameters' arrays on the device of the input.

        The inputs may be nested lists; the first array among them decides about the device. The
        first call initializes parameters whose initialization was deferred. Raises ValueError if
        there is no NDArray among the inputs or a shape cannot be inferred.
        """
        first = x if isinstance(x, NDArray) else next(arrays_in((x, *args)), None)
        if first is None:
            raise ValueError(
                "In HybridBlock, there must be one NDArray or one Symbol in the input. Please check the "
                "type of the args."
            )
        device = first.context
        with device:
            if is_inferring():
                return self._computed_unknown(device, x, *args)
            try:
                given = self._own_arrays(device)
            except DeferredInitializationError:
                self._complete(x, *args)
                given = self._own_arrays(device)
            return self.hybrid_forward(cast(Functions, nd), x, *args, **given)

    def _own_arrays(self, device: Device) -> dict[str, NDArray]:
        return {name: parameter.data(device) for name, parameter in self._reg_params.items()}

    def infer_shape(self, *args: Any) -> None:
        """Set the unknown shapes of all parameters, as a first call with these inputs would (MXNet:
        `HybridBlock.infer_shape`).

        They follow from `output_shape`, or, where a block does not define it, from its computation,
        which runs once with arrays of zeros for the pending parameters; nothing is recorded or
        drawn. A subclass may override it, to set the shapes of its own parameters from the inputs.
        Raises MXNetError if a shape does not follow or does not fit, and TypeError if there is no
        array among the inputs.
        """
        first = next(arrays_in(args), None)
        if first is None:
            raise TypeError(
                f"{type(self).__name__}.infer_shape takes the inputs, as arrays - output_shape takes shapes"
            )
        with suppress(ShapeRuleError):
            if self._has_rule():
                self.output_shape(*(arg.shape for arg in args if isinstance(arg, NDArray)))
                return
        with _trial(), first.context:
            self._with_unknown(first.context, *_copied(args))

    def _has_rule(self) -> bool:
        """Return whether the class says how the output's shape follows from the input's."""
        return type(self).output_shape is not HybridBlock._no_shape

    def _no_shape(self, *shapes: Shape) -> Any:
        """Set the parameters' unknown shapes from the shapes of the inputs; return the output's
        shape, or a list of several.

        A block that does not define it is called once, on zeros. Raises ShapeRuleError if it cannot
        be called so.
        """
        ready = [p for p in self._reg_params.values() if isinstance(p._state, Ready)]
        device = ready[0].list_ctx()[0] if ready else cpu()
        dtype = next((p.dtype for p in self._reg_params.values()), "float32")
        try:
            with _trial(), device:
                zeros = [nd.zeros(shape, ctx=device, dtype=dtype) for shape in shapes]
                return _shapes_of(self._with_unknown(device, *zeros))
        except (NotImplementedError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ShapeRuleError(
                f"block '{self.name}' ({type(self).__name__}) does not say how its output's shape follows "
                f"from its input's, and cannot be called on zeros of shape "
                f"{' and '.join(map(str, shapes))} - define output_shape(self, shape), which gives the "
                f"output's shape ({type(error).__name__}: {error})"
            ) from error

    output_shape: Callable[..., Any] = _no_shape

    def _computed_unknown(self, device: Device, *args: Any) -> Any:
        """Set the shapes of the pending parameters of this block, within another one's inference, and
        return the output for zeros.
        """
        if any(not isinstance(p._state, Ready) for p in self._reg_params.values()):
            if type(self).infer_shape is not HybridBlock.infer_shape:
                self.infer_shape(*args)
            elif self._has_rule():
                with suppress(ShapeRuleError):
                    self.output_shape(*(arg.shape for arg in args if isinstance(arg, NDArray)))
        return self._with_unknown(device, *args)

    def _with_unknown(self, device: Device, *args: Any) -> Any:
        """Return the output with stand-ins for the pending parameters, and store their shapes."""
        given: dict[str, NDArray] = {
            name: parameter.data(device)
            if isinstance(parameter._state, Ready)
            else Unknown(parameter.name, parameter.shape, parameter.dtype, device)
            for name, parameter in self._reg_params.items()
        }
        output = self.hybrid_forward(cast(Functions, nd), *args, **given)
        for name, array in given.items():
            if isinstance(array, Unknown) and array.partial is not None:
                self._reg_params[name].shape = array.partial
        return output

    def _complete(self, *args: object) -> None:
        """Infer shapes from these inputs and fill the pending parameters."""
        self._deferred_infer_shape(*args)
        for parameter in self._reg_params.values():
            parameter._finish_deferred_init()

    def _deferred_infer_shape(self, *args: object) -> None:
        """Infer the shapes of pending parameters from these inputs, as a first call does.

        If a shape cannot be inferred, the shapes of the inputs are logged, as MXNet does, and
        ValueError is raised.
        """
        try:
            self.infer_shape(*args)
            for parameter in self._reg_params.values():
                if isinstance(parameter._state, Pending) and not shape_is_known(parameter.shape):
                    raise MXNetError(
                        f"the shape {parameter.shape} of '{parameter.name}' does not follow from the "
                        "inputs - give the parameter its shape"
                    )
        except (MXNetError, AssertionError, ValueError, TypeError) as error:
            shapes = [array.shape for array in arrays_in(args)]
            names = ["data"] if len(shapes) == 1 else [f"data{i}" for i in range(len(shapes))]
            inputs = "".join(
                f"\n  {name}: {shape}" for name, shape in zip(names, shapes, strict=True)
            )
            _log.warning("infer_shape error. Arguments:%s", inputs)
            failed: Any = ValueError(
                f"Deferred initialization failed because shape cannot be inferred. {error}"
            )
            failed.path = ""
            raise failed from error

    def _clear_cached_op(self) -> None:
        """Do nothing: there is no compiled graph. Subclasses written for MXNet call it."""

    def _no_hybrid_forward(self, F: Functions, x: NDArray, *args: Any, **kwargs: NDArray) -> Any:
        """Compute the output with the functions of `F`. A subclass must define it."""
        raise NotImplementedError

    hybrid_forward: Callable[..., Any] = _no_hybrid_forward


@contextmanager
def _trial() -> Iterator[None]:
    """Infer shapes inside a `with`; nothing is recorded, and drawing changes no stream."""
    with inferring(), autograd.pause(), streams.scope(Stream(NOWHERE)), np.errstate(all="ignore"):
        yield


def _copied(value: Any) -> Any:
    """Return nested lists with copies of their arrays, so that a computation that changes its inputs
    in place does so only once.
    """
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in value]
    return value.copy() if type(value) is NDArray else value


def _shapes_of(output: Any) -> Any:
    """Return the shape of an array; of a list of outputs, a list of their shapes."""
    if isinstance(output, (list, tuple)):
        return [_shapes_of(part) for part in output]
    return output.shape


def arrays_in(value: object) -> Iterator[NDArray]:
    """Yield the arrays in nested lists and tuples, from the left."""
    if isinstance(value, NDArray):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_in(item)
