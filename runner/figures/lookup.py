"""Lookup of a path in a run: in its statistics, or else in its config.

The first step is a section of `stats.json`, a name of the config's `vars`, or a key of the config,
in this order. All errors are QuantityErrors with the nearest name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

import numpy as np

from initlab.engine.registry import advice, nearest
from initlab.runner.errors import QuantityError
from initlab.runner.figures.path import Part, Path, Step, is_pattern
from initlab.runner.figures.samples import REDUCTIONS, Sample, reduced
from initlab.runner.figures.unknown import ANYTHING, Open, Rows
from initlab.runner.json_values import number, restored

VARIABLES = "vars"
SECTION_AND_NAME = 2
"""Steps of a path to a figure that is in no row."""
MEANT = "did you mean"
MEASURE_IT = "choose what does: probe=…, measure=[…]"


class Run(Protocol):
    """A run whose figures can be looked up: its resolved config, and its `stats.json` or a sketch
    of it.
    """

    @property
    def config(self) -> Mapping[str, object]:
        """The resolved config."""

    @property
    def stats(self) -> Mapping[str, object]:
        """The sections: name -> rows or figures."""


@dataclass(frozen=True)
class Measured:
    """A run as its config and its statistics."""

    config: Mapping[str, object]
    stats: Mapping[str, object]


@dataclass(frozen=True)
class Found:
    """The values of a path, each with its name (`layers['body.3.fc']`).

    `single` says whether the path names one value by itself; `measured` is false for a key of the
    config.
    """

    values: tuple[tuple[str, object], ...]
    single: bool = True
    measured: bool = True


def numbers(path: Path, run: Run) -> Sample:
    """Return the numbers of a path; entries without one are left out."""
    found = find(path, run)
    for _, value in found.values:
        _refuse_container(path, value)
    sample = _sample(found)
    if sample is not None:
        return sample
    value = next((value for _, value in found.values if value is not None), None)
    of_rows = found.measured and len(path.steps) > SECTION_AND_NAME
    if not of_rows or value is not None:
        where = "" if found.measured else " in the config"
        raise QuantityError(f"'{path}' {_is(value, where)}")
    raise _zero(path, len(path.steps))


def figure(path: Path, run: Run) -> float:
    """Return the one number of a path; NaN if it was not measured."""
    value = plain(path, run)
    found = math.nan if value is None else number_in(value)
    if found is None:
        raise QuantityError(f"'{path}' {_is(value)} - name one number")
    return found


def plain(path: Path, run: Run) -> object:
    """Return the one value of a path: a number, a text, true, false or None."""
    found = find(path, run)
    for _, value in found.values:
        _refuse_container(path, value)
    if not found.single:
        count = len(found.values)
        said = f"gives {count} values" if count > 1 else "may give several values"
        raise QuantityError(f"'{path}' {said} - reduce them to one, with .mean or .max")
    value = found.values[0][1]
    return restored(value) if found.measured else value


def listed(path: Path, run: Run) -> object:
    """Return the one value of a path, or the list of plain values that it names, like `tags`."""
    found = find(path, run)
    value = found.values[0][1]
    several = isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value)
    return value if found.single and several else plain(path, run)


def column(
    path: Path, runs: Sequence[Run], others: Iterable[Run] = (), lists: bool = False
) -> list[object]:
    """Return the value in each run, None where a run has no such figure; with `lists`, it may be a
    list of plain values.

    Raises QuantityError if no run has one, neither of the `others`.
    """
    read = listed if lists else plain
    values: list[object] = []
    lost: list[tuple[Run, QuantityError]] = []
    for run in runs:
        try:
            values.append(read(path, run))
        except QuantityError as error:
            values.append(None)
            lost.append((run, error))
    if not lost or len(lost) < len(values):
        return values
    for run in others:
        try:
            read(path, run)
        except QuantityError as error:
            lost.append((run, error))
        else:
            return values
    raise max(lost, key=lambda one: telling(*one))[1]


def telling(run: Run, error: QuantityError) -> tuple[bool, bool, bool]:
    """Return how much an error about a run tells, the more the larger: that of a run whose config is
    known, one that knows what is meant, one that knows other names.
    """
    return bool(run.config), MEANT in str(error), error.unknown


def number_in(value: object) -> float | None:
    """Return a number, also from a text like `nan` in `stats.json`; None for anything else.

    A value that is not known yet counts as a number.
    """
    return math.nan if value is ANYTHING else number(value)


def _is(value: object, where: str = "") -> str:
    return f"is {value!r}{where}, which is no number"


def find(path: Path, run: Run) -> Found:
    """Return the values of a path, numbers or not."""
    first = str(path.steps[0])
    variables = run.config.get(VARIABLES)
    roots: list[tuple[object, bool]] = []
    if first in run.stats:
        roots = [(run.stats[first], True)]
    elif isinstance(variables, dict) and first in variables:
        roots = [(variables[first], False)]
    if first not in run.stats and first in run.config:
        roots.append((run.config[first], False))
    if not roots and isinstance(run.stats, Open):
        roots = [(ANYTHING, True)]
    if not roots:
        raise _no_root(path, run)
    for at, (root, measured) in enumerate(roots):
        try:
            return _walk(path, root, measured)
        except QuantityError:
            if at == len(roots) - 1:
                raise
    raise AssertionError(path)


def _no_root(path: Path, run: Run) -> QuantityError:
    """Return the error for an unknown first step. It does not list the many keys of a config."""
    variables = run.config.get(VARIABLES)
    known = [*run.stats, *run.config, *(variables if isinstance(variables, dict) else ())]
    first = str(path.steps[0])
    figures = run.stats.get("figures")
    inside = isinstance(figures, dict) and first in figures
    near = f"figures.{first}" if inside else nearest(first, map(str, known))
    meant = f"did you mean '{near}'? " if near is not None else ""
    sections = ", ".join(sorted(run.stats)) or "none"
    return QuantityError(
        f"'{path}': no section of stats.json nor key of the config is called '{path.steps[0]}' - "
        f"{meant}Known: {sections}, and the keys of the config.",
        unknown=True,
    )


def _walk(path: Path, root: object, measured: bool) -> Found:
    found = Found((("", root),), True, measured)
    for at, step in enumerate(path.steps[1:], 1):
        if at == len(path.steps) - 1 and step in REDUCTIONS and not _hold_more(found):
            return _reduce(path, str(step), found)
        found = _step(path, at, step, found)
    return found


def _hold_more(found: Found) -> bool:
    return any(isinstance(value, (dict, list, Rows)) for _, value in found.values)


def _sample(found: Found) -> Sample | None:
    """Return the numbers among the values found, or None if there are none."""
    kept = [(name, number_in(value)) for name, value in found.values]
    names = tuple(name for name, value in kept if value is not None)
    values = np.array([value for _, value in kept if value is not None], np.float64)
    return Sample(values, names, found.single) if names else None


def _reduce(path: Path, name: str, found: Found) -> Found:
    sample = _sample(found)
    if sample is None:
        said = next((value for _, value in found.values if value is not None), None)
        if said is not None:
            raise QuantityError(f"'{path}': '{path.below(len(path.steps) - 1)}' {_is(said)}")
        raise _zero(path, len(path.steps) - 1)
    one = reduced(name, sample)
    return Found(((one.names[0], float(one.values[0])),), True, found.measured)


def _zero(path: Path, count: int) -> QuantityError:
    section = path.below(max(1, count - 2))
    return QuantityError(
        f"'{path}': zero samples, no row of {section} that was chosen has a number there"
    )


def _step(path: Path, at: int, step: Step, found: Found) -> Found:
    """Take one step from all values found.

    Entries without the name are dropped; it is an error if no entry has it.
    """
    values: list[tuple[str, object]] = []
    for name, value in found.values:
        values += _below(path, at, step, name, value)
    if not values:
        raise _lost(path, at, step, found)
    single = found.single and (not is_pattern(step) or _is_key(step, found))
    return Found(tuple(values), single, found.measured)


def _is_key(step: Step, found: Found) -> bool:
    """Return whether a step that looks like a pattern is itself a key, as in `init.params`."""
    return isinstance(step, str) and all(
        isinstance(value, dict) and step in value for _, value in found.values
    )


def _below(
    path: Path, at: int, step: Step, name: str, value: object
) -> Iterator[tuple[str, object]]:
    """Return the values of that name in one value: none, one or several."""
    if value is ANYTHING:
        yield name, ANYTHING
    elif isinstance(value, Rows):
        if not value.numbered or not isinstance(step, str) or is_pattern(step) or step.isdigit():
            yield f"{path.below(at)}['{step}']", value.row
    elif isinstance(value, dict) and not isinstance(step, Part):
        named = {str(key): entry for key, entry in value.items()}
        keys = [str(step)] if str(step) in named else _matching(step, named)
        yield from ((name or key, named[key]) for key in keys)
        if not keys and isinstance(value, Open):
            yield name, ANYTHING
    elif isinstance(value, list):
        for label, entry in _entries(value, step):
            yield f"{path.below(at)}['{label}']", entry


def _matching(step: Step, names: Iterable[str]) -> list[str]:
    return [name for name in names if is_pattern(step) and fnmatchcase(name, str(step))]


def _labels(entries: Sequence[object]) -> list[str]:
    """Return the names of a list's entries: their `path`, else their index."""
    return [
        str(entry.get("path", number)) if isinstance(entry, dict) else str(number)
        for number, entry in enumerate(entries)
    ]


