"""Convolutions and their transposes over one, two or three spatial axes (MXNet:
gluon/nn/conv_layers.py).

The layout is batch, channels, space by default; NWC, NHWC and NDHWC put the channels last, in the
weight too (out, *kernel, in).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.flow import Chain, Layer, Part
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn.basic import Activation
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.nd.layers import FIRST, LAST
from initlab.engine.ops.convolution import transposed_space
from initlab.engine.ops.windows import output_space

T = TypeVar("T")
Sizes: TypeAlias = int | Sequence[int]
"""One number for every spatial axis, or one for each."""


def sizes_of(value: Sizes, axes: int, option: str, least: int = 0) -> tuple[int, ...]:
    """Return one size for each spatial axis, given as one number or as several.

    Raises AssertionError for another count, and ValueError unless the sizes are whole numbers >=
    `least`.
    """
    sizes = (
        (value,) * axes
        if isinstance(value, int)
        else tuple(value)
        if isinstance(value, (tuple, list))
        else ()
    )
    if len(sizes) != axes:
        raise AssertionError(f"{option} must be a number or a list of {axes} ints, got {value!r}")
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= least for n in sizes):
        raise ValueError(f"{option} must be whole numbers of at least {least}, got {value!r}")
    return sizes


def split_shape(layer: HybridBlock, shape: Shape, axes: int, layout: str) -> tuple[int, Shape]:
    """Return (channels, space) of an input's shape. Raises MXNetError for another number of axes."""
    if len(shape) != axes + 2:
        raise MXNetError.checked(
            f"{layer.name}: {type(layer).__name__} needs an input of {axes + 2} axes, "
            f"{layout}, got shape {tuple(shape)}"
        )
    return (shape[-1], tuple(shape[1:-1])) if layout == LAST[axes] else (shape[1], tuple(shape[2:]))


def joined_shape(batch: int, channels: int, space: Shape, layout: str) -> Shape:
    """Return the output's shape in a layout."""
    return (batch, *space, channels) if layout == LAST[len(space)] else (batch, channels, *space)


