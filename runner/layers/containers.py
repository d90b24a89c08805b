"""Layers that contain layers, which are listed under `layers` like those of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import HybridConcurrent
from initlab.engine.gluon.nn.containers import SHORTCUT
from initlab.engine.options import Count, Rule, whole
from initlab.runner.layers.base import ActivationName, Context, Layer, register

layer_list = Rule(
    "be a list of at least one layer", lambda value: isinstance(value, list) and value != []
)


@dataclass
class Container(Layer):
    """Base class of layers with children."""

    nested: ClassVar[tuple[str, ...]] = ("layers",)
    layers: Annotated[list[object], layer_list]


@register
@dataclass
class Sequential(Container):
    """Layers one after the other, under one name."""

    def build(self, context: Context) -> gluon.Block:
        """Return the children in a `gluon.nn.HybridSequential`."""
        return context.children(nn.HybridSequential(), "")


@register
@dataclass
class Repeat(Container):
    """`times` copies of the same layers, each with its own parameters: paths
    `<name>.<copy>.<layer>`.
    """

    times: Count

    @property
    def copies(self) -> int:
        return self.times

    def build(self, context: Context) -> gluon.Block:
        """Return a sequence of `times` sequences."""
        copies = nn.HybridSequential()
        for number in range(self.times):
            copies.add(context.children(nn.HybridSequential(), f"{number}."))
        return copies


@register
@dataclass
class Residual(Container):
    """y = activation(shortcut(x) + f(x)), where f runs the children in order.

    Without `shortcut`, a list of layers, x itself is added, so the children must keep its shape. A
    parameter of the shortcut has the path `<name>.shortcut.<layer>.<parameter>`.
    """

    nested: ClassVar[tuple[str, ...]] = ("layers", "shortcut")
    shortcut: Optional[Annotated[list[object], layer_list]] = None
    activation: Optional[ActivationName] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortcut is not None and any(
            isinstance(layer, dict) and layer.get("name") == SHORTCUT for layer in self.layers
        ):
            raise OptionError(
                "layers",
                f"has a layer named '{SHORTCUT}', which is the name of the shortcut - choose another",
            )

    def build(self, context: Context) -> gluon.Block:
        """Return the children in a `gluon.nn.Residual`, with the shortcut."""
        block = context.children(nn.Residual(activation=self.activation), "")
        if self.shortcut is not None:
            block.shortcut(context.children(nn.HybridSequential(), f"{SHORTCUT}.", "shortcut"))
        return block


@register
@dataclass
class Concurrent(Container):
    """All children receive the same input; their outputs are joined along `axis`."""

    parallel: ClassVar[bool] = True
    axis: Annotated[int, whole(None)] = 1

    def build(self, context: Context) -> gluon.Block:
        """Return the children in a `gluon.contrib.nn.HybridConcurrent`."""
        found: gluon.Block = context.children(HybridConcurrent(axis=self.axis), "")
        return found
