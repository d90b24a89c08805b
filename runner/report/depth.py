"""Where rows stand on the axis of depth, and the names on it.

A block has one place, however many rows it has: an axis names `blocks.7`, and not every row of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

WITHIN = 0.7
"""The part of a place over which the parameters of a block are spread."""
BEFORE = 0.8
"""The part of a place before a block over which the layers inside it are spread."""


@dataclass(frozen=True)
class Depth:
    """Places of rows: row i stands at `x[i]`, and place n, counted from 1, has the name `names[n - 1]`."""

    x: np.ndarray
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    """What a row is within its block, like `attention.qkv_weight`; '' of a row that has a place for
    itself.
    """

    @property
    def shared(self) -> bool:
        """Whether several rows share a place."""
        return len(self.names) < len(self.x)


def of_layers(rows: Sequence[Mapping[str, Any]]) -> Depth:
    """Return the places of layers: one for each on the way from the input to the output. Rows inside
    a block are before it.
    """
    x: list[float] = []
    names: list[str] = []
    for inside, group in groupby(rows, lambda row: bool(row.get("inside"))):
        found = [str(row["path"]) for row in group]
        if inside:
            first = len(names) + 1 - BEFORE
            x += [first + BEFORE * at / len(found) for at in range(len(found))]
        else:
            x += [len(names) + at + 1.0 for at in range(len(found))]
            names += found
    kinds = tuple("inside" if row.get("inside") else "" for row in rows)
    return Depth(np.array(x), tuple(names), kinds)


def of_parameters(paths: Sequence[str]) -> Depth:
    """Return the places of parameters: those of one block, like `blocks.7`, share one."""
    x: list[float] = []
    names: list[str] = []
    kinds: list[str] = []
    for block, group in groupby(enumerate(paths), lambda pair: block_of(pair[1]) or pair):
        found = [path for _, path in group]
        names.append(found[0] if len(found) == 1 else str(block))
        step = WITHIN / len(found)
        x += [len(names) + step * (at - (len(found) - 1) / 2) for at in range(len(found))]
        inner = [path.removeprefix(f"{block}.") for path in found]
        kinds += [""] if len(found) == 1 else inner
    return Depth(np.array(x), tuple(names), tuple(kinds))


def block_of(path: str) -> str | None:
    """Return the block of a path: the parts up to its last number that has a name after it, like
    `blocks.7` of `blocks.7.fc.weight`; None if it has none.
    """
    parts = path.split(".")
    numbers = [at for at, part in enumerate(parts[:-1]) if part.isdecimal()]
    return ".".join(parts[: numbers[-1] + 1]) if numbers else None