class _Convolution(HybridBlock):
    """Base of convolutions and their transposes."""

    axes: ClassVar[int]
    _op_name: ClassVar[str]

    def __init__(
        self,
        channels: int,
        kernel_size: Sizes,
        strides: Sizes,
        padding: Sizes,
        output_padding: Sizes | None,
        dilation: Sizes,
        groups: int,
        layout: str | None,
        activation: str | None,
        use_bias: bool,
        weight_initializer: InitLike,
        bias_initializer: InitLike,
        in_channels: int,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        known = (FIRST[self.axes], LAST[self.axes])
        if layout not in (None, *known):
            raise AssertionError(
                f"Only supports '{known[0]}' and '{known[1]}' layout for now, got {layout!r}"
            )
        if groups < 1 or channels % groups or in_channels % groups:
            raise ValueError(
                f"channels ({channels}) and in_channels ({in_channels}) must be multiples of groups "
                f"({groups})"
            )
        self._channels, self._in_channels = channels, in_channels
        # Code for MXNet changes these after construction, so they are kept nowhere else.
        self._kwargs: dict[str, Any] = {
            "kernel": sizes_of(kernel_size, self.axes, "kernel_size", 1),
            "stride": sizes_of(strides, self.axes, "strides", 1),
            "dilate": sizes_of(dilation, self.axes, "dilation", 1),
            "pad": sizes_of(padding, self.axes, "padding"),
            "num_filter": channels,
            "num_group": groups,
            "no_bias": not use_bias,
            "layout": layout or known[0],
        }
        if output_padding is not None:
            self.outpad = sizes_of(output_padding, self.axes, "output_padding")
            self._kwargs["adj"] = self.outpad
        first, second = self._weight_roles()
        with self.name_scope():
            self.weight = self.params.get(
                "weight",
                shape=self._weight_shape(in_channels),
                init=weight_initializer,
                allow_deferred_init=True,
                roles=self._arranged(first, second, ("spatial",) * self.axes),
                dtype="float32",
            )
            bias = {
                "shape": (channels,),
                "init": bias_initializer,
                "allow_deferred_init": True,
                "roles": ("out",),
                "dtype": "float32",
            }
            self.bias = self.params.get("bias", **bias) if use_bias else None
            self.act = (
                Activation(activation, prefix=activation + "_") if activation is not None else None
            )

    def _alias(self) -> str:
        return "conv"

    def _weight_roles(self) -> tuple[str, str]:
        """Return the roles of the weight's first axis and of its channel axis."""
        raise NotImplementedError

    def _weight_extents(self, channels: int) -> tuple[int, int]:
        """Return the lengths of the weight's first axis and of its channel axis, for `channels`
        inputs.
        """
        raise NotImplementedError

    def _output_space(self, space: Shape) -> Shape:
        raise NotImplementedError

    def _arranged(self, first: T, second: T, spatial: tuple[T, ...]) -> tuple[T, ...]:
        return (
            (first, *spatial, second)
            if self._kwargs["layout"] == LAST[self.axes]
            else (first, second, *spatial)
        )

    def _weight_shape(self, channels: int) -> Shape:
        return self._arranged(*self._weight_extents(channels), self._kwargs["kernel"])

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape.

        Raises MXNetError if the channels are not divisible by `groups` or do not fit the weight.
        """
        channels, space = split_shape(self, shape, self.axes, self._kwargs["layout"])
        if channels % self._kwargs["num_group"]:
            raise MXNetError.checked(
                f"{self.name}: {channels} input channels do not divide into {self._kwargs['num_group']} "
                f"groups (input {tuple(shape)})"
            )
        needed, known = self._weight_shape(channels), tuple(self.weight.shape)
        wrong = [
            axis for axis, (a, b) in enumerate(zip(known, needed, strict=True)) if a not in (0, b)
        ]
        if wrong:
            provided, inferred = (",".join(str(n) for n in s) for s in (known, needed))
            raise MXNetError.checked(
                f"Error in operator {self.name}_fwd: Shape inconsistent, Provided = "
                f"[{provided}], inferred shape=({inferred}): "
                f"axis {wrong[0]} of the weight, for an input of shape {tuple(shape)}"
            )
        self.weight.shape = needed
        return joined_shape(
            shape[0], self._channels, self._output_space(space), self._kwargs["layout"]
        )

    def data_flow(self) -> Part:
        """The layer and its activation."""
        own = Layer(list(self._reg_params))
        return own if self.act is None else Chain([own, "act"])

    def __repr__(self) -> str:
        shape, given = self.weight.shape, self._kwargs
        ones, zeros = (1,) * self.axes, (0,) * self.axes
        parts = [
            f"{shape[1] or None} -> {shape[0]}",
            f"kernel_size={given['kernel']}",
            f"stride={given['stride']}",
        ]
        parts += [f"padding={given['pad']}"] if given["pad"] != zeros else []
        parts += [f"dilation={given['dilate']}"] if given["dilate"] != ones else []
        parts += [f"groups={given['num_group']}"] if given["num_group"] != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [str(self.act)] if self.act is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"


class _Conv(_Convolution):
    """activation(correlate(x, W) + b), with W of shape (channels, in_channels / groups, *kernel).

    `x` is cross-correlated, as in all deep-learning frameworks.
    """

    _op_name = "Convolution"

    def __init__(
        self,
        channels: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: InitLike = None,
        bias_initializer: InitLike = "zeros",
        in_channels: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            channels,
            kernel_size,
            strides,
            padding,
            None,
            dilation,
            groups,
            layout,
            activation,
            use_bias,
            weight_initializer,
            bias_initializer,
            in_channels,
            prefix,
            params,
        )

    def _weight_roles(self) -> tuple[str, str]:
        groups = self._kwargs["num_group"]
        return ("out" if groups == 1 else f"out*{groups}"), "in"

    def _weight_extents(self, channels: int) -> tuple[int, int]:
        return self._channels, channels // self._kwargs["num_group"]

    def _output_space(self, space: Shape) -> Shape:
        given = self._kwargs
        return output_space(space, given["kernel"], given["stride"], given["pad"], given["dilate"])

    output_shape = _Convolution.output_shape
    data_flow = _Convolution.data_flow

    def hybrid_forward(
        self, F: Functions, x: NDArray, weight: NDArray, bias: NDArray | None = None
    ) -> NDArray:
        """activation(correlate(x, W) + b)."""
        y = F.Convolution(x, weight, bias, **self._kwargs)
        return y if self.act is None else self.act(y)


class _ConvTranspose(_Convolution):
    """activation(transposed convolution of x + b), with W of shape (in_channels, channels / groups,
    *kernel).

    `output_padding`, less than the stride, adds elements at the end of each spatial axis.
    """

    _op_name = "Deconvolution"

    def __init__(
        self,
        channels: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: InitLike = None,
        bias_initializer: InitLike = "zeros",
        in_channels: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(
            channels,
            kernel_size,
            strides,
            padding,
            output_padding,
            dilation,
            groups,
            layout,
            activation,
            use_bias,
            weight_initializer,
            bias_initializer,
            in_channels,
            prefix,
            params,
        )

    def _weight_roles(self) -> tuple[str, str]:
        groups = self._kwargs["num_group"]
        return ("in" if groups == 1 else f"in*{groups}"), "out"

    def _weight_extents(self, channels: int) -> tuple[int, int]:
        return channels, self._channels // self._kwargs["num_group"]

    def _output_space(self, space: Shape) -> Shape:
        given = self._kwargs
        names = ("kernel", "stride", "pad", "dilate", "adj")
        return transposed_space(space, *(given[name] for name in names))

    output_shape = _Convolution.output_shape
    data_flow = _Convolution.data_flow

    def hybrid_forward(
        self, F: Functions, x: NDArray, weight: NDArray, bias: NDArray | None = None
    ) -> NDArray:
        """activation(transposed convolution of x + b)."""
        y = F.Deconvolution(x, weight, bias, **self._kwargs)
        return y if self.act is None else self.act(y)


class Conv1D(_Conv):
    """Convolution over (batch, channels, width)."""

    axes: ClassVar[int] = 1


class Conv2D(_Conv):
    """Convolution over (batch, channels, height, width)."""

    axes: ClassVar[int] = 2


class Conv3D(_Conv):
    """Convolution over (batch, channels, depth, height, width)."""

    axes: ClassVar[int] = 3


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over (batch, channels, width)."""

    axes: ClassVar[int] = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over (batch, channels, height, width)."""

    axes: ClassVar[int] = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over (batch, channels, depth, height, width)."""

    axes: ClassVar[int] = 3
