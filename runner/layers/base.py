"""Base class of layers in a config: a dataclass whose fields are options and whose `build` makes
the block.

To add a layer, write such a class and put `@register` on it; its snake-case name is its `kind`:

    @register
    @dataclass
    class Scale(Layer):
        factor: float = 1.0

        def build(self, context: Context) -> gluon.Block:
            return ScaleBlock(self.factor)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, TypeAlias, TypeVar

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.init import Initializer
from initlab.engine.ops.activation import ACTIVATIONS
from initlab.engine.options import choice, within
from initlab.engine.registry import Registry
from initlab.runner.kinds import Kind, registrar

ActivationName = Annotated[str, choice(ACTIVATIONS)]
"""The name of an element-wise nonlinearity."""
Rate = Annotated[float, within(0, 1, "[)")]
"""A fraction of elements that are left out."""
OF_ANY_LAYER = ("name", "trainable")
"""Keys that every layer of a config has beside the options of its kind."""
REGISTRY: Registry[type[Layer]] = Registry("layer kind", __package__)


Own: TypeAlias = Initializer | str | None
"""The initializer of a parameter itself: an object, a default as text, or none."""
B = TypeVar("B", bound=gluon.Block)


class Choose(Protocol):
    """See `Context.initializer`."""

    def __call__(self, parameter: str, default: Own, named_after: str | None = None) -> Own: ...


class Nest(Protocol):
    """See `Context.children`."""

    def __call__(self, container: B, under: str, option: str = "layers") -> B: ...


@dataclass
class Context:
    """What `build` needs besides the options."""

    dtype: str
    initializer: Choose
    """(parameter name, the default, what its option is named after, by default its name) -> what
    the parameter is given as its own initializer: the layer's option `<parameter>_initializer`,
    else the default as text, which gives way as `engine.init.choose` says."""
    children: Nest
    """(container, what the children's paths start with below the layer's own path: '' or '3.', the nested
    option that lists them, by default `layers`) -> the container with these children."""


@dataclass
class Layer(Kind):
    """Base class of layer kinds. The types of its fields say which values are valid (see
    `runner.kinds`).
    """

    nested: ClassVar[tuple[str, ...]] = ()
    """The options that hold layer specifications of their own; one that is None holds none."""
    tokens: ClassVar[bool | None] = None
    """Whether its input is token numbers; None if it takes token numbers and fractions alike."""
    parallel: ClassVar[bool] = False
    """Whether each nested layer receives what the container does, instead of one after the other."""
    averages: ClassVar[bool] = False
    """Whether, in train mode, its output for a sample depends on the other samples of the batch."""
    model: ClassVar[bool] = False
    """Whether it is a whole model, that a config chooses by `model=`. Alone in `model.layers` it is the
    network itself, so that paths begin within it."""
    sample: ClassVar[tuple[int, ...] | None] = None
    """Of a whole model, the shape of one sample; None if the data decides."""

    @property
    def copies(self) -> int:
        """How many layers are made of this one, and of each that is nested in it."""
        return 1

    def check_used(self, option: str, flag: str) -> None:
        """Raise OptionError if `option` is given and `flag` is false."""
        if getattr(self, option) is not None and not getattr(self, flag):
            raise OptionError(option, f"is given, but {flag} is false")

    def build(self, context: Context) -> gluon.Block:
        """Return the block. It must neither draw nor allocate anything."""
        raise NotImplementedError(f"layer kind '{self.kind}' defines no build")


register = registrar(REGISTRY, Layer)
"""Makes a dataclass derived from `Layer` a layer kind under its snake-case name."""
