"""Inference of the parameters' shapes from the shape of an input, without initializing a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from initlab.engine import autograd, dtypes, nd, streams
from initlab.engine.device import Device, cpu
from initlab.engine.errors import ShapeRuleError
from initlab.engine.gluon.block import Block
from initlab.engine.gluon.hybrid_block import NOWHERE
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.gluon.state import Pending, Ready, Source, Unset
from initlab.engine.gluon.utils import shape_is_known
from initlab.engine.init import Zero
from initlab.engine.streams import Stream

Shape = tuple[int, ...]


@contextmanager
def inferred(block: Block, shape: Shape) -> Iterator[Shape | None]:
    """Give the parameters of `block` the shapes that follow from an input of `shape`, inside a
    `with`.

    `shape` includes the batch axis. Yields the output's shape, or None if the output is not a
    single array. At exit, the parameters are as they were before. Shapes come from `output_shape`,
    which allocates nothing; if a block does not define it, the network is called once on zeros, in
    predict mode. Raises MXNetError, with the layer's path, if the network cannot take the input.
    """
    parameters = list({id(p): p for p in block.structural_params().values()}.values())
    before = [(p, p._shape, p._state) for p in parameters]
    try:
        try:
            output = block.output_shape(shape)
        except ShapeRuleError:
            output = _called(block, parameters, shape)
        yield output if _is_shape(output) else None
    finally:
        for parameter, known, state in before:
            parameter._shape, parameter._state = known, state


def _is_shape(output: object) -> bool:
    return isinstance(output, tuple) and all(isinstance(size, int) for size in output)


def _called(block: Block, parameters: list[Parameter], shape: Shape) -> Any:
    """Return the output's shape from one call on zeros; parameters without values are zeros, too."""
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
    """Return the device of the first parameter that has values, or the CPU if none has."""
    ready = (p._state for p in parameters if isinstance(p._state, Ready))
    return next((next(iter(state.data)) for state in ready), cpu())
