"""A tensor drawn and measured block by block is that of one piece."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from words import last_of_each

from initlab.engine import streams
from initlab.runner.cli import run_command

ROOT = Path(__file__).parents[3]


WORDS = [
    "init=normal",
    "model.input=[700]",
    "model.layers=[{kind: dense, units: 2000}, {kind: dense, units: 600}, {kind: dense, units: 3}]",
]
TALL = "model.layers=[{kind: dense, units: 16400}, {kind: dense, units: 3}]"
"""More than a block of elements whose orthogonal factor is quickly found."""
MATRICES = (
    "model.layers=[{kind: dense, units: 200}, {kind: dense, units: 150}, {kind: dense, units: 3}]"
)
"""Matrices that threads factor side by side."""


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def stats_of(folder: Path) -> dict:
    return json.loads((folder / "stats.json").read_text())


def same_file(a: Path, b: Path) -> bool:
    return (a / "snapshot.safetensors").read_bytes() == (b / "snapshot.safetensors").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dtype=float16"],
        ["dtype=bfloat16"],
        ["dtype=float64"],
        ["init=xavier", "model=shared", "model.input=[20]"],
        ["init=orthogonal", "model.input=[64]", TALL],
        ["init=orthogonal", "model.input=[90]", MATRICES],
        ["init=mixed"],
        ["init=truncated_normal"],
        ["model=residual_mlp"],
    ],
    ids=" ".join,
)
def test_the_file_the_figures_and_the_probe_are_those_of_a_run_in_memory(words, only_run):
    words = [*(WORDS if not any(word.startswith("model") for word in words) else []), *words]
    held, written = (
        only_run(*last_of_each(*words, f"init_mode={mode}", "probe=backward"))
        for mode in ("eager", "streamed")
    )
    assert same_file(held, written)
    assert stats_of(held) == stats_of(written)
    assert manifest_of(held)["digests"] == manifest_of(written)["digests"]
    assert sorted(p.name for p in held.iterdir()) == sorted(p.name for p in written.iterdir())
    assert run_command(["verify", str(written)]) == 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(threads, only_run):
    assert same_file(
        only_run(*WORDS, "init_mode=eager"),
        only_run(*WORDS, "init_mode=streamed", f"threads={threads}"),
    )
    assert streams.threads() == (os.cpu_count() or 1) or streams.threads() >= 1


def test_a_users_own_code_draws_into_a_streamed_file_too(only_run):
    plugin = str(ROOT / "examples" / "my_init.py")
    held, written = (
        only_run("--plugin", plugin, "init=my_init", f"init_mode={mode}")
        for mode in ("eager", "streamed")
    )
    assert same_file(held, written)
    assert stats_of(held) == stats_of(written)


@pytest.mark.parametrize("stats", ["[]", "[moments]", "[law,histogram]"])
def test_any_choice_of_statistics_is_measured_alike(stats, only_run):
    held, written = (
        only_run(*WORDS, f"stats={stats}", f"init_mode={mode}") for mode in ("eager", "streamed")
    )
    assert stats_of(held) == stats_of(written)
