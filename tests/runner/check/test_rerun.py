"""A finished run is made again from what it recorded, into a new folder, and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from initlab.engine.init.base import KINDS, REGISTRY
from initlab.runner.check.rerun import INTO
from initlab.runner.evidence.folder import RunFolder

PLUGIN = """
import numpy as np
from initlab.engine import init, nd


@init.register
class NAME(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = VALUES
"""
SAME, OTHER = "nd.random.uniform(shape=data.shape)", "np.random.rand(*data.shape)"
NUMBERS = count()


@pytest.fixture
def with_plugin(tmp_path, command, only_run):
    """`with_plugin(values)` makes a run with an initializer of a plugin; it returns both paths, and
    forgets the plugin.
    """
    from initlab.runner.config import plugins

    made: list[str] = []

    def make(values: str) -> tuple[Path, Path]:
        name = f"Rerun{next(NUMBERS)}"
        made.append(name.lower())
        path = tmp_path / f"{name.lower()}.py"
        path.write_text(PLUGIN.replace("NAME", name).replace("VALUES", values))
        folder = only_run("--plugin", str(path), f"init={name.lower()}")
        return folder, path

    yield make
    assert plugins._LOADED is not None
    for name in made:
        for registry in (REGISTRY, KINDS):
            if name in registry:
                registry.remove(name)


def forget(path):
    """Forget that a plugin was loaded, as in a new process."""
    from initlab.runner.config import plugins

    plugins._LOADED.pop(str(path))
    os.environ.pop(plugins.ENVIRONMENT, None)


@pytest.mark.parametrize(
    "words",
    [
        ("init=normal", "tags=[a]", "note=x"),
        ("init=orthogonal", "snapshot=npz"),
        ("model.input=[64]", "data=digits", "probe=train", "probe.epochs=2"),
        ("init_mode=streamed", "probe=none"),
    ],
)
def test_a_run_comes_out_the_same_in_a_new_folder(words, command, only_run):
    folder = only_run(*words)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = command("rerun", str(folder))
    assert (done.code, done.err) == (0, "")
    assert "made again, values and figures are the same: " in done.out
    made = INTO / folder.name
    assert RunFolder(made).manifest.digests == RunFolder(folder).manifest.digests
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert command("verify", str(made)).code == 0


@pytest.mark.parametrize("name", ["averaged", "dropped"])
def test_a_run_of_an_earlier_version_is_made_again(name, command):
    done = command("rerun", str(Path(__file__).parent / "former" / name))
    assert (done.code, "made again, values and figures are the same: " in done.out) == (0, True)


def test_each_new_run_has_a_folder_of_its_own(command, only_run, tmp_path):
    folder = only_run("init=normal")
    for _ in range(2):
        assert command("rerun", str(folder), "--into", "again").code == 0
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert names == [folder.name, f"{folder.name}.2"]


def test_a_folder_stands_for_every_run_of_its_name_whichever_sweep_made_it(command):
    command("init=he", "probe=none", "name=mine")
    assert command("rerun", "outputs/mine").out.count("are the same") == 1
    command("-m", "seed=1,2", "init=he", "probe=none", "name=mine")
    command("-m", "seed=3", "init=he", "probe=none", "name=mine")
    done = command("rerun", "outputs/mine")
    assert (done.code, done.out.count("are the same")) == (0, 4)


def test_every_run_of_a_sweep_is_made_again(command, tmp_path):
    command("-m", "init=normal,he")
    done = command("rerun", "outputs/runs")
    assert (done.code, done.out.count("are the same")) == (0, 2)


def test_options_in_a_folder_are_not_needed(command, only_run, tmp_path):
    file = tmp_path / "mine" / "init" / "wide.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("defaults:\n  - /schema/init/normal@_here_\n  - _self_\nsigma: 0.3\n")
    folder = only_run("init=wide", "--config-dir", "mine")
    recorded = RunFolder(folder).manifest.provenance.config_dir
    assert recorded.path == str(tmp_path / "mine")
    assert "folder of options" not in command("rerun", str(folder)).out
    file.write_text(file.read_text().replace("0.3", "0.4"))
    done = command("rerun", str(folder))
    said = f"; its folder of options {tmp_path / 'mine'} has changed since, and was not needed\n"
    assert (done.code, done.out.endswith(said)) == (0, True)
    file.unlink()
    file.parent.rmdir()
    file.parent.parent.rmdir()
    assert " is gone since, and was not needed" in command("rerun", str(folder)).out


def test_the_code_of_a_plugin_is_run_only_if_it_is_trusted(with_plugin, command):
    folder, path = with_plugin(SAME)
    forget(path)
    done = command("rerun", str(folder))
    said = f"the run used the plugin {path}, which is unchanged - add --trust to run its code, or"
    assert (done.code, said in done.err) == (2, True), done.err
    assert not INTO.exists()
    root = Path(__file__).parents[3]
    for words in (["--trust"], ["--plugin", str(path)]):
        again = subprocess.run(
            [sys.executable, "-m", "runner", "rerun", str(folder), *words],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
        )
        assert (again.returncode, "are the same" in again.stdout) == (0, True), again.stderr


def test_a_plugin_that_changed_or_is_gone_is_named(with_plugin, command):
    folder, path = with_plugin(SAME)
    forget(path)
    text = path.read_text()
    path.write_text(text + "# changed\n")
    done = command("rerun", str(folder), "--trust")
    assert (done.code, f"{path}, which has changed since: SHA-256 " in done.err) == (2, True)
    path.unlink()
    done = command("rerun", str(folder), "--trust")
    assert (done.code, f"{path}, which is gone - restore it" in done.err) == (2, True)


def test_a_run_that_comes_out_differently_is_told_with_the_cause(with_plugin, command):
    folder, _ = with_plugin(OTHER)
    done = command("rerun", str(folder), "--trust")
    assert done.code == 1
    assert "and different: 2 of 4 parameters differ: '0.weight', '1.weight' - Rerun" in done.err
    assert "do not follow from the seed, like those of numpy.random" in done.err


def test_a_run_without_a_plugin_is_the_same_beside_one_that_has_one(with_plugin, command, only_run):
    plain = only_run("init=normal")
    folder, _ = with_plugin(SAME)
    done = command("rerun", str(folder), str(plain), "--trust")
    assert (done.code, done.out.count("are the same")) == (0, 2), done.err


def test_a_figure_that_differs_is_named(command, only_run):
    folder = only_run("init=normal")
    content = json.loads((folder / "stats.json").read_text())
    content["figures"]["output_rms"] *= 1.5
    (folder / "stats.json").write_text(json.dumps(content))
    done = command("rerun", str(folder))
    assert (done.code, "and different: stats.json: figures.output_rms is" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "manifest.json").unlink(),
            "no manifest, so the run did not finish",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is damaged"),
    ],
)
def test_a_run_that_cannot_be_made_again_is_one_line(change, said, command, only_run):
    folder = only_run("init=normal")
    change(folder)
    done = command("rerun", str(folder), str(folder.parent / "nothing"))
    assert (done.code, len(done.err.splitlines()), said in done.err) == (2, 2, True), done.err


def test_an_input_file_that_changed_is_named(command, only_run, tmp_path):
    first = only_run("init=normal")
    folder = only_run("init=load", f"init.param={first}/snapshot.safetensors")
    other = only_run("init=normal", "seed=1")
    (first / "snapshot.safetensors").write_bytes((other / "snapshot.safetensors").read_bytes())
    done = command("rerun", str(folder))
    assert (done.code, "has changed since the run" in done.err) == (2, True), done.err
    (first / "snapshot.safetensors").unlink()
    done = command("rerun", str(folder))
    assert (done.code, "names a file that does not exist" in done.err) == (2, True), done.err


def test_a_run_that_times_out_again_is_different_from_a_finished_one(with_plugin, command):
    folder, path = with_plugin(SAME)
    content = json.loads((folder / "manifest.json").read_text())
    content["config"]["timeout"] = 1e-9
    (folder / "manifest.json").write_text(json.dumps(content))
    done = command("rerun", str(folder), "--trust")
    assert (done.code, "it took longer than timeout=1e-09" in done.err) == (1, True), done.err
