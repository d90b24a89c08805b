"""Results of runs, and the value of an expression over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from initlab.engine.registry import advice
from initlab.runner.claims.quantity import (
    FUNCTIONS,
    INDEX,
    REDUCTIONS,
    SAMPLES,
    SLOPE,
    Binary,
    Call,
    Node,
    Number,
    Path,
    Sample,
)
from initlab.runner.errors import EvidenceError, QuantityError
from initlab.runner.flat import flatten

STATS = "stats.json"
MANIFEST = "manifest.json"
VARIABLES = "vars"


@dataclass(frozen=True)
class Result:
    """What a finished run left: its id, the words that made it, its config and its statistics, both
    as plain mappings.
    """

    run_id: str
    overrides: tuple[str, ...]
    config: dict[str, Any]
    stats: dict[str, Any]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Dotted key -> value of the config; what the words chose of a group (`init` -> `he`)
        stands under the group's name.
        """
        given = dict(word.lstrip("+~").partition("=")[::2] for word in self.overrides)
        return {**given, **flatten(self.config)}

    def setting(self, name: str) -> Any:
        """The value of a key, or of `vars.<name>`. KeyError where there is neither."""
        return (
            self.settings[f"{VARIABLES}.{name}"]
            if f"{VARIABLES}.{name}" in self.settings
            else self.settings[name]
        )


