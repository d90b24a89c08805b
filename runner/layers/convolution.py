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
    kernel_size: Sizes
    strides: Sizes = 1
    padding: Sizes = 0
    dilation: Sizes = 1
    groups: Count = 1
    activation: Optional[ActivationName] = None
    use_bias: bool = True
    weight_initializer: Optional[Initializer] = None
    bias_initializer: Optional[Initializer] = None

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
    """Cross-correlation of samples (channels, width)."""

    axes: ClassVar[int] = 1
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv1D


@register
@dataclass
class Conv2D(Convolution):
    """Cross-correlation of samples (channels, height, width)."""

    axes: ClassVar[int] = 2
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv2D


@register
@dataclass
class Conv3D(Convolution):
    """Cross-correlation of samples (channels, depth, height, width)."""

    axes: ClassVar[int] = 3
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv3D


@register
@dataclass
class Conv1DTranspose(Transposed):
    """Transposed convolution of samples (channels, width)."""

    axes: ClassVar[int] = 1
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv1DTranspose


@register
@dataclass
class Conv2DTranspose(Transposed):
    """Transposed convolution of samples (channels, height, width)."""

    axes: ClassVar[int] = 2
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv2DTranspose


@register
@dataclass
class Conv3DTranspose(Transposed):
    """Transposed convolution of samples (channels, depth, height, width)."""

    axes: ClassVar[int] = 3
    block: ClassVar[Callable[..., gluon.Block]] = nn.Conv3DTranspose
