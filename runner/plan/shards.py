"""A snapshot in parts that different machines make without a word between them: `shard: i/n`, in
Hugging Face's sharded layout.

    model-00002-of-00004.safetensors    the second of four parts, each a safetensors file
    model.safetensors.index.json        which tensor is in which file; the same in every part's folder

The plan alone decides what is in which part: the tensors in the order of a file, cut so that the
parts are as even in bytes as whole tensors let them be. An alias goes with its owner. `python -m
runner.join` puts finished parts together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from initlab.runner.plan.rows import Plan, Row

INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Shard:
    """Part `index` (from 1) of `count`."""

    index: int
    count: int

    @property
    def file_name(self) -> str:
        """The name of the part's file."""
        return shard_name(self.index, self.count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def shard_name(index: int, count: int) -> str:
    """`model-00002-of-00004.safetensors`."""
    return f"model-{index:05}-of-{count:05}.safetensors"


def parse(text: Any) -> Shard:
    """The shard that `i/n` names. ValueError saying what is wrong with another text."""
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"must be i/n, part i of n like 1/4, got {text!r}")
    shard = Shard(int(found[1]), int(found[2]))
    if shard.count < 1:
        raise ValueError(f"must be of at least 1 part, got {text!r}")
    if not 1 <= shard.index <= shard.count:
        raise ValueError(f"must be a part from 1 to {shard.count}, got {text!r}")
    return shard


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


def index_text(plan: Plan, count: int) -> str:
    """The index of a snapshot in so many parts, as `huggingface_hub` and `transformers` read it."""
    files = {
        row.path: shard_name(number, count)
        for number, rows in enumerate(divide(plan.owners, count), 1)
        for row in rows
    }
    totals = plan.totals()
    metadata = {"total_parameters": totals["elements"], "total_size": totals["bytes"]}
    return (
        json.dumps(
            {"metadata": metadata, "weight_map": files},
            indent=2,
            sort_keys=True,
            ensure_ascii=False,
        )
        + "\n"
    )
