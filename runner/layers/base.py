"""What a layer is in a config: a dataclass whose fields are its options and whose `build` makes the
block.

To add a layer, write such a class, put `@register` on it, and its snake-case name is a `kind`:

    @register
    @dataclass
    class Scale(Layer):
        factor: float = 1.0

        def build(self, context: Context) -> gluon.Block:
            return ScaleBlock(self.factor)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from initlab.engine import gluon
from initlab.engine.registry import Registry
from initlab.runner.kinds import registrar

REGISTRY: Registry[type[Layer]] = Registry("layer kind")


@dataclass
class Context:
    """What building a layer needs beyond its options."""

    dtype: str
    initializer: Callable[..., Any]
    """(parameter name, the default, what its option is named after, by default its name) -> what
    the parameter is given as its own initializer: the layer's option `<parameter>_initializer`,
    else nothing if a rule of the run's initializer names the parameter, else the default."""
    children: Callable[..., Any]
    """(container, what their paths start with below the layer's own: '' or '3.', the nested option that lists them, `layers` by default)
    -> the container with these children."""


@dataclass
class Layer:
    """Base of all layer kinds. Raise `OptionError` in `__post_init__` for a value that cannot be."""

    kind: ClassVar[str] = ""
    nested: ClassVar[tuple[str, ...]] = ()
    """The options that hold layer specifications of their own; one that is None holds none."""

    def build(self, context: Context) -> gluon.Block:
        """The block. It may draw nothing and allocate nothing."""
        raise NotImplementedError(f"layer kind '{self.kind}' defines no build")


register = registrar(REGISTRY, Layer)
"""Makes a dataclass derived from `Layer` a layer kind under its snake-case name."""
