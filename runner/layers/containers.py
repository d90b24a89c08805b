"""The layers that hold layers. Their children are specified under `layers`, as the model's own are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from engine import gluon
from engine.errors import OptionError
from engine.gluon import nn
from runner.layers.base import Context, Layer, register
from runner.layers.basic import check_positive


@dataclass
class Container(Layer):
    """Base of the layers with children."""

    nested: ClassVar[tuple[str, ...]] = ("layers",)
    layers: list[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list) or not self.layers:
            raise OptionError("layers", f"must be a list of at least one layer, got {self.layers!r}")


@register
@dataclass
class Sequential(Container):
    """Layers one after the other, under one name."""

    def build(self, context: Context) -> gluon.Block:
        """The children in a `gluon.nn.HybridSequential`."""
        return context.children(nn.HybridSequential, "")


@register
@dataclass
class Repeat(Container):
    """`times` copies of the same layers, each with parameters of its own: paths `<name>.<copy>.<layer>`."""

    times: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("times", self.times)

    def build(self, context: Context) -> gluon.Block:
        """A sequence of `times` sequences."""
        copies = nn.HybridSequential()
        for number in range(self.times):
            copies.add(context.children(nn.HybridSequential, f"{number}."))
        return copies


@register
@dataclass
class Residual(Container):
    """y = x + f(x), f being the children in order; they must give back the shape they take."""

    def build(self, context: Context) -> gluon.Block:
        """The children in a `gluon.nn.Residual`."""
        return context.children(nn.Residual, "")
