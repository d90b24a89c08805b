"""Padding as a layer (MXNet: gluon/nn/conv_layers.py)."""

from __future__ import annotations

from typing import Any

from engine.errors import MXNetError
from engine.gluon.block import HybridBlock, Shape


class ReflectionPad2D(HybridBlock):
    """(batch, channels, height, width) with the reflected image around: as many rows and columns on each side, or 8 widths, 2 an axis."""

    def __init__(self, padding: Any = 0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        widths = (0, 0, 0, 0) + (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(widths) != 8:
            raise AssertionError(f"ReflectionPad2D: padding must be a number or 8 of them, 2 an axis, got {padding!r}")
        if min(widths) < 0 or any(widths[:4]):
            raise ValueError(f"ReflectionPad2D: padding must be at least 0, and 0 for the first two axes, got {padding!r}")
        self._padding = widths

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The input's with longer space. MXNetError where the padding is not smaller than the image."""
        if len(shape) != 4:
            raise MXNetError(f"MXNetError: {self.name}: ReflectionPad2D needs an input of 4 axes, NCHW, got shape {tuple(shape)}")
        pairs = [self._padding[2 * axis : 2 * axis + 2] for axis in range(4)]
        wrong = [axis for axis in range(4) if max(pairs[axis]) >= shape[axis]]
        if wrong:
            raise MXNetError(
                f"MXNetError: {self.name}: reflection padding {pairs[wrong[0]]} must be smaller than axis {wrong[0]} of the input of shape "
                f"{tuple(shape)}"
            )
        return tuple(n + sum(pair) for n, pair in zip(shape, pairs, strict=True))

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # type: ignore[override]
        """The padded images."""
        return F.pad(x, mode="reflect", pad_width=self._padding)
