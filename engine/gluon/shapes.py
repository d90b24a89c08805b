"""The shapes that an input would give to the parameters of a network, without making it ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from initlab.engine import autograd, dtypes, nd, streams
from initlab.engine.device import Device, cpu
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Block
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.gluon.state import Pending, Ready, Source, Unset
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.init import Zero
from initlab.engine.streams import Key, Stream

NOWHERE = Key(0, "@shapes")

Shape = tuple[int, ...]


@contextmanager
def inferred(block: Block, shape: Shape) -> Iterator[Shape | None]:
    """While open, the parameters of `block` have the shapes that an input of `shape`, batch axis
    included, gives them; afterwards they are as they were. Gives the output's shape, None where the
    output is no single array.

    Shapes follow from `infer_shape`, which allocates nothing. A network with a block that does not
    define it is called once on zeros, in predict mode. Raises what these raise: MXNetError, with the
    layer's path, for an input that the network cannot take.
    """
    parameters = list({id(p): p for p in block.structural_params().values()}.values())
    before = [(p, p._shape, p._state) for p in parameters]
    try:
        try:
            output = block.infer_shape(shape)
        except (MXNetError, AssertionError):
            if not _lacks_rule(block):
                raise
            output = _called(block, parameters, shape)
        yield output if _is_shape(output) else None
    finally:
        for parameter, known, state in before:
            parameter._shape, parameter._state = known, state


def _is_shape(output: object) -> bool:
    return isinstance(output, tuple) and all(isinstance(size, int) for size in output)


def _lacks_rule(block: Block) -> bool:
    """Whether a block in it does not define `infer_shape`."""
    found: list[Block] = []
    block.apply(found.append)
    return any(type(one).infer_shape is Block.infer_shape for one in found)


def _called(block: Block, parameters: list[Parameter], shape: Shape) -> Any:
    """The output's shape, by one call on zeros: values where there are any, else zeros."""
    zero = Zero()
    device = _device_of(parameters)
    for parameter in parameters:
        if isinstance(parameter._state, Ready):
            continue
        if shape_is_known(parameter.shape):
            parameter.adopt(np.zeros(parameter.shape, dtypes.resolve(parameter.dtype)), device)
        elif isinstance(parameter._state, Unset):
            parameter._state = Pending(Source(zero, zero, NOWHERE), (device,))
    dtype = parameters[0].dtype if parameters else "float32"
    with autograd.pause(), streams.scope(Stream(NOWHERE)), np.errstate(all="ignore"):
        output = block(nd.zeros(shape, ctx=device, dtype=dtype))
    return output.shape if isinstance(output, nd.NDArray) else None


def _device_of(parameters: list[Parameter]) -> Device:
    """Where the first parameter that has values has them; the processor where none has."""
    ready = (p._state for p in parameters if isinstance(p._state, Ready))
    return next((next(iter(state.data)) for state in ready), cpu())
