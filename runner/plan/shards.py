"""Which tensors are in which part of a run, for different machines that make the parts without a word
between them: `shard: i/n`.

The plan alone decides: the tensors in the order of a file, cut so that the parts are as even in
bytes as whole tensors let them be. An alias goes with its owner. `runner.evidence.shard` says how
the parts lie on disk; `initlab join` puts finished parts together.
"""

from __future__ import annotations

from collections.abc import Sequence

from initlab.runner.evidence.shard import Shard
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan


def divide(rows: Sequence[Row], count: int) -> list[tuple[Row, ...]]:
    """The owners' rows of each part, in the order of a file. ValueError for more parts than
    tensors.
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
    """The owners that a run draws: those of its part, or all."""
    return plan.owners if shard is None else divide(plan.owners, shard.count)[shard.index - 1]


def aliases_of(plan: Plan, rows: Sequence[Row]) -> dict[str, str]:
    """The aliases whose owners are among the rows."""
    paths = {row.path for row in rows}
    return {alias: owner for alias, owner in plan.aliases.items() if owner in paths}


def paths_of(plan: Plan, count: int) -> list[list[str]]:
    """The owners' paths of each of so many parts."""
    return [[row.path for row in rows] for rows in divide(plan.owners, count)]
