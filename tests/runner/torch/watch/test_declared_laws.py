"""Locks of laws by the command line and in pytest: written, checked, and refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from initlab.runner.torch.watch.locking import read_laws  # noqa: E402

ROOT = Path(__file__).parents[4]
PLUGIN = """
    from torch import nn
    import initlab.torch

    class Net(nn.Module):
        def __init__(self, hidden, std):
            super().__init__()
            self.first, self.second = nn.Linear(8, hidden), nn.Linear(hidden, 4)
            self.initialize(std)

        def initialize(self, std):
            for layer in (self.first, self.second):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            return self.second(self.first(x).relu())

    @initlab.torch.model(input=(8,))
    def laws_net(hidden: int = 16, std: float = 0.02):
        return Net(hidden, std)
"""
OPTIONS = ("--plugin", "my_net.py", "lock", "--laws", "model=laws_net")


@pytest.fixture
def initlab_in(tmp_path):
    """`initlab_in(module, word, …)` runs `python -m module` in a folder with the plugin, in a process of
    its own; gives (exit code, what it printed).
    """
    (tmp_path / "my_net.py").write_text(textwrap.dedent(PLUGIN))
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")

    def call(module: str, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "COLUMNS": "120",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    return call


def test_a_lock_of_laws_is_written_checked_and_tested(initlab_in, tmp_path):
    code, out = initlab_in("initlab", *OPTIONS)
    assert code == 0, out
    assert out.splitlines()[-1] == "initlab.laws: Net, 4 patterns of 4 tensors; written"
    locked = read_laws(tmp_path / "initlab.laws")
    assert (locked.words, locked.plugins) == (("model=laws_net",), ("my_net.py",))
    (first,) = locked.tensors["first.weight"]
    assert (first.law, first.writer) == ("Normal(0, 0.02)", "my_net.py initialize")
    assert initlab_in("initlab", *OPTIONS)[1].endswith("unchanged\n")

    code, out = initlab_in("initlab", "--plugin", "my_net.py", "verify", "--lock", "initlab.laws")
    assert (code, out) == (0, "initlab.laws: the model is as it is locked\n")
    pytest_words = ("-p", "initlab.pytest_plugin", "-p", "no:cacheprovider", "--initlab", ".")
    code, out = initlab_in("pytest", *pytest_words, "--initlab-plugin", "my_net.py")
    assert (code, "1 passed" in out) == (0, True), out

    text = (tmp_path / "my_net.py").read_text()
    (tmp_path / "my_net.py").write_text(text.replace("std=std", "std=0.5"))
    code, out = initlab_in("initlab", "--plugin", "my_net.py", "verify", "--lock", "initlab.laws")
    assert code == 1
    assert "first.weight: law: was Normal(0, 0.02), is Normal(0, 0.5)" in out
    code, out = initlab_in("pytest", *pytest_words, "--initlab-plugin", "my_net.py")
    assert code == 1
    assert "first.weight: law: was Normal(0, 0.02), is Normal(0, 0.5)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model=mlp",), "--laws: is for a model that @initlab.torch.model makes"),
        (
            ("model=laws_net", "seed=0,1"),
            "the words declare 2 runs, a lock of laws is of one model",
        ),
        (("model=laws_nte",), "did you mean 'laws_net'"),
    ],
)
def test_words_that_declare_no_module_are_refused_in_one_line(initlab_in, tmp_path, words, said):
    code, out = initlab_in("initlab", "--plugin", "my_net.py", "lock", "--laws", *words)
    assert (code, said in out, "Traceback" in out) == (2, True, False), out
    assert not (tmp_path / "initlab.laws").exists()


def test_a_lock_that_cannot_be_used_is_refused_in_one_line(initlab_in, tmp_path):
    assert initlab_in("initlab", *OPTIONS)[0] == 0
    code, out = initlab_in("initlab", "verify", "--lock", "initlab.laws")
    assert (code, len(out.splitlines())) == (2, 1)
    assert "made with the plugin my_net.py - give it with --plugin my_net.py" in out
    (tmp_path / "initlab.laws").write_text('{"format": "initlab-laws-1"}')
    code, out = initlab_in("initlab", "verify", "--lock", "initlab.laws")
    assert (code, len(out.splitlines())) == (2, 1)
    assert "the lock is damaged" in out


TEST = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.empty(3))

    def test_clean(initlab_watch):
        with initlab_watch() as w:
            model = nn.Linear(2, 2)
        assert w.check(model=model).ok

    def test_unset(initlab_watch):
        with initlab_watch() as w:
            model = Net()
        w.check(model=model)
"""


def test_the_fixture_fails_a_test_with_what_the_watch_finds(initlab_in, tmp_path):
    (tmp_path / "test_net.py").write_text(textwrap.dedent(TEST))
    words = ("-p", "initlab.pytest_plugin", "-p", "no:cacheprovider", "test_net.py")
    code, out = initlab_in("pytest", *words)
    assert (code, "1 failed, 1 passed" in out) == (1, True), out
    assert "never-written: scale" in out
