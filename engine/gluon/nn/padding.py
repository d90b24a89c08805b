"""Padding layers: MXNet's ReflectionPad2D (gluon/nn/conv_layers.py), and Pad2D with three modes."""

from __future__ import annotations

from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.conv import Sizes
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.nd import NDArray
from initlab.engine.ops import padding as op
from initlab.engine.registry import advice

MODES = {"zero": "constant", "reflect": "reflect", "circular": "wrap"}
"""Mode of the layer -> mode of the operation `pad`."""


class ReflectionPad2D(HybridBlock):
    """Pad (batch, channels, height, width) with the image mirrored at its edges.

    `padding` is the number of rows and columns on each side, or 8 numbers: before and after for
    each axis, 0 for the first two.
    """

    def __init__(
        self, padding: Sizes = 0, prefix: str | None = None, params: ParameterDict | None = None
    ) -> None:
        super().__init__(prefix, params)
        widths = (0, 0, 0, 0) + (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(widths) != 8:
            raise AssertionError(
                f"ReflectionPad2D: padding must be a number or 8 of them, 2 an axis, got {padding!r}"
            )
        if min(widths) < 0 or any(widths[:4]):
            raise ValueError(
                f"ReflectionPad2D: padding must be at least 0, and 0 for the first two axes, got {padding!r}"
            )
        self._padding = widths

    def output_shape(self, shape: Shape) -> Shape:
        """Return the padded shape. Raises MXNetError unless the padding is smaller than the image."""
        if len(shape) != 4:
            raise MXNetError.checked(
                f"{self.name}: ReflectionPad2D needs an input of 4 axes, NCHW, got shape "
                f"{tuple(shape)}"
            )
        pairs = [self._padding[2 * axis : 2 * axis + 2] for axis in range(4)]
        wrong = [axis for axis in range(4) if max(pairs[axis]) >= shape[axis]]
        if wrong:
            raise MXNetError.checked(
                f"{self.name}: reflection padding {pairs[wrong[0]]} must be smaller than axis "
                f"{wrong[0]} of the input of shape "
                f"{tuple(shape)}"
            )
        return tuple(n + sum(pair) for n, pair in zip(shape, pairs, strict=True))

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the padded images."""
        return F.pad(x, mode="reflect", pad_width=self._padding)


class Pad2D(HybridBlock):
    """Pad (batch, channels, height, width) with `width` rows and columns on each side.

    `width` is one number, or (rows, columns). `mode` fills them with zeros (`zero`), with the image
    mirrored at its edges (`reflect`), or with the opposite side of the image (`circular`). Raises
    ValueError for another mode or a negative width. Not in MXNet.
    """

    def __init__(
        self,
        width: Any,
        mode: str = "zero",
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        widths = (width, width) if isinstance(width, int) else tuple(width)
        if len(widths) != 2 or min(widths) < 0:
            raise ValueError(
                f"Pad2D: width must be a number of at least 0 or two of them, got {width!r}"
            )
        if mode not in MODES:
            raise ValueError(f"Pad2D: no mode '{mode}' - {advice(str(mode), MODES)}")
        self._widths, self._mode = widths, mode

    def output_shape(self, shape: Shape) -> Shape:
        """Return the padded shape. Raises MXNetError if the image is too small for `reflect` or
        `circular`.
        """
        if len(shape) != 4:
            raise MXNetError.checked(
                f"{self.name}: Pad2D needs an input of 4 axes, NCHW, got shape {tuple(shape)}"
            )
        for axis, width in enumerate(self._widths, 2):
            most = {"zero": width, "reflect": shape[axis] - 1, "circular": shape[axis]}[self._mode]
            if width > most:
                raise MXNetError.checked(
                    f"{self.name}: {self._mode} padding of {width} must be at most {most} for "
                    f"axis {axis} of the input of "
                    f"shape {tuple(shape)}"
                )
        return (
            *shape[:2],
            *(n + 2 * width for n, width in zip(shape[2:], self._widths, strict=True)),
        )

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the padded images."""
        self.output_shape(x.shape)
        return op.pad(
            x,
            widths=((0, 0), (0, 0), *((width, width) for width in self._widths)),
            mode=MODES[self._mode],
        )

    def __repr__(self) -> str:
        return f"Pad2D({self._widths}, {self._mode})"
