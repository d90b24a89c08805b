"""Convolutions and pooling over one, two or three spatial axes (MXNet: gluon/nn/conv_layers.py). Layout: batch, channels, space."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.errors import MXNetError
from engine.gluon.block import HybridBlock, Shape
from engine.gluon.nn.basic import Activation
from engine.ops.convolution import output_space

LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def _sizes(value: Any, axes: int, option: str) -> tuple[int, ...]:
    """A size for each spatial axis, given as one number or several."""
    sizes = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(sizes) != axes or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in sizes):
        raise ValueError(f"{option} must be a whole number or {axes} of them, got {value!r}")
    return sizes


def _check_layout(layout: str | None, axes: int) -> str:
    if layout not in (None, LAYOUTS[axes]):
        raise ValueError(f"layout {layout!r} is not supported, only {LAYOUTS[axes]!r}")
    return LAYOUTS[axes]


class _Conv(HybridBlock):
    """activation(correlate(x, W) + b), W of shape (channels, in_channels / groups, *kernel)."""

    axes: ClassVar[int]

    def __init__(
        self,
        channels: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        _check_layout(layout, self.axes)
        if channels % groups or in_channels % groups:
            raise ValueError(f"channels ({channels}) and in_channels ({in_channels}) must be multiples of groups ({groups})")
        self._channels, self._in_channels, self._groups = channels, in_channels, groups
        self._kernel = _sizes(kernel_size, self.axes, "kernel_size")
        self._stride = _sizes(strides, self.axes, "strides")
        self._pad = _sizes(padding, self.axes, "padding")
        self._dilate = _sizes(dilation, self.axes, "dilation")
        with self.name_scope():
            self.weight = self.params.get(
                "weight",
                shape=(channels, in_channels // groups, *self._kernel),
                init=weight_initializer,
                allow_deferred_init=True,
                roles=("out" if groups == 1 else f"out*{groups}", "in", *["spatial"] * self.axes),
                dtype="float32",
            )
            bias = {"shape": (channels,), "init": bias_initializer, "allow_deferred_init": True, "roles": ("out",), "dtype": "float32"}
            self.bias = self.params.get("bias", **bias) if use_bias else None
            self.act = Activation(activation, prefix=activation + "_") if activation is not None else None

    def _alias(self) -> str:
        return "conv"

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """(batch, channels, *space)."""
        if len(shape) != self.axes + 2:
            raise MXNetError(f"MXNetError: {type(self).__name__} needs an input of {self.axes + 2} axes, {LAYOUTS[self.axes]}, got {shape}")
        if shape[1] % self._groups:
            raise MXNetError(f"MXNetError: {shape[1]} input channels do not divide into {self._groups} groups")
        needed = (self._channels, shape[1] // self._groups, *self._kernel)
        if self.weight.shape[1] not in (0, needed[1]):
            provided = ",".join(str(n) for n in self.weight.shape)
            raise MXNetError(f"MXNetError: Shape inconsistent, Provided = [{provided}], inferred shape=({','.join(map(str, needed))})")
        self.weight.shape = needed
        return (shape[0], self._channels, *output_space(shape[2:], self._kernel, self._stride, self._pad, self._dilate))

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:  # type: ignore[override]
        """activation(correlate(x, W) + b)."""
        y = F.Convolution(
            x, weight, bias, kernel=self._kernel, stride=self._stride, pad=self._pad, dilate=self._dilate, num_group=self._groups
        )
        return y if self.act is None else self.act(y)

    def __repr__(self) -> str:
        shape = self.weight.shape
        ones, zeros = (1,) * self.axes, (0,) * self.axes
        parts = [f"{shape[1] or None} -> {shape[0]}", f"kernel_size={self._kernel}", f"stride={self._stride}"]
        parts += [f"padding={self._pad}"] if self._pad != zeros else []
        parts += [f"dilation={self._dilate}"] if self._dilate != ones else []
        parts += [f"groups={self._groups}"] if self._groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [str(self.act)] if self.act is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"


class Conv1D(_Conv):
    """Convolution over (batch, channels, width)."""

    axes: ClassVar[int] = 1


class Conv2D(_Conv):
    """Convolution over (batch, channels, height, width)."""

    axes: ClassVar[int] = 2


class Conv3D(_Conv):
    """Convolution over (batch, channels, depth, height, width)."""

    axes: ClassVar[int] = 3


class _Pool(HybridBlock):
    """Windows of `pool_size` at `strides` (the pool size where not given); with `ceil_mode` the last may reach beyond the padding."""

    axes: ClassVar[int]
    pool_type: ClassVar[str]
    global_pool: ClassVar[bool] = False

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._layout = _check_layout(layout, self.axes)
        self._kernel = _sizes(pool_size, self.axes, "pool_size")
        self._stride = self._kernel if strides is None else _sizes(strides, self.axes, "strides")
        self._pad = _sizes(padding, self.axes, "padding")
        self._ceil, self._count_include_pad = ceil_mode, count_include_pad

    def _alias(self) -> str:
        return "pool"

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """(batch, channels, *windows)."""
        if self.global_pool:
            return (*shape[:2], *(1,) * self.axes)
        return (*shape[:2], *output_space(shape[2:], self._kernel, self._stride, self._pad, (1,) * self.axes, self._ceil))

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # type: ignore[override]
        """The windows' maxima or means."""
        return F.Pooling(
            x,
            kernel=x.shape[2:] if self.global_pool else self._kernel,
            pool_type=self.pool_type,
            stride=(1,) * self.axes if self.global_pool else self._stride,
            pad=(0,) * self.axes if self.global_pool else self._pad,
            pooling_convention="full" if self._ceil and not self.global_pool else "valid",
            count_include_pad=self._count_include_pad,
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self._kernel}, stride={self._stride}, padding={self._pad}, ceil_mode={self._ceil}, "
            f"global_pool={self.global_pool}, pool_type={self.pool_type}, layout={self._layout})"
        )


class _MaxPool(_Pool):
    pool_type: ClassVar[str] = "max"

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, layout, ceil_mode, True, prefix, params)


class _AvgPool(_Pool):
    pool_type: ClassVar[str] = "avg"

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        layout: str | None = None,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, layout, ceil_mode, count_include_pad, prefix, params)


class _Global(_Pool):
    global_pool: ClassVar[bool] = True

    def __init__(self, layout: str | None = None, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(1, None, 0, layout, True, True, prefix, params)


def _pool(kind: str, base: type[_Pool], axes: int, what: str) -> type[_Pool]:
    """The pooling layer `<kind><axes>D`."""
    space = {1: "width", 2: "height and width", 3: "depth, height and width"}[axes]
    body = {"axes": axes, "pool_type": base.pool_type if base is not _Global else kind[6:9].lower(), "__doc__": f"{what} over {space}."}
    return type(f"{kind}{axes}D", (base,), {**body, "__module__": __name__})


MaxPool1D, MaxPool2D, MaxPool3D = (_pool("MaxPool", _MaxPool, n, "The largest element of each window") for n in (1, 2, 3))
AvgPool1D, AvgPool2D, AvgPool3D = (_pool("AvgPool", _AvgPool, n, "The mean of each window") for n in (1, 2, 3))
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = (_pool("GlobalMaxPool", _Global, n, "The largest element") for n in (1, 2, 3))
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (_pool("GlobalAvgPool", _Global, n, "The mean") for n in (1, 2, 3))
