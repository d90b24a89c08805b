"""Convolutions and their transposes as layers of a config; samples are (channels, *space)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Optional, TypeAlias, TypeVar

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.init import Initializer
from initlab.engine.options import Count, Rule, whole
from initlab.runner.layers.base import ActivationName, Context, Layer, register

T = TypeVar("T")
Sizes: TypeAlias = int | list[int]
"""A size for all spatial axes, or one for each."""
NUMBERS = {2: "two", 3: "three"}


def sizes(least: int, axes: int = 2) -> Rule:
    """Return a rule for a whole number of at least `least`, or one for each of the spatial axes."""
    one = whole(least)
    several = f", or {NUMBERS[axes]} of them" if axes > 1 else ""
    return Rule(
        one.wanted + several,
        lambda value: all(
            map(one.fits, value if isinstance(value, list) and len(value) == axes else [value])
        ),
    )


def as_sizes(value: T) -> T | tuple[int, ...]:
    """Convert a list of sizes to the form that Gluon takes."""
    return tuple(value) if isinstance(value, list) else value


@dataclass
class Convolution(Layer):
    """Base class of convolutions.

    `kernel_size` is one number, or one for each spatial axis. Channels are divided into `groups`,
    which are independent.
    """

    tokens: ClassVar[bool | None] = False
    axes: ClassVar[int]
    block: ClassVar[Callable[..., gluon.Block]]
    """Gluon's layer."""
    sized: ClassVar[tuple[tuple[str, int], ...]] = (
        ("kernel_size", 1),
        ("strides", 1),
        ("padding", 0),
        ("dilation", 1),
    )
    """The options with a size for each spatial axis, and the least each can be."""
    channels: Count
    """The channels of the output; a multiple of groups."""
    kernel_size: Sizes
    """The length of the kernel. One number, or a list with one for each axis of space."""
    strides: Sizes = 1
    """The distance between places where the kernel is applied. One number, or a list with one for
    each axis of space.
    """
    padding: Sizes = 0
    """Zeros that are added on each side. One number, or a list with one for each axis of space."""
    dilation: Sizes = 1
    """The distance between the kernel's elements. One number, or a list with one for each axis of
    space.
    """
    groups: Count = 1
    """Into how many independent parts the channels are divided."""
    activation: Optional[ActivationName] = None
    """What the output goes through; null for nothing."""
    use_bias: bool = True
    """Whether a bias is added to each channel."""
    weight_initializer: Optional[Initializer] = None
    """What draws the kernel; null: the network's initializer."""
    bias_initializer: Optional[Initializer] = None
    """What draws the bias; null: zeros, unless a rule names the bias."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for option, least in self.sized:
            sizes(least, self.axes)(option, getattr(self, option))
        if self.channels % self.groups:
            raise OptionError(
                "groups", f"must divide channels ({self.channels}), got {self.groups}"
            )
        self.check_used("bias_initializer", "use_bias")

    def build(self, context: Context) -> gluon.Block:
        """Gluon's layer of the same name; its bias is zero unless an option or a rule says
        otherwise.
        """
        block = type(self).block(
            self.channels,
            **{option: as_sizes(getattr(self, option)) for option, _ in self.sized},
            groups=self.groups,
            activation=self.activation,
            use_bias=self.use_bias,
            weight_initializer=context.initializer("weight", None),
            bias_initializer=context.initializer("bias", "zeros"),
        )
        block.cast(context.dtype)
        return block


@dataclass
class Transposed(Convolution):
    """Base class of transposed convolutions.

    `output_padding`, less than the strides, adds elements at the end of each spatial axis.
    """

    sized: ClassVar[tuple[tuple[str, int], ...]] = (*Convolution.sized, ("output_padding", 0))
    output_padding: Sizes = 0
    """Elements that are added at the end, fewer than strides. One number, or a list with one for
    each axis of space.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        each = [
            as_sizes(v) if isinstance(v, list) else (v,) * self.axes
            for v in (self.output_padding, self.strides)
        ]
        if any(a >= s for a, s in zip(*each, strict=True)):
            raise OptionError(
                "output_padding",
                f"must be smaller than strides ({self.strides!r}), got {self.output_padding!r}",
            )


@register
@dataclass
class Conv1D(Convolution):
    """A convolution (cross-correlation) of samples (channels, width).

    Source: Gluon, `gluon.nn.Conv1D`; torch: `nn.Conv1d`.

    Example:
        input: [3, 16]
        layers:
          - {kind: conv1d, channels: 8, kernel_size: 3, padding: 1, activation: relu}
    """

    axes: ClassVar[int] = 1
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv1D


@register
@dataclass
class Conv2D(Convolution):
    """A convolution (cross-correlation) of samples (channels, height, width).

    Source: Gluon, `gluon.nn.Conv2D`; torch: `nn.Conv2d`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d, channels: 8, kernel_size: 3, padding: 1, activation: relu}
    """

    axes: ClassVar[int] = 2
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv2D


@register
@dataclass
class Conv3D(Convolution):
    """A convolution (cross-correlation) of samples (channels, depth, height, width).

    Source: Gluon, `gluon.nn.Conv3D`; torch: `nn.Conv3d`.

    Example:
        input: [2, 6, 6, 6]
        layers:
          - {kind: conv3d, channels: 8, kernel_size: 3, padding: 1, activation: relu}
    """

    axes: ClassVar[int] = 3
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv3D


@register
@dataclass
class Conv1DTranspose(Transposed):
    """A transposed convolution of samples (channels, width), which enlarges them by the strides.

    Source: Gluon, `gluon.nn.Conv1DTranspose`; torch: `nn.ConvTranspose1d`.

    Example:
        input: [3, 16]
        layers:
          - {kind: conv1d_transpose, channels: 8, kernel_size: 4, strides: 2}
    """

    axes: ClassVar[int] = 1
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv1DTranspose


@register
@dataclass
class Conv2DTranspose(Transposed):
    """A transposed convolution of samples (channels, height, width), which enlarges them by the
    strides.

    Source: Gluon, `gluon.nn.Conv2DTranspose`; torch: `nn.ConvTranspose2d`.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d_transpose, channels: 8, kernel_size: 4, strides: 2}
    """

    axes: ClassVar[int] = 2
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv2DTranspose


@register
@dataclass
class Conv3DTranspose(Transposed):
    """A transposed convolution of samples (channels, depth, height, width), which enlarges them by
    the strides.

    Source: Gluon, `gluon.nn.Conv3DTranspose`; torch: `nn.ConvTranspose3d`.

    Example:
        input: [2, 6, 6, 6]
        layers:
          - {kind: conv3d_transpose, channels: 8, kernel_size: 4, strides: 2}
    """

    axes: ClassVar[int] = 3
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv3DTranspose
