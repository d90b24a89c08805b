"""Finds where each parameter stands in a network (`engine.init.site`), from the `data_flow` of its
blocks (`engine.gluon.flow`).

A block without children that says nothing is one layer of all its parameters. A block with children
that says nothing makes all sites unknown, since its layers may be arranged in any way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from initlab.engine.gluon.flow import (
    Branch,
    Chain,
    Factor,
    Function,
    Layer,
    Offset,
    Parallel,
    Part,
    Sine,
)
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.init.site import Layout, Site


class Flowing(Protocol):
    """A block, as it is seen here."""

    @property
    def _children(self) -> Mapping[str, Flowing]: ...

    @property
    def _reg_params(self) -> Mapping[str, Parameter]: ...

    def data_flow(self) -> Part | None:
        """See `engine.gluon.flow`."""

    def structural_params(self) -> dict[str, Parameter]:
        """Return {structural path: parameter}."""


def note_sites(root: Flowing) -> None:
    """Set `site` of every parameter of a network."""
    walk = _Walk()
    walk.block(root, "", _Stream())
    layout = walk.layout()
    blank = Site(layout)
    found = {} if layout.unknown else walk.sites(blank)
    for parameter in root.structural_params().values():
        parameter.site = found.get(id(parameter), blank)


@dataclass(eq=False)
class _Residual:
    """A residual branch, and its layers in order."""

    path: str
    layers: list[_Place] = field(default_factory=list)


@dataclass(eq=False)
class _Place:
    """One layer, where it is used."""

    part: Layer
    owner: Flowing
    branch: _Residual | None
    before: Sequence[_Place]
    """The layers of its branch that feed it directly."""
    input: bool
    followed: bool = False
    ends: bool = False
    sine: float | None = None
    ahead: int = 0
    """The layers of its branch before it, on the longest way; `behind` those after it."""
    behind: int = 0


@dataclass(eq=False)
class _Stream:
    """What is known of the data at one point of the network.

    last     the layers that nothing follows so far, and that feed this point
    fed      whether weights come before it
    here     the layers of the present branch that feed it directly
    factors  learned factors since then
    recent   the layers of which it is the output, times `factor`
    """

    branch: _Residual | None = None
    last: list[_Place] = field(default_factory=list)
    fed: bool = False
    here: list[_Place] = field(default_factory=list)
    factors: list[Parameter] = field(default_factory=list)
    recent: list[_Place] = field(default_factory=list)
    factor: float = 1.0

    def copy(self) -> _Stream:
        """Return the same, to be changed on its own."""
        return replace(
            self,
            last=list(self.last),
            here=list(self.here),
            factors=list(self.factors),
            recent=list(self.recent),
        )

    def joined(self, others: Iterable[_Stream]) -> None:
        """Continue with what several streams come to."""
        streams = list(others)
        self.last = _each([place for one in streams for place in one.last if not place.followed])
        self.here = _each([place for one in streams for place in one.here])
        self.factors = [factor for one in streams for factor in one.factors]
        self.fed = any(one.fed for one in streams)
        self.recent, self.factor = [], 1.0


def _each(places: Iterable[_Place]) -> list[_Place]:
    """Return each place once."""
    return list(dict.fromkeys(places))


class _Walk:
    """One pass through a network in the order of its data."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._branches: list[_Residual] = []
        self._multipliers: list[tuple[Parameter, _Residual]] = []
        self._offsets: list[Parameter] = []
        self._sines: list[float] = []
        self._skips: list[float] = []
        self._unknown = ""

    # --- through the network

    def block(self, block: Flowing, path: str, stream: _Stream) -> _Stream:
        """Pass through a block and return the stream after it."""
        part = type(block).data_flow(block)
        if part is None and block._children:
            name = type(block).__name__
            self._unknown = self._unknown or (f"'{path}' ({name})" if path else name)
            return stream
        if part is None:
            names = list(block._reg_params)
            wide = any(_has_axes(parameter) for parameter in block._reg_params.values())
            part = Layer(names) if wide else Function()
        return self._part(part, block, path, stream)

    def _part(self, part: Part, block: Flowing, path: str, stream: _Stream) -> _Stream:
        match part:
            case str():
                inner = block
                for name in part.split("."):
                    inner = inner._children[name]
                return self.block(inner, f"{path}.{part}" if path else part, stream)
            case Chain(parts):
                for one in parts:
                    stream = self._part(one, block, path, stream)
            case Parallel(parts):
                stream.joined([self._part(one, block, path, stream.copy()) for one in parts])
            case Branch():
                self._branch(part, block, path, stream)
            case Layer():
                self._layer(part, block, stream)
            case Offset(names):
                self._offsets += [block._reg_params[name] for name in names]
            case Factor(value, name):
                stream.factor *= value
                if name is not None:
                    stream.factors.append(block._reg_params[name])
            case Sine():
                for place in stream.recent:
                    place.sine = stream.factor
                self._sines += [stream.factor] if stream.recent else []
                stream.recent = []
            case Function():
                stream.recent = []
        return stream

    def _branch(self, part: Branch, block: Flowing, path: str, stream: _Stream) -> None:
        """Pass through both ways of a residual connection."""
        branch = _Residual(path)
        self._branches.append(branch)
        inner = replace(stream.copy(), branch=branch, here=[], factors=[])
        inner = self._part(part.body, block, path, inner)
        for place in inner.here:
            place.ends = True
        self._multipliers += [(factor, branch) for factor in inner.factors]
        around = replace(stream.copy(), recent=[], factor=1.0)
        if part.shortcut is not None:
            around = self._part(part.shortcut, block, path, around)
        if around.here == stream.here:
            self._skips.append(around.factor)
        factors = around.factors
        stream.joined([around, inner])
        stream.here, stream.factors = around.here, factors

    def _layer(self, part: Layer, block: Flowing, stream: _Stream) -> None:
        place = _Place(part, block, stream.branch, tuple(stream.here), not stream.fed)
        place.ahead = max((one.ahead + 1 for one in place.before), default=0)
        for one in stream.last:
            one.followed = True
        self._places.append(place)
        if stream.branch is not None:
            stream.branch.layers.append(place)
        stream.last, stream.fed, stream.here = [place], True, [place]
        stream.factors, stream.recent, stream.factor = [], [place], 1.0

    # --- what was found

    def layout(self) -> Layout:
        """Return what all parameters share."""
        if self._unknown:
            return Layout(unknown=self._unknown)
        weighted = [branch for branch in self._branches if branch.layers]
        return Layout(
            len(weighted),
            any(place.part.packs for branch in weighted for place in branch.layers),
            tuple(self._sines),
            tuple(dict.fromkeys(self._skips)),
        )

    def sites(self, blank: Site) -> dict[int, Site]:
        """Return the site of each parameter of layers, offsets and multipliers, by its id."""
        for place in reversed(self._places):
            for one in place.before:
                one.behind = max(one.behind, place.behind + 1)
        found: dict[int, Site] = {}
        for place in self._places:
            for name in place.part.parameters:
                _enter(found, place.owner._reg_params[name], _site(place, name, blank))
        for parameter in self._offsets:
            _enter(found, parameter, replace(blank, offset=True))
        for parameter, branch in self._multipliers:
            _enter(found, parameter, replace(blank, branch=branch.path, multiplier=True))
        return found


def _has_axes(parameter: Parameter) -> bool:
    """Return whether it is a matrix, or may become one."""
    return parameter.shape is None or len(parameter.shape) > 1


def _site(place: _Place, name: str, blank: Site) -> Site:
    """Return the site of the parameter `name` of a layer."""
    branch = place.branch
    return replace(
        blank,
        input=place.input and name not in place.part.inner,
        output=not place.followed and name not in place.part.inner,
        branch=None if branch is None else branch.path,
        layers=0 if branch is None else place.ahead + 1 + place.behind,
        ends=place.ends,
        packs=tuple(place.part.packs),
        sine=place.sine,
    )


def _enter(found: dict[int, Site], parameter: Parameter, site: Site) -> None:
    """Note a site of a parameter, which may have one already: then it is tied."""
    first = found.get(id(parameter), site)
    found[id(parameter)] = replace(
        first, input=first.input or site.input, output=first.output or site.output
    )
