"""The law of what was written, from the operations and their arguments alone.

A call of `torch.nn.init` is read by its name and arguments. An operation is read by its own: a draw, a
number, a copy of another tensor, and arithmetic with a number on any of them. What else was computed
has no law here, but a name: the operations it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from initlab.engine import laws
from initlab.engine.errors import MXNetError
from initlab.runner.torch.watch.record.places import Call
from initlab.runner.torch.watch.record.recording import Event, View

FAR = 8.0
"""Deviations from which on a cut cuts nothing: a draw lies beyond them in 1 of 10^15."""
DEEPEST = 5
COPIES = {"copy_", "clone", "_to_copy", "contiguous", "cat", "stack", "repeat", "_reshape_copy"}
UNNAMED = 6
"""Operations that the name of what was computed lists."""


@dataclass(frozen=True)
class Content:
    """What a tensor holds: a law, if its operations tell one, and in any case a name for it."""

    law: laws.Law | None
    name: str
    random: bool


def of_number(value: float) -> Content:
    """Return the content that is one number."""
    return of_law(laws.Constant(value))


def of_law(law: laws.Law) -> Content:
    """Return the content of a law."""
    return Content(law, str(law), law.random)


def normal(mean: float = 0.0, std: float = 1.0) -> Content:
    """Return the normal law; without a spread it is a number."""
    return of_law(laws.Normal(mean, std)) if std > 0 else of_number(mean)


def uniform(low: float = 0.0, high: float = 1.0) -> Content:
    """Return the uniform law; without a width it is a number."""
    return of_law(laws.Uniform(low, high)) if high > low else of_number(low)


def cut(mean: float, std: float, low: float, high: float) -> Content:
    """Return a normal law that is cut at `low` and `high`, which may be too far to cut anything."""
    if std <= 0:
        return of_number(mean)
    ends = (low - mean) / std, (high - mean) / std
    if ends[0] < -FAR and ends[1] > FAR:
        return normal(mean, std)
    return of_law(laws.TruncatedNormal(mean, std, *ends))


CALLS: dict[str, Callable[..., Content]] = {
    "normal_": lambda mean=0.0, std=1.0: normal(mean, std),
    "uniform_": lambda a=0.0, b=1.0: uniform(a, b),
    "constant_": lambda val: of_number(val),
    "zeros_": lambda: of_number(0),
    "ones_": lambda: of_number(1),
    "trunc_normal_": lambda mean=0.0, std=1.0, a=-2.0, b=2.0: cut(mean, std, a, b),
    "orthogonal_": lambda gain=1.0: of_law(laws.Haar(gain)),
    "eye_": lambda: of_law(laws.Structured("identity", 1.0)),
}
"""Functions of torch.nn.init -> the law of their arguments."""
DRAWS: dict[str, Callable[..., Content]] = {
    "normal_": lambda mean=0.0, std=1.0, *_: normal(mean, std),
    "normal": lambda mean=0.0, std=1.0, *_: normal(mean, std),
    "uniform_": lambda low=0.0, high=1.0, *_: uniform(low, high),
    "randn": lambda *_: normal(),
    "randn_like": lambda *_: normal(),
    "rand": lambda *_: uniform(),
    "rand_like": lambda *_: uniform(),
    "zero_": lambda *_: of_number(0),
    "zeros": lambda *_: of_number(0),
    "zeros_like": lambda *_: of_number(0),
    "new_zeros": lambda *_: of_number(0),
    "ones": lambda *_: of_number(1),
    "ones_like": lambda *_: of_number(1),
    "new_ones": lambda *_: of_number(1),
    "fill_": lambda value, *_: of_number(value),
    "fill": lambda value, *_: of_number(value),
    "full": lambda value, *_: of_number(value),
    "full_like": lambda value, *_: of_number(value),
    "new_full": lambda value, *_: of_number(value),
}
"""Operations that make new values -> the law of their numbers."""
SCALES: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "mul": lambda number, _: (number, 0.0),
    "div": lambda number, _: (1 / number, 0.0),
    "neg": lambda *_: (-1.0, 0.0),
    "add": lambda number, times: (1.0, number * times),
    "sub": lambda number, times: (1.0, -number * times),
}
"""Operations with a number -> (factor, what is added)."""


def moved(law: laws.Law, factor: float, added: float) -> laws.Law | None:
    """Return the law of `factor` times what follows a law, plus `added`."""
    if isinstance(law, laws.Constant) and isinstance(law.value, (int, float)):
        return laws.Constant(factor * law.value + added)
    if factor == 0:
        return laws.Constant(added)
    if isinstance(law, laws.Normal):
        return laws.Normal(factor * law.mean + added, abs(factor) * law.std)
    if isinstance(law, laws.Uniform):
        low, high = sorted((factor * law.low + added, factor * law.high + added))
        return laws.Uniform(low, high)
    if isinstance(law, laws.TruncatedNormal):
        ends = (law.low, law.high) if factor > 0 else (-law.high, -law.low)
        return laws.TruncatedNormal(factor * law.location + added, abs(factor) * law.scale, *ends)
    if isinstance(law, laws.Haar) and added == 0:
        return laws.Haar(abs(factor) * law.gain)
    return None


def of_call(call: Call) -> Content | None:
    """Return the content that a call of torch.nn.init makes; None for one that is not known."""
    known = CALLS.get(call.name)
    if known is None:
        return None
    try:
        return known(**{k: v for k, v in call.arguments if k in known.__code__.co_varnames})
    except (TypeError, ValueError, MXNetError):
        return None


def computed(event: Event, deep: int = 0) -> Content:
    """Return the content of a storage right after an event."""
    try:
        found = _computed(event, deep)
    except (TypeError, ValueError, ZeroDivisionError, MXNetError):
        found = None
    return found or Content(None, _name(event), _random(event))


def _computed(event: Event, deep: int) -> Content | None:
    numbers = [value for value in event.arguments if isinstance(value, (int, float))]
    for call in event.place.calls:
        made = of_call(call)
        if made is not None:
            return made
    if event.op in DRAWS:
        return DRAWS[event.op](*numbers)
    if deep > DEEPEST:
        return None
    if event.op in COPIES and event.sources:
        parts = {computed(_whole(one), deep + 1) for one in event.sources}
        return parts.pop() if len(parts) == 1 else None
    short = event.op.removesuffix("_")
    if short not in SCALES or not (numbers or short == "neg"):
        return None
    if event.op.endswith("_"):
        given = None if event.sources or event.before is None else _whole(event.before, event.view)
    else:
        given = _whole(event.sources[0]) if len(event.sources) == 1 else None
    before = None if given is None else computed(given, deep + 1)
    if before is None or before.law is None:
        return None
    number, times = (*map(float, numbers), 1.0, 1.0)[:2]
    law = moved(before.law, *SCALES[short](number, times))
    return None if law is None else of_law(law)


def _whole(event: Event, view: View | None = None) -> Event:
    """Return the last event on a storage, up to this one, that wrote all of it, or all of a view; if
    there is none, this one.
    """
    for one in event.past:
        if one.view in (None, view) and not one.scattered:
            return one
    return event


def _ancestors(event: Event) -> list[Event]:
    """Return the events that a content came from, this one first."""
    found: dict[int, Event] = {}
    waiting = [event]
    while waiting and len(found) < 1000:
        one = waiting.pop(0)
        if one.number in found:
            continue
        found[one.number] = one
        waiting += one.sources
        if one.before is not None and not one.overwrites:
            waiting.append(one.before)
    return list(found.values())


def _random(event: Event) -> bool:
    return any(one.drawn for one in _ancestors(event))


def _name(event: Event) -> str:
    """Return the operations that a content came from, the last first."""
    if event.place.calls and event.place.calls[-1].name not in CALLS:
        return str(event.place.calls[-1])
    ops = list(
        dict.fromkeys(
            one.op.removesuffix("_")
            for one in _ancestors(event)
            if one.op not in COPIES and not one.unset
        )
    )
    more = ", …" if len(ops) > UNNAMED else ""
    return f"computed by {', '.join(ops[:UNNAMED])}{more}" if ops else "a copy"


def from_unset(event: Event) -> bool:
    """Return whether memory that nobody wrote has a part in a content."""
    return any(one.unset for one in _ancestors(event))
