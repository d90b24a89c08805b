"""A comparison on a terminal: repeated blocks are one row, and no row hides a difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from initlab.engine import formats
from initlab.engine.formats import Snapshot


def save(name: str, **changed: float) -> str:
    """A snapshot of twelve equal blocks; `b3=5.0` sets an element of block 3."""
    tensors = {f"blocks.{number}.fc.weight": np.ones((2, 3), np.float32) for number in range(12)}
    for block, value in changed.items():
        tensors[f"blocks.{block[1:]}.fc.weight"][0, 0] = value
    path = Path(name)
    formats.get(path).write(path, Snapshot(tensors, {}))
    return name


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.startswith("blocks.")]


def test_equal_blocks_are_one_row(command):
    done = command("compare", save("a.npz"), save("b.npz"))
    assert done.code == 0
    assert rows(done.out) == [["blocks.0…11.fc.weight", "2x3", "identical"]]
    assert "--all lists each" in done.out


def test_a_block_that_differs_has_a_row_of_its_own(command):
    done = command("compare", save("a.npz"), save("b.npz", b7=5.0))
    assert done.code == 1
    assert [row[:3] for row in rows(done.out)] == [
        ["blocks.0…6.fc.weight", "2x3", "identical"],
        ["blocks.7.fc.weight", "2x3", "different"],
        ["blocks.8…11.fc.weight", "2x3", "identical"],
    ]


def test_blocks_that_differ_show_the_first_the_last_and_the_worst(command):
    everywhere = {f"b{number}": 2.0 for number in range(12)} | {"b4": 9.0, "b11": 3.0}
    done = command("compare", save("a.npz"), save("b.npz", **everywhere))
    [row] = rows(done.out)
    assert " ".join(row).startswith("blocks.0…11.fc.weight 2x3 different 1 of 6 1 … 2, 8 (4) ")


def test_all_lists_each_block(command):
    done = command("compare", "--all", save("a.npz"), save("b.npz"))
    assert len(rows(done.out)) == 12 and "--all" not in done.out


def test_what_was_printed_is_no_difference_of_settings(command):
    command("init=normal", "name=a", "show=[]")
    command("init=normal", "name=b", "fold=false")
    [a], [b] = (list(Path("outputs", name).iterdir()) for name in "ab")
    out = command("compare", str(a), str(b)).out
    assert [
        line.split()[0] for line in out.splitlines() if line.startswith(("name", "show", "fold"))
    ] == ["name"]
