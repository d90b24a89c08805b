"""The diagnosis beside a run: it changes nothing of it, and ends none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PLUGIN = '''
"""Layers that compute in ways of their own."""

from dataclasses import dataclass

from initlab.engine import gluon, nd
from initlab.runner.layers import Context, Layer, register


class Own(gluon.HybridBlock):
    """A block of one dense layer."""

    def __init__(self):
        super().__init__()
        self.dense = gluon.nn.Dense(6, flatten=False)
        self.calls = 0

    def forward(self, x):
        return self.compute(x)

    def output_shape(self, shape):
        return self.dense.output_shape(shape)


class InPlace(Own):
    def compute(self, x):
        y = self.dense(x)
        y[:] = nd.relu(y)
        return y


class Counting(Own):
    def compute(self, x):
        self.calls += 1
        return self.dense(x) * self.calls


class Broken(Own):
    def compute(self, x):
        self.calls += 1
        if self.calls > 2:
            raise RuntimeError("a block for two calls")
        return self.dense(x)


class Inner(gluon.HybridBlock):
    """Returns what it is told to."""

    def __init__(self, made):
        super().__init__()
        self.made = made

    def forward(self, x):
        return self.made(x)


class Around(Own):
    """Calls a block whose output is `made` of x."""

    def __init__(self, made):
        super().__init__()
        self.inner = Inner(made)

    def compute(self, x):
        self.inner(x)
        return self.dense(x)


class Twice(Own):
    def compute(self, x):
        return self.dense(nd.relu(self.dense(x)))


MADE = {
    "in_place": InPlace,
    "counting": Counting,
    "broken": Broken,
    "twice": Twice,
    "nothing": lambda: Around(lambda x: None),
    "tuple": lambda: Around(lambda x: (x, [x, 3])),
    "dict": lambda: Around(lambda x: {"x": x}),
}


@register
@dataclass
class Odd(Layer):
    """One of these blocks."""

    which: str = "in_place"

    def build(self, context: Context) -> gluon.Block:
        return MADE[self.which]()
'''
WORDS = (
    "model.input=[64]",
    "model.layers=[{kind: dense, name: first, units: 6}, {kind: odd, name: odd, which: %s}, "
    "{kind: dense, name: head, units: 10}]",
)


@pytest.fixture
def run(only_run, tmp_path):
    """`run(which, word, …)` runs a network with an odd block, and returns its folder."""
    (tmp_path / "odd.py").write_text(PLUGIN)

    def call(which: str, *words: str) -> Path:
        model = [word % which if "%s" in word else word for word in WORDS]
        return only_run("--plugin", "odd.py", *model, "show=[]", *words)

    return call


def stats(folder: Path) -> dict:
    return json.loads((folder / "stats.json").read_text())


@pytest.mark.parametrize("probe", ["forward", "train"])
@pytest.mark.parametrize("which", ["in_place", "counting", "twice", "nothing", "tuple", "dict"])
def test_the_figures_of_a_run_are_those_without_a_diagnosis(which, probe, run):
    if (which, probe) == ("in_place", "train"):
        pytest.skip("cannot be trained: it assigns to an array on the tape")
    words = [f"probe={probe}", "init_mode=eager", "data=digits"]
    words += ["probe.steps=2", "probe.judged=8"] if probe == "train" else []
    without = stats(run(which, *words, "diagnose=false"))
    assert stats(run(which, *words)) == without


@pytest.mark.parametrize("which", ["counting", "twice", "nothing", "tuple", "dict"])
def test_a_network_with_blocks_of_any_kind_has_a_diagnosis(which, run):
    assert (run(which) / "diagnosis.json").exists()


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("in_place", "MXNetError: Check failed: AGInfo: :IsNone"),
        ("broken", "RuntimeError: a block for two calls"),
    ],
)
def test_a_network_that_cannot_be_looked_at_is_run_without_a_diagnosis(which, said, run):
    # Exact zeros ask for more passes than the broken block allows.
    words = ["init=zero" if which == "broken" else "init=he"]
    folder = run(which, "init_mode=eager", *words)
    assert not (folder / "diagnosis.json").exists()
    log = (folder / "runner.log").read_text()
    warned = next(line for line in log.splitlines() if " WARNING runner: no diagnosis" in line)
    assert warned.partition("cannot be looked at: ")[2].startswith(said)
    assert "Traceback" in log and "diagnosis.json" not in (folder / "manifest.json").read_text()
