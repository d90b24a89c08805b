"""Which implementation draws: by name, by the environment, by what the machine has."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.engine import native, streams
from initlab.engine.streams import Key, reference

ROOT = Path(__file__).parents[3]


chosen = sys.modules["initlab.engine.streams.implementation"]


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """As a process begins."""
    monkeypatch.delenv("ENGINE_DRAW", raising=False)
    monkeypatch.setattr(chosen, "_state", chosen._State())


@pytest.fixture
def without_library(monkeypatch):
    monkeypatch.setattr(native, "cores", lambda: ())
    monkeypatch.setattr(native, "why_not", lambda name=None: "no compiler")


def test_auto_takes_the_fastest_core_of_the_processor():
    assert streams.implementation() == "auto"
    if not native.cores():
        pytest.skip(f"no core here: {native.why_not()}")
    assert streams.core() == native.cores()[0]
    assert chosen.filler() is not reference.fill
    assert streams.why_core() == f"{native.cores()[0]} draws, the fastest of this processor"


def test_a_name_chooses():
    assert streams.implementation("numpy") == "numpy"
    assert streams.implementation() == "numpy"
    assert streams.core() == "numpy"
    assert chosen.filler() is reference.fill
    assert streams.why_core() == "numpy draws, as ENGINE_DRAW or the program says"


def test_what_a_name_stands_for_is_said_without_choosing_it():
    assert streams.core("numpy") == "numpy"
    assert streams.core("auto") == streams.core()
    assert [streams.core(name) for name in native.cores()] == list(native.cores())
    with pytest.raises(ValueError, match="no implementation 'nupmy' - did you mean 'numpy'"):
        streams.core("nupmy")
    assert streams.implementation() == "auto"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError,
        match=r"no implementation 'numbpy' - did you mean 'numpy'\? Known: auto, avx2, avx512, baseline, numpy\.",
    ):
        streams.implementation("numbpy")
    assert streams.implementation() == "auto"


def test_the_environment_presets_it(monkeypatch):
    monkeypatch.setenv("ENGINE_DRAW", "numpy")
    assert streams.implementation() == "numpy"
    monkeypatch.setenv("ENGINE_DRAW", "nupmy")
    assert streams.implementation() == "numpy"
    monkeypatch.setattr(chosen, "_state", chosen._State())
    with pytest.raises(ValueError, match="no implementation 'nupmy' - did you mean 'numpy'"):
        streams.normal(Key(0, "x"), 0, 3, 0, 1)


def test_without_a_library_numpy_draws_and_says_why(without_library):
    assert streams.core() == "numpy"
    assert chosen.filler() is reference.fill
    assert streams.why_core() == "numpy draws: no compiler"
    with pytest.raises(ImportError, match="implementation 'avx2' cannot be used: no compiler"):
        streams.implementation("avx2")
    with pytest.raises(ImportError, match="implementation 'avx2' cannot be used: no compiler"):
        streams.core("avx2")
    assert streams.implementation() == "auto"


@pytest.mark.parametrize("name", ["numpy", *native.cores()])
def test_each_gives_the_same_values_when_the_environment_says_so(name):
    script = (
        "from initlab.engine import streams; import hashlib; "
        "values = streams.normal(streams.Key(0, 'x'), 0, 1000, 0, 1); "
        "print(streams.core(), hashlib.sha256(values.tobytes()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "ENGINE_DRAW": name},
        capture_output=True,
        text=True,
        check=True,
    )
    values = streams.normal(Key(0, "x"), 0, 1000, 0, 1)
    assert done.stdout.split() == [name, hashlib.sha256(values.tobytes()).hexdigest()]
