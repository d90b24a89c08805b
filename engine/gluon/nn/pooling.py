"""Pooling over one, two or three spatial axes, channels first or last (MXNet:
gluon/nn/conv_layers.py).
"""

from __future__ import annotations

from typing import Any, ClassVar

from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.conv import Sizes, joined_shape, sizes_of, split_shape
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.nd import NDArray
from initlab.engine.nd.layers import FIRST, LAST
from initlab.engine.ops.windows import output_space


def _layout_of(layout: str | None, axes: int) -> str:
    """Return the layout, by default channels first. Raises AssertionError for an unknown one."""
    known = (FIRST[axes], LAST[axes])
    if layout not in (None, *known):
        raise AssertionError(
            f"Only {known[0]} and {known[1]} layouts are valid for {axes}D Pooling, got {layout!r}"
        )
    return layout or known[0]


class _Pool(HybridBlock):
    """Pool over windows of `pool_size` at distances of `strides` (by default the pool size).

    With `ceil_mode` the last window may extend beyond the padding.
    """

    axes: ClassVar[int]
    pool_type: ClassVar[str]
    global_pool: ClassVar[bool] = False

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: Sizes = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        count_include_pad: bool | None = None,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        chosen = _layout_of(layout, self.axes)
        kernel = sizes_of(pool_size, self.axes, "pool_size", 1)
        self._kwargs: dict[str, Any] = {
            "kernel": kernel,
            "stride": kernel if strides is None else sizes_of(strides, self.axes, "strides", 1),
            "pad": sizes_of(padding, self.axes, "padding"),
            "global_pool": self.global_pool,
            "pool_type": self.pool_type,
            "layout": chosen,
            "pooling_convention": "full" if ceil_mode else "valid",
        }
        if count_include_pad is not None:
            self._kwargs["count_include_pad"] = count_include_pad

    def _alias(self) -> str:
        return "pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the input's shape with the number of windows as space."""
        given = self._kwargs
        channels, space = split_shape(self, shape, self.axes, given["layout"])
        full = given["pooling_convention"] == "full"
        if self.global_pool:
            out: Shape = (1,) * self.axes
        else:
            out = output_space(
                space, given["kernel"], given["stride"], given["pad"], (1,) * self.axes, full
            )
        return joined_shape(shape[0], channels, out, given["layout"])

    def hybrid_forward(self, F: Functions, x: NDArray) -> NDArray:
        """Return the maximum or mean of each window."""
        return F.Pooling(x, **self._kwargs)

    def __repr__(self) -> str:
        given = self._kwargs
        return (
            f"{type(self).__name__}(size={given['kernel']}, stride={given['stride']}, "
            f"padding={given['pad']}, ceil_mode={given['pooling_convention'] == 'full'}, "
            f"global_pool={given['global_pool']}, pool_type={given['pool_type']}, "
            f"layout={given['layout']})"
        )


class _MaxPool(_Pool):
    pool_type: ClassVar[str] = "max"

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: Sizes = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, layout, ceil_mode, None, prefix, params)


class _AvgPool(_Pool):
    pool_type: ClassVar[str] = "avg"

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        layout: str | None = None,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            pool_size, strides, padding, layout, ceil_mode, count_include_pad, prefix, params
        )


class _Global(_Pool):
    global_pool: ClassVar[bool] = True

    def __init__(
        self,
        layout: str | None = None,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(1, None, 0, layout, True, None, prefix, params)


def _pool(
    kind: str, base: type[_Pool], axes: int, what: str, pool_type: str | None = None
) -> type[_Pool]:
    """Create the pooling layer class `<kind><axes>D`."""
    space = {1: "width", 2: "height and width", 3: "depth, height and width"}[axes]
    body = {
        "axes": axes,
        "pool_type": pool_type or base.pool_type,
        "__doc__": f"{what} over {space}.",
        "__module__": __name__,
    }
    return type(f"{kind}{axes}D", (base,), body)


MaxPool1D, MaxPool2D = (
    _pool("MaxPool", _MaxPool, n, "The largest element of each window") for n in (1, 2)
)
AvgPool2D, AvgPool3D = (_pool("AvgPool", _AvgPool, n, "The mean of each window") for n in (2, 3))
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = (
    _pool("GlobalMaxPool", _Global, n, "The largest element", "max") for n in (1, 2, 3)
)
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    _pool("GlobalAvgPool", _Global, n, "The mean", "avg") for n in (1, 2, 3)
)


class MaxPool3D(_MaxPool):
    """The maximum of each window over depth, height and width.

    As in MXNet, `ceil_mode` comes before `layout` in the signature.
    """

    axes: ClassVar[int] = 3

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        layout: str | None = None,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, layout, ceil_mode, prefix, params)


class AvgPool1D(_AvgPool):
    """The mean of each window over width.

    As in MXNet, `layout` comes before `ceil_mode` in the signature.
    """

    axes: ClassVar[int] = 1

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: Sizes = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            pool_size, strides, padding, ceil_mode, layout, count_include_pad, prefix, params
        )
