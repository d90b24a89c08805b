"""A run that is made again over a finished run of the same config."""

from __future__ import annotations

import json
import warnings
from itertools import count

import pytest

from initlab import declare
from initlab.runner.config import plugins
from initlab.runner.evidence.folder import RunFolder

PLUGIN = """
import numpy as np
from initlab.engine import init


@init.register
class NAME(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = np.random.rand(*data.shape)
"""
SAID = (
    "2 of 4 parameters are not as in the run of the same config that was here before: '0.weight', "
    "'1.weight' - NAME draws numbers that do not follow from the seed, like those of numpy.random; "
    "draw them from initlab's nd.random"
)


NUMBERS = count()


@pytest.fixture
def restless(tmp_path):
    """The path of a plugin whose initializer gives other values each time, and its class's name."""
    name = f"Restless{next(NUMBERS)}"  # a name is registered once in a process
    path = tmp_path / "restless.py"
    path.write_text(PLUGIN.replace("NAME", name))
    return str(path), name


def test_a_run_that_comes_out_differently_is_said_once_and_is_done(restless, command):
    words = ("--plugin", restless[0], f"init={restless[1].lower()}")
    first = command(*words)
    second = command(*words)
    assert (first.code, "warning" in first.err) == (0, False), first.err
    assert second.code == 0
    [line] = second.err.splitlines()
    assert line.startswith("warning: outputs/runs/restless") and line.endswith(
        SAID.replace("NAME", restless[1])
    )


@pytest.mark.parametrize("resume", [True, False])
def test_a_sweep_says_it_of_the_first_run_and_counts_the_others(resume, restless, command):
    words = ("--plugin", restless[0], "-m", f"init={restless[1].lower()}", "seed=0,1")
    command(*words)
    again = command(*words, f"resume={str(resume).lower()}")
    lines = [line for line in again.err.splitlines() if line.startswith("warning")]
    assert again.code == 0
    if resume:
        assert lines == []
    else:
        assert lines[0].endswith(SAID.replace("NAME", restless[1]))
        assert lines[1:] == ["warning: 2 runs are not as the ones that were here before"]


def test_python_warns(restless, command, tmp_path):
    plugins.load(restless[0])
    run = declare(f"init={restless[1].lower()}")
    run.run(tmp_path / "run")
    with pytest.warns(UserWarning, match="2 of 4 parameters are not as in the run"):
        run.run(tmp_path / "run")


def test_a_run_that_comes_out_the_same_says_nothing(tmp_path):
    run = declare("init=normal")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.run(tmp_path / "run")
        run.run(tmp_path / "run")


def test_another_version_that_made_the_former_run_is_named(tmp_path):
    run = declare("init=normal")
    made = run.run(tmp_path / "run")
    content = json.loads((made.path / "manifest.json").read_text())
    content["versions"]["initlab"] = "0.0.1"
    content["digests"]["tensors"]["0.weight"] = "0f" * 32
    (made.path / "manifest.json").write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="'0.weight' - it was made by initlab 0.0.1, and this is "):
        run.run(tmp_path / "run")


def test_values_that_are_exact_to_a_tolerance_only_are_not_compared(tmp_path):
    run = declare("init=orthogonal")
    made = run.run(tmp_path / "run")
    loose = RunFolder(made.path).manifest.exactness
    assert loose
    content = json.loads((made.path / "manifest.json").read_text())
    content["digests"]["tensors"] |= dict.fromkeys(loose, "0f" * 32)
    (made.path / "manifest.json").write_text(json.dumps(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.run(tmp_path / "run")
