"""What shows only when the model is built again: a spread that does not react, and what a file lacks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from initlab.runner.errors import ConfigError
from initlab.runner.torch.watch.checks.base import Check, register
from initlab.runner.torch.watch.record.arrays import array
from initlab.runner.torch.watch.record.found import Examined, Finding, Held, law_of
from initlab.runner.torch.watch.record.rebuilding import built

TIMES = 3.0
SPREADS = 6.0
"""Standard errors by which two spreads must differ to be different."""


@register
class NotWired(Check):
    """Random parameters that are the same after the declared spread was tripled: two builds from one
    seed, with one number changed.
    """

    id: ClassVar[str] = "not-wired"
    says: ClassVar[str] = "it does not react when the declared spread is tripled"

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield parameters with the same values in both builds."""
        knob = given.knob
        if knob is None:
            return
        models = [
            dict(built(partial(knob.build, number), _with(number, knob.said)).named_parameters())
            for number in (knob.value, TIMES * knob.value)
        ]
        first, second = models
        if first.keys() != second.keys() or not first.keys() & {
            one.name for one in given.parameters
        }:
            said = "gives other parameters than the model has, or others each time"
            raise ConfigError.of("build", said)
        if all(torch.equal(first[name], second[name]) for name in first):
            yield Finding(self.id, tuple(first), self._said(knob.said))
            return
        for held in given.parameters:
            content = held.history.content
            if held.name not in first or (content is not None and not content.random):
                continue
            if content is None and not _noisy(first[held.name]):
                continue
            if first[held.name].shape != second[held.name].shape:
                raise ConfigError.of("build", f"gives '{held.name}' of another shape each time")
            if torch.equal(first[held.name], second[held.name]):
                yield self.of(held, self._said(knob.said))

    def _said(self, knob: str) -> str:
        return f"is the same when {knob} is tripled"


def _with(number: float, knob: str) -> str:
    return f"with {number:g} for {knob}"


def _noisy(tensor: Any) -> bool:
    values = array(tensor)
    return values is not None and np.unique(values.reshape(-1)[:64]).size > 8


@register
class MissingKey(Check):
    """Tensors that a file lacks, and that are not as a fresh build makes them."""

    id: ClassVar[str] = "missing-key"
    says: ClassVar[str] = (
        "loaded from a file that lacks it, it differs from what a fresh build gives"
    )

    def look(self, given: Examined) -> Iterator[Finding]:
        """Yield tensors that were not loaded where others were, if they hold something else."""
        missing = list(_missing(given))
        if not missing or given.fresh is None:
            return
        fresh = {one.name: one for one in given.fresh().held}
        for held in missing:
            other = fresh.get(held.name)
            if other is None:
                raise ConfigError.of("build", f"gives no '{held.name}', which the model has")
            if differs(held, other):
                yield self.of(
                    held,
                    f"was not loaded, and holds {said(held)}; a fresh build gives {said(other)}",
                )


def _missing(given: Examined) -> Iterator[Held]:
    """Yield what was not loaded, if anything was."""
    own = [one for one in given.own if one.kept]
    if given.loaded is not None:
        same = {one.name: {one.name} for one in own}
        for one in given.held:
            if one.tied_to in same:
                same[one.tied_to].add(one.name)
        yield from (one for one in own if not same[one.name] & given.loaded)
        return
    loaded = [
        one
        for one in own
        if any(write.loaded for write in one.history.since) or not one.history.seen
    ]
    if loaded:
        yield from (one for one in own if one not in loaded)


def said(held: Held) -> str:
    """Return what a tensor holds, in a few words."""
    tensor = held.tensor.detach()
    if tensor.dtype.is_floating_point and bool(tensor.isnan().any()):
        return "unset memory"
    return law_of(held)


def differs(held: Held, fresh: Held) -> bool:
    """Return whether a tensor holds something else than a fresh one, apart from chance."""
    mine, other = held.history.content, fresh.history.content
    if tuple(held.tensor.shape) != tuple(fresh.tensor.shape):
        return True
    if mine is not None and other is not None and (mine.random or other.random):
        return said(held) != said(fresh)
    a, b = array(held.tensor), array(fresh.tensor)
    if a is None or b is None:
        return False
    if other is not None and not other.random:
        return not np.array_equal(a, b)
    return _spreads_differ(a.astype(np.float64), b.astype(np.float64))


def _spreads_differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether the root mean squares differ by more than chance, or one is not finite."""
    x, y = float(np.sqrt((a * a).mean())), float(np.sqrt((b * b).mean()))
    if not np.isfinite([x, y]).all() or not x or not y:
        return x != y
    return abs(np.log(x / y)) > SPREADS * np.sqrt(1 / max(1, a.size))
