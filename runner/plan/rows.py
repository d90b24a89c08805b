"""The plan: one row a parameter, made without allocating any.

A row says what will be drawn (law), why (the rule that chose the initializer), from which stream
(key), and how large it is. A run draws what its plan says, `runner.plan.ledger` checks that it did,
and `runner.check.verify` draws it again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initlab.engine import dtypes, gluon, init, laws
from initlab.engine.errors import StreamError
from initlab.engine.registry import advice
from initlab.engine.streams import VERSION, Key, version
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.plan.network import Network

CHUNK = 1 << 20
"""Elements that are drawn at a time where a slice takes a part of each row only."""
Selection = Any
"""What NumPy's basic indexing takes: a number, a slice, `...`, or several."""


@dataclass(frozen=True)
class Row:
    """The plan of one parameter. An alias has its owner's law and key, and no bytes of its own."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    roles: tuple[str, ...] | None
    fan_in: int | None
    fan_out: int | None
    shape_fans: tuple[int, int] | None
    """(fan_in, fan_out) by MXNet's rule from the shape alone, where it differs from the roles'
    fans.
    """
    rule: str
    """The place in the config that chose the initializer: `init`, `init.rules[0]`,
    `model.layers[1].weight_initializer`.
    """
    initializer: str
    law: laws.Law
    key: Key | None
    """Of the parameter's own stream; None where one stream is drawn from in order (MXNet's)."""
    stream: str
    """The stream's version."""
    alias_of: str | None
    bytes: int
    lr_mult: float = 1.0
    """What the learning rate is multiplied by for it."""

    def draw(self, selection: Selection = slice(None)) -> np.ndarray:
        """The parameter's first values, or those that basic indexing (slices, numbers, `...`)
        selects, without drawing the rest: rows of the first axis that hold none of it. An alias
        draws its owner's.

        IndexError for a selection that the shape does not allow; StreamError from a stream that is
        drawn from in order, LawError for a user's own code, whose values only a run gives.
        """
        if self.key is None:
            raise StreamError(
                f"'{self.path}' cannot be drawn alone: stream {self.stream} is drawn from in order - use "
                f"{VERSION}"
            )
        if not self.law.sliceable or not self.shape:
            return self.law.draw(self.key, self.shape, self.dtype)[selection]
        first, *inner = _each_axis(selection, len(self.shape))
        rows = range(self.shape[0])[first]  # IndexError for a number that is none of it
        if isinstance(rows, int):
            found: np.ndarray = self._rows(rows, rows + 1).reshape(self.shape[1:])[tuple(inner)]
            return found
        parts = [
            self._rows(start, stop)[::step][(slice(None), *inner)]
            for start, stop, step in _chunks(rows, math.prod(self.shape[1:]))
        ]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def _rows(self, start: int, stop: int) -> np.ndarray:
        """Rows start … stop - 1 of the first axis."""
        assert self.key is not None
        width = math.prod(self.shape[1:])
        values = np.empty((stop - start) * width, dtypes.resolve(self.dtype))
        self.law.fill(self.key, self.shape, start * width, values)
        return values.reshape(stop - start, *self.shape[1:])

    def describe(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "path": self.path,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "roles": None if self.roles is None else list(self.roles),
            "fan_in": self.fan_in,
            "fan_out": self.fan_out,
            "shape_fans": None if self.shape_fans is None else list(self.shape_fans),
            "rule": self.rule,
            "initializer": self.initializer,
            "law": self.law.describe(),
            "law_text": str(self.law),
            "mean": self.law.mean,
            "std": self.law.std,
            "exactness": self.law.exactness,
            "stream": {"version": self.stream} | _key(self.key),
            "alias_of": self.alias_of,
            "bytes": self.bytes,
            **({"lr_mult": self.lr_mult} if self.lr_mult != 1 else {}),
        }


def _each_axis(selection: Selection, axes: int) -> tuple[Any, ...]:
    """What is selected of each axis, `...` written out. IndexError for what does not select of so
    many axes.
    """
    parts = selection if isinstance(selection, tuple) else (selection,)
    if any(
        isinstance(part, bool) or not isinstance(part, (int, np.integer, slice, type(...)))
        for part in parts
    ):
        raise IndexError(
            f"a parameter that is drawn is selected from by numbers, slices and ... only, got {selection!r}"
        )
    dots = [number for number, part in enumerate(parts) if part is ...]
    if len(dots) > 1 or len(parts) - len(dots) > axes:
        raise IndexError(f"{selection!r} selects from more axes than the {axes} there are")
    at = dots[0] if dots else len(parts)
    filled = (slice(None),) * (axes - len(parts) + len(dots))
    return (*parts[:at], *filled, *parts[at + 1 :])


