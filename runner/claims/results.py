"""Results of runs, and the value of an expression over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from initlab.runner.claims.quantity import (
    FUNCTIONS,
    INDEX,
    SLOPE,
    Binary,
    Call,
    Node,
    Number,
)
from initlab.runner.errors import QuantityError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.figures.lookup import Run, find, numbers
from initlab.runner.figures.path import Path, parse_path
from initlab.runner.figures.samples import REDUCTIONS, Sample, reduced
from initlab.runner.figures.unknown import Always


@dataclass(frozen=True)
class Result:
    """The result of a finished run: its id, its words, its config and its statistics.

    Config and statistics are plain mappings.
    """

    run_id: str
    overrides: tuple[str, ...]
    config: dict[str, Any]
    stats: dict[str, object]

    @property
    def words(self) -> dict[str, str]:
        """The words of the run as {key: value}; the value of a config group is the chosen option."""
        return dict(word.lstrip("+~").partition("=")[::2] for word in self.overrides)

    def setting(self, name: str) -> object:
        """Return the config's value at a key, or at `vars.<name>`. Raises KeyError if there is
        neither.
        """
        try:
            found = find(parse_path(name), replace(self, stats={}))
        except QuantityError as error:
            raise KeyError(name) from error
        return found.values[0][1]


SLOPE_OVER_RUNS = (
    "a slope over runs needs one number of each run - reduce its values with .mean or .log_mean"
)


@dataclass(frozen=True)
class Shape:
    """Whether an expression is one number by itself, and of how many numbers it is.

    The count is None if only the run tells.
    """

    single: bool
    count: int | None


ONE = Shape(True, 1)


def read_result(folder: FilePath, words: Sequence[str]) -> Result:
    """Read the result of a finished run that these words made.

    Raises EvidenceError if its files are missing or damaged.
    """
    run = RunFolder(folder)
    return Result(run.manifest.run_id, tuple(words), run.config, run.stats.by_name)


def evaluate(node: Node, results: Sequence[Result]) -> Sample:
    """Return the value of an expression over one run, or over several if it is a slope over runs.

    Raises QuantityError that says what is wrong.
    """
    match node:
        case Number(value):
            return Sample(np.array([value]), ("",), True)
        case Path():
            if len(results) > 1:
                raise _of_each_run(node)
            return numbers(node, results[0])
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return evaluate(inner, results).map(FUNCTIONS[name])
        case Call(function=name, arguments=(inner,)) if name in REDUCTIONS:
            return reduced(name, evaluate(inner, results))
        case Call(function=function, arguments=(y, x)) if function == SLOPE:
            return _slope(y, x, results)
        case Binary():
            return _joined(node, evaluate(node.left, results), evaluate(node.right, results))
    raise TypeError(node)


def _of_each_run(path: Path) -> QuantityError:
    return QuantityError(
        f"'{path}' gives one number for each run - take a slope over them, or choose one run with "
        "'where'"
    )


def not_one(count: int | None) -> QuantityError:
    """Return the error for a quantity of several numbers; their count is None if it is not known."""
    number = "several" if count is None else count
    return QuantityError(
        f"gives {number} values for each run - reduce them to one, with .mean or .log_mean"
    )


def _joined(node: Binary, left: Sample, right: Sample) -> Sample:
    _paired(node.sign, shape_of(left), shape_of(right))
    with np.errstate(all="ignore"):
        operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.sign]
        values = operation(left.values, right.values)
    names = right.names if left.single and (not right.single or not any(left.names)) else left.names
    return Sample(values, names, left.single and right.single)


def _slope(y: Node, x: Node, results: Sequence[Result]) -> Sample:
    """Return the least-squares slope.

    It is taken over runs if there are several, each with one number, else over the values of the
    one run.
    """
    along = [evaluate(y, [result]) for result in results]
    if not along[0].single and len(results) == 1:
        at = _indexed(x, along[0], results[0])
        return _fitted(at, along[0].values, along[0].names)
    if not all(sample.single for sample in along):
        raise QuantityError(SLOPE_OVER_RUNS)
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
        raise QuantityError("a slope needs two different values along its axis, all are the same")
    return Sample(np.array([float(spread @ (y - y.mean()) / (spread @ spread))]), ("",), True)


def _indexed(x: Node, y: Sample, result: Result) -> np.ndarray:
    """Return the values of `x`; in it, `index` counts the values of `y` from 0."""
    match x:
        case Path(steps=(only,)) if only == INDEX:
            return np.arange(len(y.values), dtype=np.float64)
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return FUNCTIONS[name](_indexed(inner, y, result))
        case Binary(sign, left, right):
            with np.errstate(all="ignore"):
                operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[sign]
                found: np.ndarray = operation(_indexed(left, y, result), _indexed(right, y, result))
                return found
    sample = evaluate(x, [result])
    _paired(SLOPE, shape_of(y), shape_of(sample))
    return np.broadcast_to(sample.values, y.values.shape) if sample.single else sample.values


def shape_of(sample: Sample) -> Shape:
    """Return the shape of numbers."""
    return Shape(sample.single, len(sample.values))


def shape(node: Node, sketched: Run, runs: int) -> Shape:
    """Return the shape of an expression over `runs` runs like this one, before any is made.

    `sketched` has a sketch of its statistics. Raises QuantityError, like `evaluate`, for what the
    runs cannot have.
    """
    match node:
        case Number():
            return ONE
        case Path():
            if runs > 1:
                raise _of_each_run(node)
            return _shape_of_path(node, sketched)
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return shape(inner, sketched, runs)
        case Call(function=name, arguments=(inner,)) if name in REDUCTIONS:
            shape(inner, sketched, runs)
            return ONE
        case Call(function=function, arguments=(y, x)) if function == SLOPE:
            along = shape(y, sketched, 1)
            if not along.single and runs > 1:
                raise QuantityError(SLOPE_OVER_RUNS)
            axis = shape(x, sketched, 1) if along.single else _shape_of_axis(x, along, sketched)
            _paired(SLOPE, along, axis)
            return ONE
        case Binary(sign, left, right):
            return _paired(sign, shape(left, sketched, runs), shape(right, sketched, runs))
    raise TypeError(node)


def _shape_of_path(path: Path, sketched: Run) -> Shape:
    sample, found = numbers(path, sketched), find(path, sketched)
    known = not found.measured or all(isinstance(value, Always) for _, value in found.values)
    return Shape(sample.single, len(sample.values) if known or sample.single else None)


def _shape_of_axis(node: Node, along: Shape, sketched: Run) -> Shape:
    """Return the shape of the axis of a slope over rows, whose `index` counts them."""
    match node:
        case Path(steps=(only,)) if only == INDEX:
            return along
        case Call(function=name, arguments=(inner,)) if name in FUNCTIONS:
            return _shape_of_axis(inner, along, sketched)
        case Binary(sign, left, right):
            ends = (_shape_of_axis(part, along, sketched) for part in (left, right))
            return _paired(sign, *ends)
    return shape(node, sketched, 1)


def _paired(sign: str, left: Shape, right: Shape) -> Shape:
    """Return the shape of two joined expressions. Raises QuantityError if their counts differ."""
    if left.single or right.single:
        return right if left.single else left
    if None not in (left.count, right.count) and left.count != right.count:
        raise QuantityError(f"{left.count} and {right.count} values cannot be joined by '{sign}'")
    return Shape(False, right.count if left.count is None else left.count)
