"""Pixel shuffle: channels rearranged into space, for sub-pixel upsampling (Shi et al. 2016).

Source: MXNet's gluon/contrib/nn/basic_layers.py.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.nd import NDArray


class _PixelShuffle(HybridBlock):
    """(batch, factors * channels, *space) -> (batch, channels, *(space * factors))."""

    axes: ClassVar[int]

    def __init__(self, factor: Any) -> None:
        super().__init__()
        factors = (factor,) * self.axes if isinstance(factor, int) else tuple(factor)
        if len(factors) != self.axes:
            raise AssertionError(
                f"wrong length {len(factors)} of factor {factor!r}: one number or {self.axes} are needed"
            )
        if min(factors) < 1:
            raise ValueError(f"{type(self).__name__}: factor must be at least 1, got {factor!r}")
        self._factors = factors

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times longer each axis of space becomes."""
        return self._factors

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape. Raises MXNetError if the channels are not divisible by the
        factors.
        """
        block = math.prod(self._factors)
        if len(shape) != self.axes + 2 or shape[1] % block:
            raise MXNetError.checked(
                f"{self.name}: {type(self).__name__} needs an input of {self.axes + 2} axes "
                "whose axis 1 is a multiple of "
                f"{block}, got shape {tuple(shape)}"
            )
        return (
            shape[0],
            shape[1] // block,
            *(n * f for n, f in zip(shape[2:], self._factors, strict=True)),
        )

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Rearrange the channels of x into space."""
        wanted, n = self.output_shape(x.shape), self.axes
        apart = x.reshape((wanted[0], wanted[1], *self._factors, *x.shape[2:]))
        order = (0, 1, *(a for i in range(n) for a in (2 + n + i, 2 + i)))
        return apart.transpose(order).reshape(wanted)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._factors[0] if self.axes == 1 else self._factors})"


class PixelShuffle1D(_PixelShuffle):
    """(batch, f channels, width) -> (batch, channels, f width)."""

    axes: ClassVar[int] = 1


class PixelShuffle2D(_PixelShuffle):
    """(batch, f1 f2 channels, height, width) -> (batch, channels, f1 height, f2 width)."""

    axes: ClassVar[int] = 2


class PixelShuffle3D(_PixelShuffle):
    """(batch, f1 f2 f3 channels, depth, height, width) -> (batch, channels, f1 depth, f2 height, f3
    width).
    """

    axes: ClassVar[int] = 3
