"""Plan, statistics and probe are made again, whatever the manifest says of their files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from altered import answer, change_manifest, forge

from initlab.runner.config.identity import run_id
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.written import of_file

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (
            lambda s: s["figures"].update(loss=0.0001),
            "stats.json: figures.loss is 0.0001, measured again 0.69",
        ),
        (
            lambda s: s["parameters"][0].update(std=0.5),
            "stats.json: parameters[0] '0.weight'.std is 0.5, measured again 0.0",
        ),
        (
            lambda s: s["parameters"][1].update(verdict="off"),
            "stats.json: parameters[1] '0.bias'.verdict is off, measured again exact",
        ),
        (
            lambda s: s["parameters"][0].update(law="N(0, 1)"),
            "stats.json: parameters[0] '0.weight'.law is N(0, 1), measured again Normal(0, 0.01)",
        ),
        (
            lambda s: s["layers"][1].update(rms=s["layers"][1]["rms"] * 1.001),
            "stats.json: layers[1] '1'.rms is ",
        ),
        (
            lambda s: s["gradients"].pop(),
            "stats.json: gradients[3] '1.bias'.path is missing, measured again 1.bias",
        ),
        (
            lambda s: s.update(more=[{"path": "0", "x": 1}]),
            "stats.json: more[0] '0'.path is \"0\", measured again missing",
        ),
        (
            lambda s: s["parameters"][0].update(count=s["parameters"][0]["count"] + 0.0004),
            "stats.json: parameters[0] '0.weight'.count is ",
        ),
    ],
)
def test_figures_are_measured_again_whatever_the_manifest_says(alter, said, probed, capsys):
    forge(probed, "stats.json", alter)
    code, text = answer(probed, capsys)
    assert (code, f"{probed}: {said}" in text) == (1, True), text
    code, text = answer(probed, capsys, "--values")
    assert (code, "(figures as written, not measured again)" in text) == (0, True), text


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (
            lambda p: p["rows"][0]["law"].update(std=1.0),
            'plan.json: the law of \'0.weight\' is {"kind": "normal", "mean": 0.0, "std": 1.0}, '
            'its config\'s {"kind": "normal", "mean": 0.0, "std": 0.01}',
        ),
        (lambda p: p["rows"].pop(), "plan.json has other parameters than its config"),
        (lambda p: p["rows"][0].pop("roles"), "plan.json: the roles of '0.weight' is missing"),
        (lambda p: p.update(output=[0]), "plan.json: output is [0], its config's [2, 2]"),
        (lambda p: p.pop("totals"), "plan.json: totals is missing, its config's "),
        (lambda p: p.update(x=1), "plan.json: x is 1, its config's missing"),
        (
            lambda p: p["rows"][0]["stream"].update(generation=False),
            "plan.json: the stream of '0.weight' is ",
        ),
        (
            lambda p: p["rows"][0].update(dtype="x\u2028\n" * 1000),
            "plan.json: the dtype of '0.weight' is \"x\\u2028\\n",
        ),
    ],
)
def test_the_plan_is_made_again_whatever_the_manifest_says(alter, said, probed, capsys):
    forge(probed, "plan.json", alter)
    code, text = answer(probed, capsys)
    assert (code, f"{probed}: {said}" in text) == (1, True), text
    assert len(text.splitlines()) == 1 and len(text) < 500


@pytest.mark.parametrize(
    "words",
    [
        ["init_mode=streamed"],
        ["init_mode=streamed", "snapshot=none", "probe=none"],
        ["snapshot=npz", "probe=train", "data=digits", "model=mlp", "probe.epochs=2"],
        ["measure=spectrum", "probe=forward"],
        ["init=lsuv", "init_mode=eager"],
        ["stream=mxnet-1.9.1", "probe=forward"],
        ["+vars.batch=3", "data.batch=${vars.batch}"],
    ],
    ids=" ".join,
)
def test_runs_of_every_kind_are_covered_whole(words, only_run, capsys):
    folder = only_run("model.input=[64]", *words)
    code, text = answer(folder, capsys)
    assert (code, "figures and" in text) == (0, True), text


def other_machine(*words: str) -> Path:
    """Make a run with another matrix product than this process has, where NumPy has OpenBLAS."""
    command = [sys.executable, "-m", "runner", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_CORETYPE": "Sandybridge"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return Path(done.stdout.splitlines()[-1].split()[0])


TRAINED = ["model.input=[64]", "data=digits", "probe=train", "probe.epochs=2"]
CHAOTIC = ["init=orthogonal", "model=deep_mlp", "probe.learning_rate=1"]


@pytest.mark.parametrize("words", [["model=mlp"], CHAOTIC], ids=["plain", "chaotic"])
def test_a_training_on_another_machine_is_verified(words, command, capsys):
    folder = other_machine(*TRAINED, *words)
    code, text = answer(folder, capsys)
    assert code == 0, text


def test_the_loss_of_a_training_is_not_what_somebody_writes(only_run, capsys):
    folder = only_run(*TRAINED, "model=mlp")
    forge(folder, "stats.json", lambda s: s["figures"].update(loss=s["figures"]["loss"] * 0.99))
    code, text = answer(folder, capsys)
    assert (code, "stats.json: figures.loss is " in text) == (1, True), text


def test_figures_of_other_data_are_found_though_the_id_fits(probed, tmp_path, capsys):
    manifest = RunFolder(probed).manifest
    config = {**manifest.config, "data": {**manifest.config["data"], "batch": 5}}
    canonical = {**manifest.canonical, "data": config["data"]}
    other = probed.parent / run_id(canonical)
    probed.rename(other)
    change_manifest(
        other, lambda m: m.update(config=config, canonical=canonical, run_id=other.name)
    )
    composed = other / ".hydra" / "config.yaml"
    composed.write_text(composed.read_text().replace("batch: 2", "batch: 5"))
    entry = of_file(composed).to_json()
    change_manifest(other, lambda m: m["written"].update({".hydra/config.yaml": entry}))
    code, text = answer(other, capsys)
    assert (code, "plan.json: output is [2, 2], its config's [5, 2]" in text) == (1, True), text
    forge(other, "plan.json", lambda p: p.update(output=[5, 2]))
    code, text = answer(other, capsys)
    assert (code, "stats.json: layers[0] '0'." in text) == (1, True), text


def test_the_table_is_that_of_the_statistics(probed, capsys):
    table = probed / "stats.csv"
    table.write_text(table.read_text() + "x,y\n")
    change_manifest(probed, lambda m: m["written"].update({table.name: of_file(table).to_json()}))
    code, text = answer(probed, capsys)
    assert (code, "stats.csv is not the table of parameters of stats.json" in text) == (1, True)
