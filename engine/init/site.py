"""Where a parameter stands in its network: what initializers of deep networks need to know.

`engine.gluon.sites` finds it from what the blocks say about their computation. A parameter of no
known network has no site.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """What all parameters of one network share.

    branches   residual branches that have weights
    attention  whether one of them attends
    sines      for each sine, in order, the factor between its layer and it: w0 of sin(w0 (W x + b))
    skips      the factors by which streams are multiplied where branches are added, each once
    unknown    the first block that does not say how it computes; '' if all do. Nothing else is then
               known.
    """

    branches: int = 0
    attention: bool = False
    sines: tuple[float, ...] = ()
    skips: tuple[float, ...] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Site:
    """Where one parameter stands. A layer's bias stands where its weight does.

    input       no weight comes before it on any way from the network's input
    output      no weight comes after it on any way to the network's output
    branch      the path of the residual branch that it is in, the innermost; None if it is in none
    layers      the layers of that branch, on the longest way through it that leads through this one
    ends        its layer is the last of that branch
    multiplier  it is a learned factor after the last layer of a branch
    offset      it is added to the stream, like a vector for each position
    packs       what its equal blocks are, if it packs several: queries, keys, values
    sine        the factor between its layer and a sine that follows; None if none follows

    A tied parameter stands where it comes first. It is `input` or `output` if one of its places is.
    """

    layout: Layout
    input: bool = False
    output: bool = False
    branch: str | None = None
    layers: int = 0
    ends: bool = False
    multiplier: bool = False
    offset: bool = False
    packs: tuple[str, ...] = ()
    sine: float | None = None
