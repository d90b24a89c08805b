"""What checks look at, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from initlab.runner.audit.audit import Audit, Copy, copies
from initlab.runner.audit.found import DRAWN, ORTHOGONAL
from initlab.runner.audit.spec import Spec
from initlab.runner.torch.watch.record.arrays import array
from initlab.runner.torch.watch.record.history import History, Write
from initlab.runner.torch.watch.record.recording import Recording


@dataclass(frozen=True)
class Finding:
    """What a check found: its id, the tensors it concerns, and a sentence about each of them."""

    id: str
    names: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class Held:
    """A parameter or buffer of a model. `owner` is the module that has it, `tied_to` the name under
    which the same memory stands before it, `kept` whether a state dict has it.
    """

    name: str
    tensor: Any
    owner: Any
    is_parameter: bool
    kept: bool
    tied_to: str | None
    history: History
    by_root: bool
    """Whether the model itself has it, and no part of it."""

    def by_layer(self, write: Write) -> bool:
        """Return whether a constructor wrote it, and no initialization of the model."""
        return write.by_constructor or self.by_owner(write)

    def by_owner(self, write: Write) -> bool:
        """Return whether the constructor of the part of the model that has it wrote it."""
        return write.place.maker == id(self.owner) and not self.by_root

    def in_scheme(self, write: Write) -> bool:
        """Return whether the write is part of the model's own initialization."""
        return not write.loaded and not self.by_layer(write)


@dataclass(frozen=True)
class Knob:
    """A number that the spread of a model depends on. `build` makes the model with another one."""

    said: str
    value: float
    build: Callable[[float], Any]


@dataclass(frozen=True)
class Examined:
    """A watched model. `spec` is None without a declaration, `fresh` makes the model anew in a watch,
    `loaded` has the names that came from a file, if that is known.
    """

    model: Any
    recording: Recording
    held: tuple[Held, ...]
    spec: Spec | None = None
    knob: Knob | None = None
    fresh: Callable[[], Examined] | None = None
    loaded: frozenset[str] | None = None
    audit: Audit | None = None
    """What the audit of the values says against the declaration."""

    @property
    def own(self) -> Iterator[Held]:
        """Every tensor once, without ties."""
        return (one for one in self.held if one.tied_to is None)

    @property
    def parameters(self) -> Iterator[Held]:
        """Every parameter once."""
        return (one for one in self.own if one.is_parameter)

    def named(self, name: str) -> Held:
        """Return the tensor of a name."""
        return next(one for one in self.held if one.name == name)

    @cached_property
    def agreeing(self) -> frozenset[str]:
        """The names whose values agree with a random law that a rule declares."""
        if self.spec is None or self.audit is None:
            return frozenset()
        return frozenset(
            one.name
            for one in self.audit.tensors
            if not one.contradictions
            and one.found is not None
            and one.found.kind in (*DRAWN, ORTHOGONAL)
            and self.spec.rules.rule_for(one.name) is not None
        )

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """Parameters with the same noise as one before them."""
        if self.audit is not None:
            return self.audit.copies
        noisy = {
            one.name: values
            for one in self.parameters
            if (one.history.content is None or one.history.content.random)
            and (values := array(one.tensor)) is not None
        }
        return tuple(copies(noisy))


def law_of(held: Held) -> str:
    """Return the law of a tensor from its writes, in a few words."""
    past = held.history
    if past.last is None:
        return (
            "never written"
            if past.made_unset and not past.writes
            else ("in parts" if past.seen else "not seen")
        )
    content = past.content
    said = "?" if content is None else content.name
    parts = [one for one in past.since if not one.whole]
    later = list(dict.fromkeys(one.content.name for one in parts))
    return f"{said}, then {' and '.join(later)} in a part" if later else said


def writer_of(held: Held) -> str:
    """Return the file and the function that wrote a tensor last, within its package."""
    past = held.history
    last = past.last or (past.writes[-1] if past.writes else None)
    return "" if last is None else " ".join(last.place.writer)
