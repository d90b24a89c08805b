"""The plan: one row a parameter, made without allocating any.

A row says what will be drawn (law), why (the rule that chose the initializer), from which stream (key), and how large it is. A run
draws what its plan says, `runner.ledger` checks that it did, and `runner.verify` draws it again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from engine import dtypes, init, laws
from engine.streams import VERSION, Key, version
from runner.build import Network
from runner.errors import ConfigError, Problem


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
    """(fan_in, fan_out) by MXNet's rule from the shape alone, where it differs from the roles' fans."""
    rule: str
    """The place in the config that chose the initializer: `init`, `init.rules[0]`, `model.layers[1].weight_initializer`."""
    initializer: str
    law: laws.Law
    key: Key | None
    """Of the parameter's own stream; None where one stream is drawn from in order (MXNet's)."""
    stream: str
    """The stream's version."""
    alias_of: str | None
    bytes: int

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
        }


@dataclass(frozen=True)
class Plan:
    """All rows in the order of the network, and the shape of its output for the declared input."""

    rows: tuple[Row, ...]
    output: tuple[int, ...]

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
        return {"output": list(self.output), "totals": self.totals(), "rows": [row.describe() for row in self.rows]}


def _key(key: Key | None) -> dict[str, Any]:
    if key is None:
        return {}
    return {"path": key.path, "generation": key.generation, "key": [f"{word:016x}" for word in key.words]}


def make_plan(network: Network, output: tuple[int, ...], initializer: init.Initializer, seed: int) -> Plan:
    """The plan of a network whose shapes are all known, for the stream version in use. ConfigError with every parameter whose law is
    impossible."""
    problems: list[Problem] = []
    check = getattr(initializer, "check", None)
    if check is not None:
        free = [path for path in network.owners if path not in network.sources]
        problems += [Problem("init.rules", text) for text in check(free)]
    rows: dict[str, Row] = {}
    for path in network.root.structural_params():
        owner = network.aliases.get(path)
        if owner is not None:
            source = rows.get(owner)
            if source is not None:
                rows[path] = replace(source, path=path, alias_of=owner, bytes=0)
            continue
        row = _row(network, path, initializer, seed, problems)
        if row is not None:
            rows[path] = row
    if problems:
        raise ConfigError(problems)
    return Plan(tuple(rows.values()), tuple(output))


def _row(network: Network, path: str, initializer: init.Initializer, seed: int, problems: list[Problem]) -> Row | None:
    parameter = network.owners[path]
    description = init.Description(
        name=path, path=path, shape=tuple(parameter.shape), dtype=dtypes.name(parameter.dtype), roles=parameter.roles
    )
    rule, chosen = _choose(network, path, initializer)
    try:
        law = chosen.law(description)
        law.check_stream(version())
    except (ValueError, RuntimeError, AssertionError, KeyError, OSError) as error:
        problems.append(Problem(rule, f"cannot initialize '{path}' of shape {description.shape}: {error}"))
        return None
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
    )


def _choose(network: Network, path: str, initializer: init.Initializer) -> tuple[str, init.Initializer]:
    """(the place in the config that decides, the initializer it names) for an owner."""
    own = network.owners[path].init
    if own is not None:
        return network.sources.get(path, "the layer's own"), init.create(own)
    rule_for = getattr(initializer, "rule_for", None)
    if rule_for is not None:
        number = rule_for(path)
        if number is not None:
            return f"init.rules[{number}]", initializer
    return "init", initializer


def _fans(description: init.Description) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """(fans from the roles, fans from the shape); None for parameters that have none."""
    if len(description.shape) < 2:
        return None, None
    by_role, by_shape = description.fans, description.shape_fans
    return (by_role.fan_in, by_role.fan_out), (by_shape.fan_in, by_shape.fan_out)
