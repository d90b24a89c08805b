"""Base class of symptoms: each looks at an observation for one thing that is known to hurt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from initlab.engine.registry import Registry
from initlab.runner.evidence.diagnosed import Finding
from initlab.runner.observation.passes import Observation, Stage
from initlab.runner.plan.form import Form
from initlab.runner.plan.row import Row
from initlab.runner.symptoms.scale import Scale

REGISTRY: Registry[type[Symptom]] = Registry("symptom", __package__)
NETWORK = "the network"


@dataclass(frozen=True)
class Examined:
    """What a symptom is looked for in: the observation, the plan's rows by path, the first update by the
    declared optimizer at its declared learning rate (rows of `updates` in `stats.json`), that rate, and
    what to type instead. `sections` are those of the measurements that were chosen.
    """

    seen: Observation
    rows: Mapping[str, Row] = field(default_factory=dict)
    updates: Sequence[Mapping[str, Any]] = ()
    rate: float | None = None
    cure: tuple[str, ...] = ()
    sections: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What was measured at one place, in words, and as the figure that its scale places."""

    where: str
    figure: float
    measured: str
    expected: str
    error: float | None = None
    instead: tuple[str, ...] | None = None
    """Words to type; None for those that suit the network."""


class Symptom:
    """Base class of symptoms. A subclass says in `title` what it looks for.

    `of_input` says whether it is about what enters, and not about the network. One that `hides`
    makes figures of the network meaningless: if it is harmful, only what needs no figures of a pass,
    `by_form`, is looked for besides. An `effect` follows from causes, and is said after them. One that
    reads a `section` of a measurement is looked for only if that was chosen.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    source: ClassVar[str]
    scale: ClassVar[Scale]
    of_input: ClassVar[bool] = False
    hides: ClassVar[bool] = False
    by_form: ClassVar[bool] = False
    effect: ClassVar[bool] = False
    section: ClassVar[str | None] = None

    def look(self, given: Examined) -> Iterator[Reading]:
        """Yield what was measured, good or bad; `scale` decides what becomes a finding."""
        raise NotImplementedError(f"symptom '{self.id}' defines no look")

    def declared(self, form: Form) -> Iterator[Reading]:
        """Yield what the form of a network alone shows, without a pass: by default nothing."""
        yield from ()

    def readings(self, given: Examined) -> Iterator[tuple[float, Reading]]:
        """Yield (place on the scale, reading)."""
        for reading in self.look(given):
            yield self.scale.place(reading.figure), reading

    def findings(self, given: Examined) -> Iterator[Finding]:
        """Yield what is at least odd; of several readings of one symptom the worst, which says how many
        more there are.
        """
        yield from self._worst(self.look(given), given.cure)

    def findings_declared(self, form: Form, cure: tuple[str, ...]) -> Iterator[Finding]:
        """Yield what is at least odd in the form of a network alone, like `findings`."""
        yield from self._worst(self.declared(form), cure)

    def _worst(self, readings: Iterator[Reading], cure: tuple[str, ...]) -> Iterator[Finding]:
        placed = [(self.scale.place(reading.figure), reading) for reading in readings]
        placed = [(place, reading) for place, reading in placed if place >= 0]
        if not placed:
            return
        place, worst = max(placed, key=lambda item: item[0])
        more = f" ({len(placed) - 1} more like it)" if len(placed) > 1 else ""
        yield Finding(
            id=self.id,
            where=worst.where,
            figure=worst.figure,
            error=worst.error,
            measured=worst.measured + more,
            expected=worst.expected,
            why=self.why,
            source=self.source,
            instead=cure if worst.instead is None else worst.instead,
            place=place,
        )


def register(cls: type[Symptom]) -> type[Symptom]:
    """Register a symptom under its `id` (a decorator)."""
    return REGISTRY.add(cls.id, cls)


def slope(stages: Sequence[Stage], figures: Sequence[float | None]) -> float | None:
    """Return the factor of a figure for each stage, from a least-squares line through its
    logarithms.

    Stages without a positive figure are left out; None with fewer than three.
    """
    import numpy as np

    points = [(n, np.log(f)) for n, f in enumerate(figures) if f is not None and 0 < f < np.inf]
    if len(points) < 3 or len(stages) != len(figures):
        return None
    x, y = zip(*points, strict=True)
    return float(np.exp(np.polyfit(x, y, 1)[0]))
