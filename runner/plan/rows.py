"""The plan: one row (`runner.plan.row`) for each parameter, made without allocating any.

A run draws what its plan says, `runner.plan.ledger` checks that, and `runner.check.verify` draws it
again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from initlab.engine import dtypes, gluon, init, laws
from initlab.engine.registry import advice
from initlab.engine.streams import VERSION, Key, version
from initlab.runner.errors import ConfigError, Problems
from initlab.runner.excerpt import MOST, Excerpt
from initlab.runner.json_values import JSON
from initlab.runner.plan.filling import fill
from initlab.runner.plan.freezing import remark
from initlab.runner.plan.network import Network
from initlab.runner.plan.row import Row, key_text

DIGEST = "plan-v1"
FROZEN = "frozen"
"""The mark of a parameter that is not trained, in tables."""


@dataclass(frozen=True, repr=False)
class Plan(Mapping[str, Row]):
    """All rows in the order of the network: a mapping of parameter paths to rows.

    `output` is the shape of the network's output for the declared input, empty if no input was
    given. `plan[path]` raises KeyError with the nearest path.
    """

    rows: tuple[Row, ...]
    output: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    """What a user should read about the parameters, a line each."""

    @cached_property
    def _by_path(self) -> dict[str, Row]:
        return {row.path: row for row in self.rows}

    def __getitem__(self, path: str) -> Row:
        if path not in self._by_path:
            raise KeyError(f"no parameter '{path}' - {advice(path, self._by_path)}")
        return self._by_path[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return self._excerpt().text()

    def _repr_html_(self) -> str:
        return self._excerpt().html()

    def _excerpt(self) -> Excerpt:
        totals = self.totals()
        own, aliases = totals["parameters"], totals["aliases"]
        tied = f" and {aliases} alias{'es' * (aliases != 1)}" if aliases else ""
        title = f"Plan of {own} parameter{'s' * (own != 1)}{tied}: {totals['elements']:,} elements"
        frozen = any(row.frozen for row in self.rows)
        rows = [
            (
                row.path,
                "x".join(map(str, row.shape)) or "scalar",
                row.dtype,
                str(row.law) if row.alias_of is None else f"= {row.alias_of}",
                row.rule,
                *((FROZEN if row.frozen else "",) if frozen else ()),
            )
            for row in islice(self.rows, MOST)
        ]
        names = ("path", "shape", "dtype", "law", "chosen by", *(("",) if frozen else ()))
        return Excerpt(title, names, rows, len(self))

    @cached_property
    def digest(self) -> str:
        """The plan-v1 digest, a SHA-256 in hex: two plans with the same digest give the same
        values.

        It covers path, shape, dtype, law, stream key and owner of each row; see docs/python.md
        in the source.
        """
        rows = [
            {
                "path": row.path,
                "shape": list(row.shape),
                "dtype": row.dtype,
                "law": row.law.describe(),
                "stream": {"version": row.stream} | key_text(row.key),
                "alias_of": row.alias_of,
            }
            for row in self.rows
        ]
        text = json.dumps(
            {"format": DIGEST, "rows": rows},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def fill(self, net: gluon.Block) -> None:
        """Write the planned values into the parameters of `net` and replace their values.

        A parameter without shape or values gets both, on the device it waits for or the current
        one. Before anything is written, raises TypeError if `net` is no block, KeyError with the
        nearest path if the paths of plan and network differ, and ValueError if a shape, a dtype or
        a tie differs. While writing, raises StreamError and LawError like `Row.draw`; earlier rows
        are then written.
        """
        fill(self, net)

    @property
    def owners(self) -> tuple[Row, ...]:
        """The rows with values of their own."""
        return tuple(row for row in self.rows if row.alias_of is None)

    @property
    def aliases(self) -> dict[str, str]:
        """{alias path: owner path}."""
        return {row.path: row.alias_of for row in self.rows if row.alias_of is not None}

    def totals(self) -> dict[str, int]:
        """Return counts of parameters, aliases, elements and bytes."""
        return {
            "parameters": len(self.owners),
            "aliases": len(self.aliases),
            "elements": sum(math.prod(row.shape) for row in self.owners),
            "bytes": sum(row.bytes for row in self.owners),
        }

    def describe(self) -> dict[str, JSON]:
        """Return the plan as JSON types."""
        return {
            "output": list(self.output),
            "totals": self.totals(),
            "rows": [row.describe() for row in self.rows],
            **({"remarks": list(self.remarks)} if self.remarks else {}),
        }


def make_plan(
    network: Network,
    output: tuple[int, ...],
    initializer: init.Initializer,
    seed: int,
    prefix: str = "",
    finished: bool = False,
) -> Plan:
    """Return the plan of a network whose shapes are all known, for the stream version in use.

    The paths that key the streams start with `prefix`. Raises ConfigError with every parameter
    whose law is impossible. With `finished`, for a run made before, the initializer is not asked
    whether it suits the parameters.
    """
    problems = Problems()
    described = {path: describe(network, path, prefix) for path in network.owners}
    free: list[str] = []
    with problems.under("init"):
        free = [
            path
            for path, parameter in network.owners.items()
            if init.choose(parameter.init, initializer, described[path]) is initializer
        ]
    problems.raise_any()
    remarks: list[str] = []
    with problems.under("init"):
        initializer.check(free)
    unsuitable = Problems()
    with unsuitable.under("init"):
        remarks = initializer.check_parameters(
            [
                described[path]
                for path, parameter in network.owners.items()
                if parameter.init is None or isinstance(parameter.init, str)
            ]
        )
    if unsuitable and not finished:  # then laws fail for the same reasons
        raise ConfigError([*problems.found, *unsuitable.found])
    rows: dict[str, Row] = {}
    for path in network.root.structural_params():
        owner = network.aliases.get(path)
        if owner is not None:
            source = rows.get(owner)
            if source is not None:
                rows[path] = replace(source, path=path, alias_of=owner, bytes=0)
            continue
        with problems.under():
            rows[path] = _row(network, path, initializer, seed, prefix, finished)
    problems.raise_any()
    remarks += remark([row.path for row in rows.values() if row.frozen and row.alias_of is None])
    return Plan(tuple(rows.values()), tuple(output), tuple(remarks))


def _row(
    network: Network,
    path: str,
    initializer: init.Initializer,
    seed: int,
    prefix: str,
    finished: bool = False,
) -> Row:
    parameter = network.owners[path]
    description = describe(network, path, prefix)
    chosen = init.filler(parameter.init, initializer, description)
    rule = _rule(network, path, chosen, initializer)
    try:
        if chosen is not initializer and not finished:
            chosen.check_own(description)
        law = init.law_for(chosen, description)
        if not isinstance(law, laws.Law):
            said = f"{type(chosen).__name__}.law returned {type(law).__name__} {law!r}, no law"
            raise ValueError(f"{said} - return one of initlab.engine.laws")
        law.check_stream(version())
        law.check_dtype(dtypes.resolve(description.dtype))
    except (ValueError, RuntimeError, AssertionError, KeyError, OSError) as error:
        what = f"KeyError: {error}" if isinstance(error, KeyError) else error
        if isinstance(error, NotImplementedError) and type(chosen).law is init.Initializer.law:
            what = f"{type(chosen).__name__} defines neither law(description), which returns a law, nor "
            what += "_init_weight(name, array), which fills an array - define one of them"
        said = f"cannot initialize '{path}' of shape {description.shape}: {what}"
        raise ConfigError.of(rule, said) from error
    return _row_of(
        path,
        description,
        law,
        rule=rule,
        initializer=type(chosen).__name__,
        key=Key(seed, description.path, 0) if version() == VERSION else None,
        stream=version(),
        lr_mult=initializer.learning_rate_multiplier(description),
        frozen=parameter.frozen,
    )


def _row_of(path: str, description: init.Description, law: laws.Law, **drawn: Any) -> Row:
    """Return the row of an owner; `drawn` are the parts that say how it is drawn."""
    fans, literal = _fans(description)
    return Row(
        path=path,
        shape=description.shape,
        dtype=description.dtype,
        roles=description.roles,
        fan_in=fans[0] if fans else None,
        fan_out=fans[1] if fans else None,
        shape_fans=literal if literal != fans else None,
        law=law,
        alias_of=None,
        bytes=math.prod(description.shape) * dtypes.resolve(description.dtype).itemsize,
        **drawn,
    )


def rows_drawn(network: Network) -> dict[str, Row]:
    """Return {path: row} of the owners that a law has drawn; those that were loaded, or filled by a
    user's own code, have none.
    """
    found: dict[str, Row] = {}
    for path, parameter in network.owners.items():
        origin = parameter.origin
        if origin is not None and origin.law is not None:
            found[path] = _row_of(
                path,
                describe(network, path),
                origin.law,
                rule="initialize",
                initializer=origin.initializer,
                key=origin.key,
                stream=VERSION,
                lr_mult=parameter.lr_mult,
                frozen=parameter.frozen,
            )
    return found


def describe(network: Network, path: str, prefix: str = "") -> init.Description:
    """Return the description of an owner, whose shape is known.

    In a declared network, which has no prefix, the path is its name too.
    """
    parameter = network.owners[path]
    name = parameter.name if prefix else path
    return init.Description(
        name,
        prefix + path,
        tuple(parameter.shape),
        dtypes.name(parameter.dtype),
        parameter.roles,
        parameter.shuffle,
        network.aliases_of(path),
        parameter.site,
        parameter.zero_rows,
    )


def _rule(
    network: Network, path: str, chosen: init.Initializer, initializer: init.Initializer
) -> str:
    """Return the place in the config that chose the initializer of an owner."""
    if chosen is not initializer:
        return network.sources.get(path, "the layer's own")
    number = initializer.rule_for(path)
    return "init" if number is None else f"init.rules[{number}]"


def _fans(description: init.Description) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return (fans from the roles, fans from the shape); None for a parameter without fans."""
    if len(description.shape) < 2:
        return None, None
    by_role, by_shape = description.fans, description.shape_fans
    return (by_role.fan_in, by_role.fan_out), (by_shape.fan_in, by_shape.fan_out)
