"""Containers that run blocks in parallel, and the identity block (MXNet:
gluon/contrib/nn/basic_layers.py).
"""

from __future__ import annotations

from typing import Any

from initlab.engine import nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Block, Shape, located
from initlab.engine.gluon.flow import Chain, Parallel, Part
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.containers import HybridSequential, Sequential
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.nd import NDArray


class _Parallel(Block):
    """Base of both containers: every child receives the input; outputs are joined along `axis`."""

    axis: int

    def _outputs(self, x: Any) -> list[Any]:
        outputs = [block(x) for block in self._children.values()]
        _joined([y.shape for y in outputs], self.axis, self.name)
        return outputs

    def _shape(self, shape: Shape) -> Shape:
        shapes = []
        for name, block in self._children.items():
            with located(name):
                shapes.append(tuple(block.output_shape(shape)))
        return _joined(shapes, self.axis, self.name)

    def data_flow(self) -> Part:
        """All children, side by side."""
        return Parallel(list(self._children))


def _joined(shapes: list[Shape], axis: int, name: str) -> Shape:
    """Return the shape of outputs joined along an axis. Raises MXNetError if they cannot be joined."""
    if not shapes:
        raise MXNetError.checked(f"{name}: has no children to join - add() some")
    first = shapes[0]
    for number, shape in enumerate(shapes):
        if not -len(shape) <= axis < len(shape):
            raise MXNetError.checked(
                f"{name}: child {number} gives shape {shape}, which has no axis {axis}"
            )
        rest = [tuple(n for a, n in enumerate(s) if a != axis % len(s)) for s in (first, shape)]
        if rest[0] != rest[1]:
            raise MXNetError.checked(
                f"{name}: child 0 gives shape {first}, child {number} {shape}: only axis "
                f"{axis} may differ"
            )
    return tuple(
        sum(s[a] for s in shapes) if a == axis % len(first) else n for a, n in enumerate(first)
    )


class Concurrent(_Parallel, Sequential):
    """Apply all children to the same input and join their outputs along `axis`."""

    def __init__(
        self, axis: int = -1, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the joined outputs."""
        return nd.concat(*self._outputs(x), dim=self.axis)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the children's output shape, with the lengths of `axis` added up."""
        return self._shape(shape)

    data_flow = _Parallel.data_flow


class HybridConcurrent(_Parallel, HybridSequential):
    """Like `Concurrent`, for hybrid blocks."""

    def __init__(
        self, axis: int = -1, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def hybrid_forward(self, F: Functions, x: Any) -> Any:
        """Return the joined outputs."""
        return nd.concat(*self._outputs(x), dim=self.axis)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the children's output shape, with the lengths of `axis` added up."""
        return self._shape(shape)

    data_flow = _Parallel.data_flow


class Identity(HybridBlock):
    """Return the input unchanged."""

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """x."""
        return x

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the input."""
        return shape

    def data_flow(self) -> Part:
        """Nothing."""
        return Chain()
