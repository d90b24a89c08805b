"""Words that the composed config does not show are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

PLAN = "task=plan"


@pytest.fixture
def options(tmp_path) -> str:
    """`--config-dir=…` of a folder with an experiment that has a model of its own."""
    for name, text in {
        "experiment/mine": "# @package _global_\nname: mine\n"
        "model: {input: [20], layers: [{kind: dense, units: 7}]}\ndata: {batch: 4}\n",
        "experiment/swept": "# @package _global_\nmodel: {layers: [{kind: dense, units: 7}]}\n"
        "sweep: {grid: {model: [tanh20, mlp]}}\n",
        "model/tanh50": "input: [50]\nlayers: [{kind: dense, units: 50, activation: tanh}]\n",
        "model/tanh20": "input: [20]\nlayers: [{kind: dense, units: 50, activation: tanh}]\n",
    }.items():
        file = tmp_path / "own" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return f"--config-dir={tmp_path / 'own'}"


@pytest.mark.parametrize("sweep", [(), ("-m", "dry_run=true")])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["experiment=mine", "model=tanh50"],
            "model: 'model=tanh50' does not say what would run: experiment=mine sets model.layers to "
            "[{'kind': 'dense', 'units': 7}] - leave one of the two out, or give model.layers=… too",
        ),
        (["experiment=mine", "model=tanh20"], "experiment=mine sets model.layers to [{'kind': 'de"),
        (
            ["experiment=mine", "model=mlp"],
            "experiment=mine sets model.layers to [{'kind': 'dense'",
        ),
        (
            ["seed=1", "seed=2"],
            "seed: 'seed=1' has no effect: 'seed=2' comes later - leave one out",
        ),
        (
            ["init=he", "seed=1", "init=normal"],
            "init: 'init=he' has no effect: 'init=normal' comes",
        ),
        (["hydra.job.chdir=true", "hydra.job.chdir=false"], "hydra.job.chdir: 'hydra.job.chdir=tr"),
        (
            ["+vars.a=3", "++vars={a: 2}"],
            "vars.a: '+vars.a=3' has no effect: '++vars={a: 2}' comes later",
        ),
        (
            ["model.layers.0.units=3", "model.layers=[{kind: dense, units: 4}]"],
            "model.layers.0.units: 'model.layers.0.units=3' has no effect",
        ),
        (["+vars.a=1", "~vars.a"], "vars.a: '+vars.a=1' has no effect: '~vars.a' comes later"),
    ],
)
def test_a_word_that_something_else_overrides_is_refused(command, options, words, said, sweep):
    done = command(*sweep, options, *words)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["experiment=mine", "init=he"],
        ["experiment=mine", "data=normal"],
        ["experiment=mine", "model=tanh50", "model.input=[20]", "model.layers=[{kind: flatten}]"],
        ["experiment=digits", "model=deep_mlp"],
        ["experiment=digits", "model=mlp"],
        ["experiment=digits", "probe=backward", "stats=[moments]"],
        ["experiment=digits_lenet", "probe=train", "probe.epochs=3"],
        ["seed=1", "seed=1"],
        ["name=2024", "init=normal", "init.sigma=1e-2", "resume=true"],
        ["++vars={a: 1, b: 2}", "vars.a=3"],
    ],
)
def test_a_word_that_shows_or_is_refined_is_no_mistake(command, options, words):
    done = command(options, PLAN, *words)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["name=a,1e5"], "name: must be a text, got 100000.0 - put it in quotes: 'name=\"1e5\"'"),
        (["seed=3", "seed=1,2"], "seed: 'seed=3' and 'seed=1,2' set one key - leave one out"),
        (["seed=1,2", "seed=3"], "seed: 'seed=1,2' and 'seed=3' set one key - leave one out"),
        (
            ["init=he,one", "init=zero"],
            "init: 'init=he,one' and 'init=zero' set one key - leave one out",
        ),
        (
            ["experiment=mine", "model=mlp,tanh20"],
            "model: 'model=tanh20' does not say what would run: experiment=mine sets model.layers",
        ),
        (
            ["experiment=mine", "seed=0,1", "model=tanh20"],
            "model: 'model=tanh20' does not say what would run",
        ),
    ],
)
def test_a_word_of_a_sweep_that_is_overridden_refuses_it(command, options, words, said):
    done = command("-m", options, *words)
    assert done.code == 2
    assert said in done.err
    assert "set one key" not in said or len(done.err.splitlines()) == 1, done.err
    assert not Path("outputs").exists()


def test_what_a_file_sweeps_over_may_meet_what_the_file_sets(command, options):
    assert command("-m", options, "experiment=swept", "dry_run=true").code == 0
    assert command("-m", options, "experiment=mine", "seed=0,1", "dry_run=true").code == 0
