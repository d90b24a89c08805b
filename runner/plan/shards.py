"""Division of a run into parts that different machines make without communication: `shard: i/n`.

The plan alone decides: tensors in the order of the file are cut into parts of similar size in
bytes. An alias belongs to the part of its owner. `runner.evidence.shard` defines the files;
`initlab join` joins finished parts.
"""

from __future__ import annotations

from collections.abc import Sequence

from initlab.runner.evidence.shard import Shard
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan


def divide(rows: Sequence[Row], count: int) -> list[tuple[Row, ...]]:
    """Return the owners' rows of each part, in the order of the file.

    Raises ValueError if there are more parts than tensors.
    """
    if count > len(rows):
        raise ValueError(f"cannot be {count} parts of {len(rows)} tensors - at most {len(rows)}")
    ordered = sorted(rows, key=lambda row: row.path)
    parts: list[tuple[Row, ...]] = []
    at, left = 0, sum(row.bytes for row in ordered)
    for number in range(count):
        following = count - number - 1
        goal, taken, first = left / (following + 1), 0, at
        while at < len(ordered) - following:
            size = ordered[at].bytes
            if at > first and following and taken + size / 2 > goal:
                break
            taken += size
            at += 1
        parts.append(tuple(ordered[first:at]))
        left -= taken
    return parts


def rows_of(plan: Plan, shard: Shard | None) -> tuple[Row, ...]:
    """Return the owners that a run draws: those of its part, or all."""
    return plan.owners if shard is None else divide(plan.owners, shard.count)[shard.index - 1]


def aliases_of(plan: Plan, rows: Sequence[Row]) -> dict[str, str]:
    """Return the aliases whose owners are among the rows."""
    paths = {row.path for row in rows}
    return {alias: owner for alias, owner in plan.aliases.items() if owner in paths}


def paths_of(plan: Plan, count: int) -> list[list[str]]:
    """Return the owners' paths of each part."""
    return [[row.path for row in rows] for rows in divide(plan.owners, count)]
