"""The layers that hold layers. Their children are specified under `layers`, as the model's own are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import HybridConcurrent
from initlab.engine.gluon.nn.containers import SHORTCUT
from initlab.runner.layers.base import Context, Layer, register
from initlab.runner.layers.basic import check_activation, check_positive


@dataclass
class Container(Layer):
    """Base of the layers with children."""

    nested: ClassVar[tuple[str, ...]] = ("layers",)
    layers: list[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list) or not self.layers:
            raise OptionError(
                "layers", f"must be a list of at least one layer, got {self.layers!r}"
            )


@register
@dataclass
class Sequential(Container):
    """Layers one after the other, under one name."""

    def build(self, context: Context) -> gluon.Block:
        """The children in a `gluon.nn.HybridSequential`."""
        return context.children(nn.HybridSequential(), "")


@register
@dataclass
class Repeat(Container):
    """`times` copies of the same layers, each with parameters of its own: paths
    `<name>.<copy>.<layer>`.
    """

    times: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("times", self.times)

    def build(self, context: Context) -> gluon.Block:
        """A sequence of `times` sequences."""
        copies = nn.HybridSequential()
        for number in range(self.times):
            copies.add(context.children(nn.HybridSequential(), f"{number}."))
        return copies


@register
@dataclass
class Residual(Container):
    """y = activation(shortcut(x) + f(x)), f being the children in order.

    Without `shortcut`, a list of layers, the input itself is added, so the children must give back
    the shape they take. A parameter of the shortcut has the path
    `<name>.shortcut.<layer>.<parameter>`.
    """

    nested: ClassVar[tuple[str, ...]] = ("layers", "shortcut")
    shortcut: Any = None
    activation: Optional[str] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortcut is not None and not (isinstance(self.shortcut, list) and self.shortcut):
            raise OptionError(
                "shortcut", f"must be a list of at least one layer, got {self.shortcut!r}"
            )
        check_activation(self.activation)
        if self.shortcut is not None and any(
            isinstance(layer, dict) and layer.get("name") == SHORTCUT for layer in self.layers
        ):
            raise OptionError(
                "layers",
                f"has a layer named '{SHORTCUT}', which is the name of the shortcut - choose another",
            )

    def build(self, context: Context) -> gluon.Block:
        """The children in a `gluon.nn.Residual`, the shortcut beside them."""
        block = context.children(nn.Residual(activation=self.activation), "")
        if self.shortcut is not None:
            block.shortcut(context.children(nn.HybridSequential(), f"{SHORTCUT}.", "shortcut"))
        return block


@register
@dataclass
class Concurrent(Container):
    """All children take the same input; their outputs are joined along `axis`."""

    axis: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.axis, bool) or not isinstance(self.axis, int):
            raise OptionError("axis", f"must be a whole number, got {self.axis!r}")

    def build(self, context: Context) -> gluon.Block:
        """The children in a `gluon.contrib.nn.HybridConcurrent`."""
        return context.children(HybridConcurrent(axis=self.axis), "")
