"""A user's own classes, from a file named on the command line: an initializer, a layer, a
statistic, data and a probe.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.config import plugins

ROOT = Path(__file__).parents[3]

PLUGIN = """
from dataclasses import dataclass

import numpy as np

from initlab.engine import init, laws
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.runner import data, layers, probes, stats


@init.register
@dataclass(eq=False, repr=False)
class HalfUniform(init.Initializer):
    scale: float = 0.1

    def law(self, description):
        return laws.Uniform(0.0, self.scale)


class Gain(nn.HybridBlock):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        with self.name_scope():
            self.gain = self.params.get("gain", shape=(0,), init="ones", allow_deferred_init=True)

    def output_shape(self, shape):
        self.gain.shape = (shape[-1],)
        return shape

    def hybrid_forward(self, F, x, gain):
        return x * gain * self.factor


@layers.register
@dataclass
class Scale(layers.Layer):
    factor: float = 1.0

    def __post_init__(self):
        if self.factor == 0:
            raise OptionError("factor", "must not be 0")

    def build(self, context):
        return Gain(self.factor)


@stats.register
@dataclass
class Sparsity(stats.Statistic):
    below: float = 0.0

    def measure(self, values, law):
        return {"sparsity": (np.abs(values) <= self.below).mean(dtype=np.float32), "largest": values.max()}


@data.register
@dataclass
class Ramp(data.Data):
    def load(self, shape, seed):
        count = self.batch * int(np.prod(shape))
        return data.Batch(np.arange(count, dtype=np.float32).reshape(self.batch, *shape), None)


@probes.register
@dataclass
class Largest(probes.Probe):
    def measure(self, subject):
        return probes.Trace(figures={"largest": float(subject.network(subject.inputs()).asnumpy().max())})
"""


@pytest.fixture
def python(tmp_path):
    """`python(word, …)` runs `python -m runner` with the plugin file there, in a process of its
    own.
    """
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "my_init.py").write_text((ROOT / "examples" / "my_init.py").read_text())

    def call(
        *words: str, module: str = "runner", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
        )

    return call


def stats_of(tmp_path: Path) -> dict:
    [path] = (tmp_path / "outputs" / "runs").glob("*/stats.json")
    return json.loads(path.read_text())


def test_the_articles_initializer_runs_and_is_verified_with_its_plugin(python, tmp_path):
    done = python("--plugin", "my_init.py", "init=my_init")
    assert done.returncode == 0, done.stderr
    assert "Custom(MyInit)" in done.stdout
    row = stats_of(tmp_path)["parameters"][0]
    assert (row["path"], row["verdict"]) == ("0.weight", "untested")
    assert 0.4 < row["zeros"] / row["count"] < 0.6
    folder = done.stdout.splitlines()[-1].split()[0]
    [plugin] = json.loads((tmp_path / folder / "manifest.json").read_text())["plugins"]
    assert plugin["file"] == "my_init.py" and len(plugin["sha256"]) == 64
    assert python("--plugin=my_init.py", folder, module="runner.verify").returncode == 0


def test_deferred_and_eager_give_a_users_initializer_the_same_values(python, tmp_path):
    roots = set()
    for mode in ("deferred", "eager"):
        done = python("--plugin", "my_init.py", "init=my_init", f"init_mode={mode}")
        assert done.returncode == 0, done.stderr
        roots.add(done.stdout.splitlines()[-2])
    assert len(roots) == 1


def test_every_kind_of_class_can_be_added_and_has_its_options(python, tmp_path):
    words = [
        "init=half_uniform",
        "init.scale=0.3",
        "model.layers=[{kind: dense, units: 5}, {kind: scale, name: s, factor: 3}]",
        "stats=[moments,law,sparsity]",
        "stats.sparsity.below=0.15",
        "data=ramp",
        "data.batch=4",
        "probe=largest",
    ]
    done = python("--plugin", "mine.py", *words)
    assert done.returncode == 0, done.stderr
    content = stats_of(tmp_path)
    rows = {row["path"]: row for row in content["parameters"]}
    assert set(rows) == {"0.weight", "0.bias", "s.gain"}
    assert rows["0.weight"]["law"] == "Uniform(0, 0.3)"
    assert 0.3 < rows["0.weight"]["sparsity"] < 0.7
    assert content["figures"]["largest"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["init=half_uniform", "init.scal=1"], "init.scal: no such key - did you mean 'scale'?"),
        (["init=half_unifrm"], "init: no option 'half_unifrm' - did you mean 'half_uniform'?"),
        (["model.layers=[{kind: scale, factor: 0}]"], "model.layers.0.factor: must not be 0"),
        (
            ["model.layers=[{kind: scal}]"],
            "model.layers.0.kind: no layer kind 'scal' - did you mean 'scale'?",
        ),
        (["stats=[sparcity]"], "stats: no option 'sparcity' - did you mean 'sparsity'?"),
    ],
)
def test_mistakes_in_a_plugins_options_are_said_like_any_other(words, message, python):
    done = python("--plugin", "mine.py", *words)
    assert done.returncode == 2
    assert f"error: {message}" in done.stderr


def test_a_changed_plugin_is_another_run(python, tmp_path):
    one = python("--plugin", "my_init.py", "init=my_init").stdout.splitlines()[-1].split()[0]
    source = (ROOT / "examples" / "my_init.py").read_text().replace("high=10", "high=11")
    (tmp_path / "my_init.py").write_text(source)
    two = python("--plugin", "my_init.py", "init=my_init").stdout.splitlines()[-1].split()[0]
    assert one != two


def test_a_sweep_and_the_processes_of_a_launcher_know_the_plugin(python, tmp_path):
    done = python("--plugin", "my_init.py", "-m", "init=my_init,normal", "seed=0,1")
    assert done.returncode == 0, done.stderr
    ids = {
        path.name
        for path in (tmp_path / "outputs" / "runs").iterdir()
        if path.is_dir() and path.name != ".hydra"
    }
    assert len(ids) == 4
    child = python("init=my_init", "seed=1", INITLAB_PLUGINS=str(tmp_path / "my_init.py"))
    assert child.returncode == 0, child.stderr
    assert child.stdout.splitlines()[-1].split()[0].rsplit("/", 1)[-1] in ids


def test_a_plugin_that_ends_the_process_is_refused(python, tmp_path):
    (tmp_path / "mine.py").write_text("raise SystemExit(0)\n")
    done = python("--plugin", "mine.py", "init=normal")
    assert (done.returncode, done.stderr) == (
        2,
        "error: --plugin mine.py: failed while it was imported: SystemExit: 0\n",
    )


def test_no_config_key_can_name_a_plugin(python):
    done = python("+plugin=my_init.py", "init=normal")
    assert done.returncode == 2
    assert "error: plugin: no such key" in done.stderr


FAILING = """from dataclasses import dataclass
from initlab.engine import init
from initlab.runner import data, stats


