"""Runs declared from Python, in a process that has its own use of Hydra."""

from __future__ import annotations

import copy
import multiprocessing
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

import initlab
from initlab.engine import nd, streams
from initlab.engine.gluon import nn
from initlab.runner.config.hydra_internals import VERSION
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError, StorageError


def names_in(node):
    return {
        key: names_in(value) if isinstance(value, dict) else None for key, value in node.items()
    }


@contextmanager
def own_hydra(folder):
    """A caller who has made Hydra ready for its own configs."""
    GlobalHydra.instance().clear()
    folder.mkdir()
    (folder / "config.yaml").write_text("x: ${mine:}\nrun_dir: ${run_dir:}\n")
    OmegaConf.register_new_resolver("mine", lambda: 7, replace=True)
    OmegaConf.register_new_resolver("run_dir", lambda: "the caller's", replace=True)
    try:
        with initialize_config_dir(str(folder), **VERSION):
            yield
    finally:
        OmegaConf.clear_resolver("mine")
        OmegaConf.clear_resolver("run_dir")


ROOT = Path(__file__).parents[2]


def test_a_callers_own_use_of_hydra_goes_on_as_it_was(tmp_path):
    with own_hydra(tmp_path / "conf"):
        before = (
            GlobalHydra.instance().hydra,
            names_in(ConfigStore.instance().repo),
            dict(BaseContainer._resolvers),
            dict(Plugins.instance().class_name_to_class),
            HydraConfig.initialized(),
        )
        initlab.declare("init=he")
        with pytest.raises(ConfigError):
            initlab.declare("init=hee")
        after = (
            GlobalHydra.instance().hydra,
            names_in(ConfigStore.instance().repo),
            dict(BaseContainer._resolvers),
            dict(Plugins.instance().class_name_to_class),
            HydraConfig.initialized(),
        )
        assert after == before
        assert dict(compose("config")) == {"x": 7, "run_dir": "the caller's"}


def test_hydra_is_as_unused_as_before_in_a_process_that_does_not_use_it():
    GlobalHydra.instance().clear()
    initlab.declare("init=he")
    assert not GlobalHydra.instance().is_initialized()


def test_a_declared_run_has_its_plan_its_config_and_its_id():
    declared = initlab.declare("init=he", "model=mlp", "seed=3")
    assert declared.words == ("init=he", "model=mlp", "seed=3")
    assert declared.plan["0.weight"].rule == "init"
    assert (declared.config["seed"], declared.config["init"]["kind"]) == (3, "he")
    assert "hydra" not in declared.config
    assert declared.run_id.startswith("he-seed3-")
    declared.config["seed"] = 4
    assert declared.config["seed"] == 3


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        initlab.declare("init=norml", "sead=3", "dtype=float31")
    assert {problem.place for problem in caught.value.problems} >= {"init", "sead", "dtype"}


@pytest.mark.parametrize("word", [["init=he"], None, 3, b"init=he", {"init": "he"}])
def test_a_word_that_is_no_text_is_refused(word):
    with pytest.raises(TypeError, match=r'each word must be a text, as in declare\("init=he"'):
        initlab.declare("seed=3", word)


def test_an_empty_config_dir_is_refused():
    with pytest.raises(ConfigError, match="config_dir: is empty"):
        initlab.declare("init=he", config_dir="")


def test_an_empty_folder_to_run_into_is_refused():
    with pytest.raises(ConfigError, match="folder: is empty"):
        initlab.declare("init=he").run("")


@pytest.mark.parametrize("word", ["+x=" + "[" * 900 + "]" * 900, "init=" + "a" * 5000])
def test_a_word_that_is_too_deep_or_too_long_is_refused(word):
    with pytest.raises(ConfigError):
        initlab.declare(word)


def test_what_would_be_a_sweep_says_what_to_write_in_python():
    with pytest.raises(ConfigError, match=r"give -m .*in Python, declare each run"):
        initlab.declare("init=he,normal")
    with pytest.raises(ConfigError, match="add -m .*; in Python, declare each of them"):
        initlab.declare("experiment=he_forward")


