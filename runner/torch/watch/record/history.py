"""The history of one tensor of a model: which calls wrote it, in order, and what it holds since.

Consecutive operations of one call of an initializing function count as one write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from initlab.runner.torch.watch.record.places import Place
from initlab.runner.torch.watch.record.recording import Event, View
from initlab.runner.torch.watch.record.views import NONE, WHOLE, covers
from initlab.runner.torch.watch.record.writelaws import Content, computed, of_call

CREATION = ("randn", "rand", "randn_like", "rand_like", "randint")
"""Draws that come with new memory, with numbers of their own: what `nn.Parameter(torch.randn(…))`
starts from.
"""


@dataclass(frozen=True)
class Write:
    """A write to a tensor: the operations of one call, in order."""

    events: tuple[Event, ...]
    whole: bool
    """Whether it wrote every element."""

    @property
    def place(self) -> Place:
        """Where it was called from."""
        return self.events[0].place

    @property
    def overwrites(self) -> bool:
        """Whether what was there before has no part in the result."""
        return self.events[0].overwrites

    @cached_property
    def content(self) -> Content:
        """What its elements hold after it."""
        calls = self.place.calls
        if len(self.events) > 1 and not any(of_call(call) for call in calls):
            random = any(computed(one).random for one in self.events)
            return Content(None, str(calls[-1]), random)
        return computed(self.events[0] if calls else self.events[-1])

    @property
    def call(self) -> str:
        """The call or the operation, with its arguments."""
        calls = self.place.calls
        return str(calls[-1]) if calls else str(self.events[-1])

    @property
    def by_constructor(self) -> bool:
        """Whether a layer's constructor wrote it, and no initialization of the model: a constructor of
        torch's layers, a layer's own `reset_parameters` in its constructor, or a constructor that
        makes the tensor by a plain draw.
        """
        if self.place.constructing:
            return True
        return self.place.maker is not None and self.events[0].op in CREATION

    @property
    def loaded(self) -> bool:
        """Whether it came from a state dict."""
        return self.place.loading


@dataclass(frozen=True)
class History:
    """The writes of a tensor, the first first. `made_unset` says that its memory was left as it was
    when it was made; `seen`, that anything was recorded of it.
    """

    writes: tuple[Write, ...]
    made_unset: bool
    seen: bool
    views: tuple[View | None, ...]
    """What each write touched."""

    @property
    def last(self) -> Write | None:
        """The last write to all elements that does not depend on what was there."""
        return next((one for one in reversed(self.writes) if one.whole and one.overwrites), None)

    @property
    def since(self) -> tuple[Write, ...]:
        """The last such write, and what came after it."""
        last = self.last
        return self.writes if last is None else self.writes[self.writes.index(last) :]

    @property
    def content(self) -> Content | None:
        """What the tensor holds, apart from single rows that were written later; None if unknown."""
        whole = [one for one in self.since if one.whole]
        return whole[-1].content if whole and self.last is not None else None


def _is_same_call(a: Event, b: Event) -> bool:
    return (
        bool(a.place.calls and b.place.calls)
        and a.place.chain == b.place.chain
        and a.place.calls[-1] == b.place.calls[-1]
    )


def history(last: Event | None, view: View) -> History:
    """Return the history of a tensor with this view of a storage, whose last event is given."""
    if last is None:
        return History((), False, False, ())
    events = [(event, covers(event.view, view)) for event in reversed(list(last.past))]
    groups: list[list[tuple[Event, str]]] = []
    for event, part in events:
        if part == NONE or event.unset:
            continue
        if groups and _is_same_call(groups[-1][-1][0], event):
            groups[-1].append((event, part))
        else:
            groups.append([(event, part)])
    first = events[0][0]
    return History(
        tuple(_write(group) for group in groups),
        any(event.unset for event, _ in events) or (first.before is None and first.unset),
        True,
        tuple(event.view for event, part in events if part != NONE and not event.unset),
    )


def _write(group: Iterable[tuple[Event, str]]) -> Write:
    group = list(group)
    whole = any(part == WHOLE and not event.scattered for event, part in group)
    return Write(tuple(event for event, _ in group), whole)
