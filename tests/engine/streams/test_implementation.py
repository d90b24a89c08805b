"""Which implementation draws: by name, by the environment, by what pays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from initlab.engine import streams
from initlab.engine.streams import Key, implementation, reference

ROOT = Path(__file__).parents[3]


chosen = sys.modules["initlab.engine.streams.implementation"]


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """As a process begins."""
    monkeypatch.delenv("ENGINE_DRAW", raising=False)
    monkeypatch.setattr(chosen, "_state", chosen._State())


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "initlab.engine.streams.compiled", raising=False)
    monkeypatch.delattr("initlab.engine.streams.compiled", raising=False)


@pytest.fixture
def counted(monkeypatch):
    """A stand-in for the compiled implementation, which counts how often it is loaded."""
    stand_in = SimpleNamespace(loads=0, kept=True, fill=lambda pieces: None)
    stand_in.is_kept = lambda: stand_in.kept
    stand_in.load = lambda: setattr(stand_in, "loads", stand_in.loads + 1)
    monkeypatch.setitem(sys.modules, "initlab.engine.streams.compiled", stand_in)
    monkeypatch.setattr("initlab.engine.streams.compiled", stand_in, raising=False)
    return stand_in


def test_the_implementation_is_auto_by_default():
    assert streams.implementation() == "auto"
    assert streams.implementation("numpy") == "numpy"
    assert streams.implementation() == "numpy"
    assert chosen.filler(10**12) is reference.fill


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError,
        match=r"no implementation 'numbra' - did you mean 'numba'\? Known: auto, numba, numpy\.",
    ):
        streams.implementation("numbra")
    assert streams.implementation() == "auto"


def test_the_environment_presets_it(monkeypatch):
    monkeypatch.setenv("ENGINE_DRAW", "numpy")
    assert streams.implementation() == "numpy"
    monkeypatch.setenv("ENGINE_DRAW", "nupmy")
    assert streams.implementation() == "numpy"
    monkeypatch.setattr(chosen, "_state", chosen._State())
    with pytest.raises(ValueError, match="no implementation 'nupmy' - did you mean 'numpy'"):
        streams.normal(Key(0, "x"), 0, 3, 0, 1)


def test_numba_that_is_missing_is_refused_by_name_and_done_without_by_auto(
    without_numba, monkeypatch
):
    with pytest.raises(
        ImportError,
        match=r"implementation 'numba' cannot be used: .* - pip install 'initlab\[fast\]'",
    ):
        streams.implementation("numba")
    assert streams.implementation() == "auto"
    monkeypatch.setattr(chosen, "WORTH_LOADING", 1)
    assert chosen.filler(10) is reference.fill


def test_auto_loads_numba_once_as_much_is_drawn_as_pays_for_it(counted, monkeypatch):
    monkeypatch.setattr(chosen, "WORTH_LOADING", 1000)
    assert chosen.filler(600) is reference.fill
    assert chosen.filler(399) is reference.fill
    assert counted.loads == 0
    assert chosen.filler(1) is counted.fill
    assert chosen.filler(1) is counted.fill
    assert counted.loads == 1


def test_auto_waits_for_a_compiler_only_where_more_is_drawn(counted, monkeypatch):
    counted.kept = False
    monkeypatch.setattr(chosen, "WORTH_LOADING", 1000)
    monkeypatch.setattr(chosen, "WORTH_COMPILING", 5000)
    assert chosen.filler(4000) is reference.fill
    assert counted.loads == 0
    assert chosen.filler(1000) is counted.fill


def test_auto_uses_numba_for_anything_once_it_is_loaded(counted):
    streams.implementation("numba")
    streams.implementation("auto")
    assert chosen.filler(1) is counted.fill
    assert implementation() == "auto"


def test_small_nets_do_not_import_numba():
    script = (
        "import sys; from initlab.engine import gluon; net = gluon.nn.Dense(500, in_units=500); net.initialize(); print('numba' in sys.modules);"
        "from initlab.engine import streams; streams.implementation('numba'); print('numba' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ENGINE_DRAW"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]