def read_result(folder: FilePath, words: Sequence[str]) -> Result:
    """The result of a finished run that these words made. EvidenceError where its files are missing
    or damaged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        stats = json.loads((folder / STATS).read_text(encoding="utf-8"))
        return Result(str(manifest["run_id"]), tuple(words), manifest["config"], stats)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvidenceError(
            f"{folder}: the run's results are missing or damaged ({error}) - run its config again"
        ) from error


def number_in(found: Any) -> float | None:
    """A number of stats.json, which has a text for what is not finite and null for what there is
    not; None for anything else.
    """
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return None
    if isinstance(found, str):
        return float(found) if found in ("nan", "inf", "-inf") else None
    return float(found)


def evaluate(node: Node, results: Sequence[Result]) -> Sample:
    """The value over one run, or over several that differ in what a slope goes along. QuantityError
    with what is wrong.
    """
    match node:
        case Number(value):
            return Sample(np.array([value]), ("",), True)
        case Path():
            if len(results) > 1:
                raise QuantityError(
                    f"'{node.text}' is a number of each run - take a slope over them, or say which run "
                    "with 'where'"
                )
            return find(node, results[0])
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return evaluate(inner, results).map(FUNCTIONS[name])
        case Call(function=name, arguments=(inner,)) if name in REDUCTIONS:
            return _reduced(name, evaluate(inner, results))
        case Call(function=function, arguments=(y, x)) if function == SLOPE:
            return _slope(y, x, results)
        case Binary():
            return _joined(node, evaluate(node.left, results), evaluate(node.right, results))
    raise TypeError(node)


def _joined(node: Binary, left: Sample, right: Sample) -> Sample:
    if not (left.single or right.single) and len(left.values) != len(right.values):
        raise QuantityError(
            f"{len(left.values)} and {len(right.values)} values cannot be joined by '{node.sign}'"
        )
    with np.errstate(all="ignore"):
        operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.sign]
        values = operation(left.values, right.values)
    names = right.names if left.single and (not right.single or not any(left.names)) else left.names
    return Sample(values, names, left.single and right.single)


def _reduced(name: str, sample: Sample) -> Sample:
    bad = ~np.isfinite(SAMPLES[name](sample.values) if name in SAMPLES else sample.values)
    if bad.any():  # named by the first that is at fault
        return Sample(np.array([np.nan]), (sample.names[int(np.argmax(bad))],), True)
    return Sample(np.array([REDUCTIONS[name](sample.values)]), ("",), True)


def _slope(y: Node, x: Node, results: Sequence[Result]) -> Sample:
    """The least-squares slope: over the runs where each gives one number, else over the values of
    the one run.
    """
    along = [evaluate(y, [result]) for result in results]
    if not along[0].single and len(results) == 1:
        at = _indexed(x, along[0], results[0])
        return _fitted(at, along[0].values, along[0].names)
    if not all(sample.single for sample in along):
        raise QuantityError(
            "a slope over runs needs one number of each: reduce what they give with .mean or .log_mean"
        )
    ends = [evaluate(x, [result]) for result in results]
    return _fitted(
        np.concatenate([e.values for e in ends]),
        np.concatenate([s.values for s in along]),
        tuple(s.names[0] for s in along),
    )


def _fitted(x: np.ndarray, y: np.ndarray, names: tuple[str, ...]) -> Sample:
    bad = ~(np.isfinite(x) & np.isfinite(y))
    if bad.any():
        return Sample(np.array([np.nan]), (names[int(np.argmax(bad))],), True)
    spread = x - x.mean()
    if not spread.any():
        raise QuantityError("a slope needs two different places, all are the same")
    return Sample(np.array([float(spread @ (y - y.mean()) / (spread @ spread))]), ("",), True)


def _indexed(x: Node, y: Sample, result: Result) -> np.ndarray:
    """`x`, in which `index` counts the values of `y` from 0."""
    match x:
        case Path(steps=(only,)) if only == INDEX:
            return np.arange(len(y.values), dtype=np.float64)
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return FUNCTIONS[name](_indexed(inner, y, result))
        case Binary(sign, left, right):
            with np.errstate(all="ignore"):
                operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[sign]
                return operation(_indexed(left, y, result), _indexed(right, y, result))
    found = evaluate(x, [result])
    return np.broadcast_to(found.values, y.values.shape) if found.single else found.values


def find(path: Path, result: Result) -> Sample:
    """What a path leads to. QuantityError with the nearest name where it leads nowhere."""
    first, *rest = path.steps
    if first not in result.stats:
        return _setting(path, result)
    section = result.stats[first]
    if isinstance(section, dict):
        return _of_mapping(path, section, rest)
    return _of_rows(path, str(first), section, rest)


def _setting(path: Path, result: Result) -> Sample:
    name, first = ".".join(map(str, path.steps)), str(path.steps[0])
    try:
        found = result.setting(name)
    except KeyError:
        known = [
            *result.stats,
            *result.settings,
            *(k.removeprefix("vars.") for k in result.settings if k.startswith("vars.")),
        ]
        sections = f"sections: {', '.join(result.stats)}"
        raise QuantityError(
            f"'{path.text}': no section of {STATS} nor key of the config - "
            f"{_nearest(name, first, known)}{sections}"
        ) from None
    number = number_in(found)
    if number is None:
        raise QuantityError(f"'{path.text}' is {found!r} in the config, which is no number")
    return Sample(np.array([number]), ("",), True)


def _nearest(name: str, first: str, known: list[str]) -> str:
    """`did you mean 'x'? `, where something is near the whole or its first step; the many keys of a
    config are not listed.
    """
    said = advice(name, known)
    said = said if said.startswith("did you mean") else advice(first, known)
    return f"{said.partition('?')[0]}? " if said.startswith("did you mean") else ""


def _of_mapping(path: Path, section: dict[str, Any], rest: Sequence[str | int | slice]) -> Sample:
    if len(rest) != 1 or not isinstance(rest[0], str):
        raise QuantityError(f"'{path.text}' must name one of: {', '.join(section)}")
    if rest[0] not in section:
        raise QuantityError(f"'{path.text}': no '{rest[0]}' - {advice(rest[0], list(section))}")
    number = number_in(section[rest[0]])
    if number is None:
        raise QuantityError(f"'{path.text}' is {section[rest[0]]!r}, which is no number")
    return Sample(np.array([number]), (rest[0],), True)


def _of_rows(
    path: Path, section: str, rows: list[dict[str, Any]], rest: Sequence[str | int | slice]
) -> Sample:
    if len(rest) not in (2, 3):
        raise QuantityError(
            f"'{path.text}' must be {section}, which rows (*, [0], ['name']), a column, and then a "
            "reduction where there are several"
        )
    which, column = rest[0], rest[1]
    chosen, single = select(path.text, section, rows, which)
    known = list(dict.fromkeys(name for row in rows for name in row if name != "path"))
    if column not in known:
        raise QuantityError(
            f"'{path.text}': {section} has no column '{column}' - {advice(str(column), known)}"
        )
    kept = [(name, number_in(row.get(str(column)))) for name, row in chosen]
    found = [(name, number) for name, number in kept if number is not None]
    if not found:
        raise QuantityError(
            f"'{path.text}': zero samples, no row of {section} that was chosen has a number there"
        )
    sample = Sample(
        np.array([number for _, number in found]),
        tuple(f"{section}['{name}']" for name, _ in found),
        single,
    )
    if len(rest) == 2:
        return sample
    if rest[2] not in REDUCTIONS:
        raise QuantityError(
            f"'{path.text}': no reduction '{rest[2]}' - {advice(str(rest[2]), list(REDUCTIONS))}"
        )
    return _reduced(str(rest[2]), sample)


def select(
    text: str, section: str, rows: list[dict[str, Any]], which: str | int | slice
) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
    """((name, row) of the rows that are chosen, whether by itself)."""
    named = [(str(row.get("path", number)), row) for number, row in enumerate(rows)]
    if isinstance(which, slice):
        chosen = named[which]
    elif isinstance(which, int):
        if not -len(named) <= which < len(named):
            raise QuantityError(f"'{text}': {section} has {len(named)} rows, there is no [{which}]")
        return [named[which]], True
    else:
        chosen = [(name, row) for name, row in named if fnmatchcase(name, which)]
        if not chosen and named:
            raise QuantityError(
                f"'{text}': {section} has no '{which}' - {advice(which, [name for name, _ in named])}"
            )
    if not chosen:
        raise QuantityError(
            f"'{text}': zero samples, {section} has {len(named)} rows and none of these - measure it: "
            "probe=…, measure=[…]"
        )
    return chosen, isinstance(which, str) and not set(which) & set("*?[")