def deep(x):
    return 1 / x


@init.register
@dataclass(eq=False, repr=False)
class Failing(init.Initializer):
    def _init_weight(self, name, arr):
        deep(0)


@init.register
class Bare(init.Initializer):
    pass


@init.register
@dataclass(eq=False, repr=False)
class Unplanned(init.Initializer):
    def law(self, description):
        return {}["x"]


@init.register
@dataclass(eq=False, repr=False)
class Lawless(init.Initializer):
    def law(self, description):
        return 0.1


@data.register
@dataclass
class Lost(data.Data):
    def load(self, shape, seed):
        raise RuntimeError("no data")


@stats.register
@dataclass
class Odd(stats.Statistic):
    def measure(self, values, law):
        return deep(0)
"""


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "init=failing",
            "Failing._init_weight failed for parameter '0.weight': ZeroDivisionError: di",
        ),
        ("data=lost", "Lost.load failed: RuntimeError: no data"),
        (
            "stats=[odd]",
            "Odd.measure failed for parameter '0.weight': ZeroDivisionError: division by",
        ),
    ],
)
def test_an_exception_of_a_plugin_names_its_hook_and_shows_its_own_lines_only(
    python, tmp_path, word, said
):
    (tmp_path / "mine.py").write_text(FAILING)
    done = python("--plugin", "mine.py", word)
    assert done.returncode == 1
    first, *traceback = done.stderr.splitlines()
    assert first.startswith(f"error: --plugin mine.py: {said}")
    files = [line for line in traceback if line.startswith("  File ")]
    assert files and all(f'"{tmp_path}/mine.py"' in line for line in files), done.stderr


def test_a_missing_key_in_a_plugins_law_is_said_as_one(python, tmp_path):
    (tmp_path / "mine.py").write_text(FAILING)
    done = python("--plugin", "mine.py", "init=unplanned")
    assert done.returncode == 2
    assert "init: cannot initialize '0.weight' of shape (256, 20): KeyError: 'x'" in done.stderr


def test_a_law_that_is_none_is_refused_with_what_was_returned(python, tmp_path):
    (tmp_path / "mine.py").write_text(FAILING)
    done = python("--plugin", "mine.py", "init=lawless")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert (
        "Lawless.law returned float 0.1, no law - return one of initlab.engine.laws" in done.stderr
    )


def test_an_initializer_of_a_plugin_that_defines_nothing_says_what_to_define(python, tmp_path):
    (tmp_path / "mine.py").write_text(FAILING)
    done = python("--plugin", "mine.py", "init=bare")
    assert done.returncode == 2
    assert (
        "init: cannot initialize '0.weight' of shape (256, 20): Bare defines neither law(description), "
        "which returns a law, nor _init_weight(name, array), which fills an array - define one of them"
    ) in done.stderr


def test_an_exception_of_ours_is_none_of_a_plugin():
    try:
        raise ValueError("ours")
    except ValueError as error:
        assert plugins.failure(error) is None
        assert plugins.parameter_of(error) is None


@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
@pytest.mark.parametrize(
    "words", [["init=normal", "init.sigma=1e6"], ["init=constant", "init.value=1e6"]]
)
def test_a_law_beyond_the_range_of_the_type_is_one_line(command, words, mode):
    done = command(*words, "dtype=float16", f"init_mode={mode}")
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert done.err.startswith("error: init: cannot fill '0.weight': ")
    assert "is beyond the range of float16 - use a wider dtype" in done.err