def _entries(entries: Sequence[object], step: Step) -> list[tuple[str, object]]:
    labelled = list(zip(_labels(entries), entries, strict=True))
    if isinstance(step, Part):
        return step.of(labelled)
    if isinstance(step, int):
        return [labelled[step]] if -len(entries) <= step < len(entries) else []
    exact = [pair for pair in labelled if pair[0] == step]
    return exact or [pair for pair in labelled if fnmatchcase(pair[0], step)]


def _lost(path: Path, at: int, step: Step, found: Found) -> QuantityError:
    """Return the error for a step that finds nothing."""
    place = path.below(at)
    values = [value for _, value in found.values]
    mappings = [value for value in values if isinstance(value, dict)]
    lists = [value for value in values if isinstance(value, list)]
    if at == 1 and found.measured and not values[0] and (mappings or lists):
        return QuantityError(f"'{path}': nothing measures {place} - {MEASURE_IT}")
    if lists:
        return _no_entry(path, place, step, lists[0])
    if mappings:
        known = list(dict.fromkeys(key for value in mappings for key in value if key != "path"))
        said = advice(str(step), known)
        if isinstance(step, Part):
            said = f"'{path}': {place} has no rows, there is no [{step}] - {said}"
        elif found.single:
            said = f"'{path}': {place} has no '{step}' - {said}"
        else:
            said = f"'{path}': {path.below(at - 1)} has no column '{step}' - {said}"
        return QuantityError(said, unknown=True)
    if any(isinstance(value, Rows) for value in values):
        said = (
            f"'{path}': {place} is a list, it has no '{step}' - choose an entry, like [0] or [-1]"
        )
        return QuantityError(said)
    if at == len(path.steps) - 1 and isinstance(step, str):
        said = f"'{path}': no reduction '{step}' - {advice(step, REDUCTIONS)}"
        return QuantityError(said, unknown=True)
    return QuantityError(f"'{path}': {place} is one value, it has no '{_shown(step)}'")


def _no_entry(path: Path, place: Path, step: Step, entries: Sequence[object]) -> QuantityError:
    if isinstance(step, int):
        known = f"Known: 0 to {len(entries) - 1}." if entries else "Known: none."
        return QuantityError(
            f"'{path}': {place} has {len(entries)} rows, there is no [{step}] - {known}",
            unknown=True,
        )
    if isinstance(step, Part):
        return QuantityError(
            f"'{path}': zero samples, {place} has {len(entries)} rows and none of these"
        )
    said = f"'{path}': {place} has no '{step}' - {advice(step, _labels(entries))}"
    return QuantityError(said, unknown=True)


def _shown(step: Step) -> str:
    return str(Path((step,)))


def _refuse_container(path: Path, value: object) -> None:
    """Raise QuantityError if a value is a container."""
    if isinstance(value, dict):
        names = ", ".join(str(name) for name in value if name != "path") or "nothing"
        raise QuantityError(f"'{path}' holds {names} and is no single value - name one of them")
    if isinstance(value, (list, Rows)):
        count = f"{len(value)} entries" if isinstance(value, list) else "rows"
        raise QuantityError(
            f"'{path}' holds {count} and is no single value - say which (*, [0], ['name']), then the "
            "column, then a reduction where there are several"
        )