def _chunks(rows: range, width: int) -> Iterator[tuple[int, int, int]]:
    """(start, stop, step) of spans of the first axis that together hold the rows, each of few
    elements; with a negative step, backwards.

    What lies between rows is drawn only where rows are closer than a span is long.
    """
    if not rows:
        yield 0, 0, 1
    most = max(1, CHUNK // max(1, width * abs(rows.step)))
    for at in range(0, len(rows), most):
        part = rows[at : at + most]
        yield min(part[0], part[-1]), max(part[0], part[-1]) + 1, rows.step


@dataclass(frozen=True)
class Plan:
    """All rows in the order of the network, and the shape of its output for the declared input.
    `plan[path]` is a row.
    """

    rows: tuple[Row, ...]
    output: tuple[int, ...]

    def __getitem__(self, path: str) -> Row:
        found = next((row for row in self.rows if row.path == path), None)
        if found is None:
            raise KeyError(
                f"no parameter '{path}' - {advice(path, [row.path for row in self.rows])}"
            )
        return found

    @property
    def owners(self) -> tuple[Row, ...]:
        """The rows that have values of their own."""
        return tuple(row for row in self.rows if row.alias_of is None)

    @property
    def aliases(self) -> dict[str, str]:
        """Alias path -> owner path."""
        return {row.path: row.alias_of for row in self.rows if row.alias_of is not None}

    def totals(self) -> dict[str, int]:
        """Counts of parameters, aliases, elements and bytes."""
        return {
            "parameters": len(self.owners),
            "aliases": len(self.aliases),
            "elements": sum(math.prod(row.shape) for row in self.owners),
            "bytes": sum(row.bytes for row in self.owners),
        }

    def describe(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {
            "output": list(self.output),
            "totals": self.totals(),
            "rows": [row.describe() for row in self.rows],
        }


def _key(key: Key | None) -> dict[str, Any]:
    if key is None:
        return {}
    return {
        "path": key.path,
        "generation": key.generation,
        "key": [f"{word:016x}" for word in key.words],
    }


def make_plan(
    network: Network, output: tuple[int, ...], initializer: init.Initializer, seed: int
) -> Plan:
    """The plan of a network whose shapes are all known, for the stream version in use. ConfigError
    with every parameter whose law is impossible."""
    problems = Problems()
    free = [
        path
        for path, parameter in network.owners.items()
        if init.choose(parameter.init, initializer, describe(path, parameter)) is initializer
    ]
    place = "init.rules" if isinstance(initializer, init.Mixed) else "init"
    for text in initializer.check(free):
        problems.add(place, text)
    rows: dict[str, Row] = {}
    for path in network.root.structural_params():
        owner = network.aliases.get(path)
        if owner is not None:
            source = rows.get(owner)
            if source is not None:
                rows[path] = replace(source, path=path, alias_of=owner, bytes=0)
            continue
        with problems.under():
            rows[path] = _row(network, path, initializer, seed)
    problems.raise_any()
    return Plan(tuple(rows.values()), tuple(output))


def _row(network: Network, path: str, initializer: init.Initializer, seed: int) -> Row:
    parameter = network.owners[path]
    description = describe(path, parameter)
    chosen = init.choose(parameter.init, initializer, description)
    rule = _rule(network, path, chosen, initializer)
    try:
        law = chosen.law(description)
        law.check_stream(version())
    except (ValueError, RuntimeError, AssertionError, KeyError, OSError) as error:
        said = f"cannot initialize '{path}' of shape {description.shape}: {error}"
        raise ConfigError.of(rule, said) from error
    fans, literal = _fans(description)
    return Row(
        path=path,
        shape=description.shape,
        dtype=description.dtype,
        roles=description.roles,
        fan_in=fans[0] if fans else None,
        fan_out=fans[1] if fans else None,
        shape_fans=literal if literal != fans else None,
        rule=rule,
        initializer=type(chosen).__name__,
        law=law,
        key=Key(seed, path, 0) if version() == VERSION else None,
        stream=version(),
        alias_of=None,
        bytes=math.prod(description.shape) * dtypes.resolve(description.dtype).itemsize,
        lr_mult=initializer.learning_rate_multiplier(description),
    )


def describe(path: str, parameter: gluon.Parameter) -> init.Description:
    """The description of a parameter of known shape at a path."""
    return init.Description(
        path, path, tuple(parameter.shape), dtypes.name(parameter.dtype), parameter.roles
    )


def _rule(
    network: Network, path: str, chosen: init.Initializer, initializer: init.Initializer
) -> str:
    """The place in the config that decided for the chosen initializer of an owner."""
    if chosen is not initializer:
        return network.sources.get(path, "the layer's own")
    number = initializer.rule_for(path)
    return "init" if number is None else f"init.rules[{number}]"


def _fans(description: init.Description) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """(fans from the roles, fans from the shape); None for parameters that have none."""
    if len(description.shape) < 2:
        return None, None
    by_role, by_shape = description.fans, description.shape_fans
    return (by_role.fan_in, by_role.fan_out), (by_shape.fan_in, by_shape.fan_out)
