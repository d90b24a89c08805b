"""`initlab advise`."""

from __future__ import annotations

import pytest

from initlab.runner.cli import run_command


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [["advise"], ["task=advise"]])
def test_the_table_is_printed_and_nothing_written(words, tmp_path, capsys):
    assert run_command([*words, "init=normal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["initializer", "worst", "finding"]
    assert any("init=he " in line for line in lines)
    assert lines[-2].startswith("as declared: init=normal, place ")
    assert lines[-1].startswith("to type: init=")
    assert list(tmp_path.iterdir()) == []


def test_the_best_is_written_as_an_option(tmp_path, capsys):
    assert run_command(["advise", "init=normal", "--write", "mine/init/net.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "written: --config-dir mine init=net"
    assert run_command(["plan", "--config-dir", "mine", "init=net"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task=plan"], "has no meaning beside the command advise"),
        (["dry_run=true"], "has no meaning beside the command advise"),
        (["diagnose=false"], "has no meaning beside the command advise"),
        (["-m"], "-m: is for a sweep"),
        (["init=hee"], "did you mean"),
        (["--train"], "--train: needs data with labels"),
        (["--trian"], "--trian"),
        (["--write", "net.yaml"], "--write: must be a file in a folder 'init'"),
        (["init=fixup", "--write", "mine/init/net.yaml"], "residual branch"),
        (["probe=none", "--write", "mine/init/net.yaml"], "probe: none sends nothing"),
    ],
)
def test_what_is_refused_writes_nothing(words, said, tmp_path, capsys):
    assert run_command(["advise", *words]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


PLUGIN = """
from dataclasses import dataclass
from initlab.engine import gluon
from initlab.runner.layers.base import Layer, register


class Block(gluon.HybridBlock):
    def hybrid_forward(self, F, x):
        return x * F.tanh(x)

    def output_shape(self, shape):
        return shape


@register
@dataclass
class OwnBend(Layer):
    def build(self, context):
        return Block()
"""
NET = """
defaults: [/schema/model@_here_, _self_]
input: [20]
layers:
  - {kind: dense, units: 32}
  - {kind: own_bend}
  - {kind: dense, units: 10}
"""


def test_the_gain_of_a_plugins_activation_is_among_the_candidates(command, tmp_path, monkeypatch):
    """E[(z tanh z)^2] is 0.75789, by a sum over a fine grid."""
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "bend.py").write_text(PLUGIN)
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "net.yaml").write_text(NET)
    words = "--config-dir conf model=net init=normal data.batch=8"
    done = command("--plugin", "bend.py", "advise", *words.split())
    assert done.code == 0, done.err
    for form in ("normal", "uniform"):
        assert f"init=variance_scaling init.scale=1.319 init.distribution={form}" in done.out
    assert "init=orthogonal init.scale=1.149" in done.out


def test_a_sweep_gets_no_advice(capsys):
    assert run_command(["-m", "init=normal,he", "task=advise"]) == 2
    assert "task: advise is for one network" in capsys.readouterr().err