def test_a_declared_run_is_copied_and_sent_to_another_process(tmp_path, monkeypatch):
    (tmp_path / "init").mkdir()
    text = "defaults: [/schema/init/normal@_here_, _self_]\nkind: normal\nsigma: 5\n"
    (tmp_path / "init" / "wide.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    declared = initlab.declare("init=wide", "seed=3", config_dir=".")
    for made in (copy.copy(declared), copy.deepcopy(declared)):
        assert (made.run_id, made.plan.digest) == (declared.run_id, declared.plan.digest)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(planned_digest, [declared]) == [declared.plan.digest]


def planned_digest(declared):
    return declared.plan.digest


PLUGIN = """
from dataclasses import dataclass
from initlab.engine import init, laws

@init.register
@dataclass(eq=False, repr=False)
class Wide(init.Initializer):
    sigma: float = 5.0

    def law(self, description):
        return laws.Normal(0.0, self.sigma)
"""


@pytest.mark.parametrize(
    ("loading", "named"),
    [
        ("import wide_init", []),
        (
            "from initlab.runner.config import plugins; plugins.load('wide_init.py')",
            ["wide_init.py"],
        ),
    ],
    ids=["imported", "loaded"],
)
def test_a_plugin_is_used_by_importing_or_loading_its_file(loading, named, tmp_path):
    (tmp_path / "wide_init.py").write_text(PLUGIN)
    script = (
        f"import initlab; initlab.declare('init=he'); {loading}\n"
        "run = initlab.declare('init=wide', 'init.sigma=2').run('one')\n"
        "print(run.stats.parameters[0]['law'], [plugin.file for plugin in run.manifest.plugins])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, f"Normal(0, 2) {named}\n"), done.stderr


def test_options_of_ones_own_are_found_in_a_folder(tmp_path):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "wide.yaml").write_text(
        "defaults: [/schema/init/normal@_here_, _self_]\nkind: normal\nsigma: 5\n"
    )
    declared = initlab.declare("init=wide", config_dir=tmp_path)
    assert str(declared.plan["0.weight"].law) == "Normal(0, 5)"


def test_a_declared_run_runs_quietly_and_comes_back_loaded(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    declared = initlab.declare("init=he", "seed=3")
    run = declared.run()
    assert capfd.readouterr() == ("", "")
    assert run.path == (tmp_path / "outputs" / "runs" / declared.run_id)
    assert run.manifest.run_id == declared.run_id
    assert run.manifest.overrides == ["init=he", "seed=3"]
    assert (run.path / ".hydra" / "config.yaml").is_file()
    np.testing.assert_array_equal(run["0.weight"], declared.plan["0.weight"].draw())


def test_a_run_goes_into_the_folder_that_is_given_and_is_what_the_command_makes(tmp_path, only_run):
    run = initlab.declare("init=xavier", "model=shared").run(tmp_path / "mine")
    assert run.path == tmp_path / "mine"
    made = initlab.load(only_run("init=xavier", "model=shared"))
    assert run.manifest.digests == made.manifest.digests
    assert run.manifest.run_id == made.manifest.run_id


def test_a_run_leaves_the_callers_seed_and_random_numbers_alone(tmp_path):
    streams.seed(9)
    expected = nd.random.normal(shape=(4,)).asnumpy(), nd.random.normal(shape=(4,)).asnumpy()
    streams.seed(9)
    first = nd.random.normal(shape=(4,)).asnumpy()
    initlab.declare("init=he", "seed=3").run(tmp_path / "run")
    second = nd.random.normal(shape=(4,)).asnumpy()
    assert streams.current_seed() == 9
    np.testing.assert_array_equal((first, second), expected)


def test_a_run_leaves_the_names_of_the_callers_next_blocks_alone(tmp_path):
    def counted():
        return int(nn.Dense(1).prefix[len("dense") : -1])

    before = counted()
    initlab.declare("init=he", "probe=none", "init_mode=eager").run(tmp_path / "run")
    assert counted() == before + 1
    net = nn.Sequential(prefix="net_")
    with net.name_scope():
        initlab.declare("init=he")
        assert nn.Dense(1).prefix == "net_dense0_"


def test_claims_are_judged_into_the_runs_folder(tmp_path):
    claim = """{id: spread, cite: none, quantity: "parameters['0.weight'].std", predicted: 0.01}"""
    declared = initlab.declare("init=normal", f"expect=[{claim}]")
    run = declared.run(tmp_path / "run")
    assert (run.path / "claims.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("task=plan",), "task: plan makes no run"),
        (("dry_run=true",), "dry_run: true makes no run"),
    ],
)
def test_task_plan_and_dry_run_are_refused(words, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        initlab.declare("init=he", *words).run(tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the manifest is damaged"),
        ('{"format": "initlab-manifest-99"}', "is of format initlab-manifest-99"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would_and_neither_removes_anything(
    text, said, command, only_run
):
    words = ["init=he", "resume=true"]
    folder = only_run(*words)
    assert command(*words, "dry_run=true").out.startswith("finished  ")
    (folder / "manifest.json").write_text(text)
    (folder / "claims.json").write_text("[]")
    (folder / "status.json").write_text("{}")
    dry, real = command(*words, "dry_run=true"), command(*words)
    assert (dry.code, dry.out) == (real.code, real.out) == (2, "")
    assert said in dry.err and dry.err == real.err
    assert (folder / "claims.json").exists() and (folder / "status.json").exists()
    assert "1 to run" in command("init=he", "dry_run=true").out


def test_a_sweep_is_not_one_run():
    with pytest.raises(ConfigError, match="sweep.grid declares several runs"):
        initlab.declare("init=he", "+sweep.grid.seed=[1,2]")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((ConfigError, StorageError), match="file"):
        initlab.declare("init=he").run(tmp_path / "file" / "run")


def test_a_declared_run_fits_a_screen():
    lines = repr(initlab.declare("init=he", "model=deep_mlp")).splitlines()
    assert lines[0].startswith("deep_mlp-he-seed0-") and "init=he model=deep_mlp" in lines[0]
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "<table>" in initlab.declare("init=he")._repr_html_()


def test_a_declared_run_is_planned_and_its_parameters_drawn_as_the_run_draws_them(only_run):
    from initlab.engine import formats

    planned = declare("init=xavier", "model=shared").plan
    tensors = (
        formats.get("safetensors")
        .read(only_run("init=xavier", "model=shared") / "snapshot.safetensors")
        .tensors
    )
    assert planned["0.weight"].draw().tobytes() == tensors["0.weight"].tobytes()
    assert planned["2.weight"].draw(slice(1, 3)).tobytes() == tensors["1.weight"][1:3].tobytes()
    with pytest.raises(KeyError, match="no parameter '0.weigth' - did you mean '0.weight'"):
        planned["0.weigth"]


def test_a_fresh_process_declares_and_draws():
    script = "from initlab.runner.declare import declare; print(declare('init=constant', 'init.value=3').plan['0.weight'].draw((1, slice(2))))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert (done.returncode, done.stdout) == (0, "[3. 3.]\n"), done.stderr


MODEL = "defaults:\n  - /schema/model@_here_\n  - _self_\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("input: 64\nlayers: [{kind: dense, units: 2}]\n", "write input: […] (in model=mine)"),
        ("input: [64]\nlayers: {kind: dense, units: 2}\n", "a list and a mapping stand for one"),
        ("input: [64]\nlayers: [{kind: dense, units: 2\n", "mine.yaml, line 6"),
        ("inputs: [64]\nlayers: [{kind: dense, units: 2}]\n", "inputs"),
    ],
)
def test_a_wrong_option_is_not_judged_by_the_default_in_its_place(tmp_path, content, said):
    """The default model takes no digits, but nobody chose it. Other mistakes are still said."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(MODEL + content)
    with pytest.raises(ConfigError) as caught:
        declare("model=mine", "data=digits", "seed=-1", config_dir=str(tmp_path))
    lines = str(caught.value).splitlines()
    assert said in lines[0]
    assert [line.partition(":")[0] for line in lines[1:]] == ["seed"]


def test_a_key_is_not_judged_by_the_default_of_its_group():
    with pytest.raises(ConfigError) as caught:
        declare("init=hee", "init.sigma=3", "sed=3")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["init", "sed"]
