"""What a block says about its computation in `data_flow`: its layers and children in the order in
which data passes them.

    Chain([a, b])          b receives what a gives
    Parallel([a, b])       both receive the input, and their outputs are joined
    Branch(f, shortcut)    shortcut(x) + f(x); without a shortcut, x + f(x)
    "expand"               the child of this name; "blocks.0" a child of a child
    Layer(["weight"])      a layer with these parameters of the block's own
    Offset(["weight"])     its own parameters of these names are added
    Factor(2.0)            times a number; with a name, the block's own parameter, first of this value
    Sine()                 the sine
    Function()             any other function without parameters of two axes

A class that contains blocks and computes in a way of its own defines the method, so that
initializers know which layers end a residual branch, how many branches there are, and which layers
come first and last (`engine.gluon.sites`):

    class Block(gluon.HybridBlock):                 # x + second(first(x))
        def data_flow(self):
            return Branch(Chain(["first", "second"]))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Chain:
    """Parts one after the other; with none, the identity."""

    parts: Sequence[Part] = ()


@dataclass(frozen=True)
class Parallel:
    """Parts that receive the same input; their outputs are joined."""

    parts: Sequence[Part]


@dataclass(frozen=True)
class Branch:
    """shortcut(x) + body(x), where no shortcut is the identity."""

    body: Part
    shortcut: Part | None = None


@dataclass(frozen=True)
class Layer:
    """A layer: its weights, and the biases that belong to them.

    `inner` names the weights among them that receive the layer's own output, like h2h of a
    recurrent layer. `packs` says what the equal blocks of its weight are, and so that it attends:
    `("queries", "keys", "values")`.
    """

    parameters: Sequence[str]
    inner: Sequence[str] = ()
    packs: Sequence[str] = ()


@dataclass(frozen=True)
class Offset:
    """Own parameters that are added to the input."""

    parameters: Sequence[str]


@dataclass(frozen=True)
class Factor:
    """The input times a number; `parameter` is the name of the number, if it is learned."""

    value: float
    parameter: str | None = None


@dataclass(frozen=True)
class Sine:
    """The sine of each element."""


@dataclass(frozen=True)
class Function:
    """Any other function of the input, without layers."""


Part: TypeAlias = str | Chain | Parallel | Branch | Layer | Offset | Factor | Sine | Function
