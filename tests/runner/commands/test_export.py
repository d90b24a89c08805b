"""`initlab export DIR --as LIBRARY`: its words and what it prints; tests/runner/export has the rest."""

from __future__ import annotations

import pytest


def test_it_prints_the_path_last(only_run, command):
    folder = only_run("init=normal", "model=shared", "probe=none")
    done = command("export", str(folder), "--as", "torch")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "6 tensors, 1,248 bytes",
        "tied: 2.weight = 1.weight - both are in the file, tie them in the module",
        "tied: 2.bias = 1.bias - both are in the file, tie them in the module",
        f"{folder}.torch.safetensors",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "a"], "the following arguments are required: --as"),
        (["export", "a", "--as", "jax"], "invalid choice: 'jax'"),
        (
            ["export", "a", "--as", "torch"],
            "error: a: no such folder - give the folder of a finished",
        ),
    ],
)
def test_wrong_words_are_refused_in_one_line(command, words, said):
    done = command(*words)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1
