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
    """The layers inside, in order, like model.layers."""


@register
@dataclass
class Sequential(Container):
    """Layers one after the other, under one name.

    Source: Gluon, `gluon.nn.HybridSequential`.

    Example:
        input: [8]
        layers:
          - kind: sequential
            name: head
            layers:
              - {kind: dense, units: 16, activation: relu}
              - {kind: dense, units: 10}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return the children in a `gluon.nn.HybridSequential`."""
        return context.children(nn.HybridSequential(), "")


@register
@dataclass
class Repeat(Container):
    """Copies of the same layers one after the other, each with its own parameters.

    A parameter has the path `<name>.<copy>.<layer>.<parameter>`, the copies counted from 0.

    Example:
        input: [16]
        layers:
          - kind: repeat
            name: body
            times: 12
            layers:
              - {kind: dense, name: fc, units: 16, activation: relu}
    """

    times: Count
    """How many copies."""

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
    """Layers with a shortcut around them.

    A parameter of the shortcut has the path `<name>.shortcut.<layer>.<parameter>`.

    Formula: y = activation(shortcut(x) + f(x)), where f is the layers in order

    Source: He et al., "Deep residual learning for image recognition", 2016.

    Example:
        input: [16]
        layers:
          - kind: residual
            name: block
            layers:
              - {kind: dense, name: fc1, units: 64, activation: relu}
              - {kind: dense, name: fc2, units: 16}
    """

    nested: ClassVar[tuple[str, ...]] = ("layers", "shortcut")
    shortcut: Optional[Annotated[list[object], layer_list]] = None
    """The layers of the shortcut; null: x itself is added, so that the layers must keep its shape.
    """
    activation: Optional[ActivationName] = None
    """What the sum goes through; null for nothing."""

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
    """Layers that all receive the same input; their outputs are joined.

    Source: Gluon, `gluon.contrib.nn.HybridConcurrent`.

    Example:
        input: [8]
        layers:
          - kind: concurrent
            layers:
              - {kind: dense, name: a, units: 4}
              - {kind: dense, name: b, units: 6}
    """

    parallel: ClassVar[bool] = True
    axis: Annotated[int, whole(None)] = 1
    """The axis along which outputs are joined; 0 is the batch's."""

    def build(self, context: Context) -> gluon.Block:
        """Return the children in a `gluon.contrib.nn.HybridConcurrent`."""
        found: gluon.Block = context.children(HybridConcurrent(axis=self.axis), "")
        return found
