"""Which code wrote last, and what was lost by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import ClassVar

from initlab.runner.torch.watch.checks.base import Check, register
from initlab.runner.torch.watch.record.found import Examined, Finding, Held
from initlab.runner.torch.watch.record.history import Write
from initlab.runner.torch.watch.record.recording import Event

Chain = tuple[tuple[str, str, int], ...]


def sites(given: Examined) -> dict[Chain, set[str]]:
    """Return the places of the model's own initialization -> the parameters they wrote."""
    found: dict[Chain, set[str]] = defaultdict(set)
    for held in given.parameters:
        for write in held.history.writes:
            if held.in_scheme(write):
                found[write.place.chain].add(held.name)
    return found


def has_scheme(given: Examined) -> bool:
    """Return whether the model has an initialization of its own: a place that drew random values for
    parameters of at least two modules.
    """
    owners: dict[Chain, set[int]] = defaultdict(set)
    for held in given.parameters:
        for write in held.history.writes:
            if held.in_scheme(write) and write.overwrites and write.content.random:
                owners[write.place.chain].add(id(held.owner))
    return any(len(each) > 1 for each in owners.values())


@register
class NotByScheme(Check):
    """Random values that a constructor left, in a model that has an initialization of its own."""

    id: ClassVar[str] = "not-by-scheme"
    says: ClassVar[str] = (
        "its last write came from a constructor, the model's own scheme never reached it"
    )

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield parameters that the scheme left out. Constants, like a norm's, may stay as they are, and
        so may what follows its declared law.
        """
        if not has_scheme(given):
            return
        for held in given.parameters:
            last = held.history.last
            if last is None or not last.by_constructor or held.name in given.agreeing:
                continue
            reached = any(held.in_scheme(one) for one in held.history.since)
            if last.content.random and not reached:
                file, function = last.place.writer
                yield self.of(
                    held,
                    f"holds {last.content.name} of the constructor ({file} {function}); the model's "
                    "own initialization never wrote it",
                )


@register
class Overridden(Check):
    """A law that one part of the scheme gave and another part took away.

    A write to fewer parameters is a special case of the one before: residual layers after all layers.
    A write to more, or to the same, takes a special choice away.
    """

    id: ClassVar[str] = "overridden"
    says: ClassVar[str] = "two parts of the scheme gave it different laws"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield parameters with a law that was lost."""
        found = sites(given)
        for held in given.parameters:
            pair = _lost(held, found)
            if pair is not None:
                first, second = pair
                yield self.of(
                    held,
                    f"{first.content.name} by {first.place} was overwritten with "
                    f"{second.content.name} by {second.place}",
                )


def _lost(held: Held, found: Mapping[Chain, set[str]]) -> tuple[Write, Write] | None:
    """Return (the write that was lost, the one that overwrote it), or None."""
    scheme = [one for one in held.history.writes if held.in_scheme(one)]
    final = held.history.content
    for first, second in zip(scheme, scheme[1:], strict=False):
        if not (second.whole and second.overwrites) or _reads(second, first):
            continue
        kept = final is not None and first.content.name == final.name
        narrower = found[second.place.chain] < found[first.place.chain]
        if first.content.name != second.content.name and not kept and not narrower:
            return first, second
    return None


def _reads(second: Write, first: Write) -> bool:
    """Return whether the second write was computed from what the first one made."""
    made = {event.number for event in first.events}
    waiting: list[Event] = [source for event in second.events for source in event.sources]
    seen: set[int] = set()
    while waiting and len(seen) < 1000:
        event = waiting.pop()
        if event.number in made:
            return True
        if event.number not in seen:
            seen.add(event.number)
            waiting += [*event.sources, *([event.before] if event.before else [])]
    return False
