"""LSUV in a run, multipliers of branches and of learning rates in plans and runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from words import last_of_each

from initlab.engine.formats.safetensors import open_mapped
from initlab.runner.check import verify
from initlab.runner.declare import declare
from initlab.runner.run import stages

DEEP = [
    "model.input=[64]",
    "model.layers=[{kind: repeat, name: body, times: 5, layers: [{kind: dense, name: fc, units: 32, activation: tanh}]}, {kind: dense, name: head, units: 10}]",
    "data=digits",
    "data.batch=64",
]
LSUV = [*DEEP, "init=lsuv", "measure=[layers]", "probe=none"]


def root(folder: Path) -> str:
    return json.loads((folder / "manifest.json").read_text())["digests"]["root"]


def test_every_layer_gives_unit_variance_on_the_declared_data(only_run):
    folder = only_run(*LSUV)
    rows = json.loads((folder / "stats.json").read_text())["layers"]
    assert len(rows) == 6 and all(abs(row["pre_variance"] - 1) < 0.1 for row in rows)
    weight = (
        open_mapped(folder / "snapshot.safetensors").tensors["body.1.fc.weight"].astype(np.float64)
    )
    gram = weight @ weight.T
    assert gram == pytest.approx(np.eye(32) * gram[0, 0], abs=1e-4) and abs(gram[0, 0] - 1) > 0.1


def test_deferred_and_eager_runs_scale_alike_and_verify_makes_the_run_again(only_run):
    deferred, eager = only_run(*LSUV), only_run(*LSUV, "init_mode=eager")
    assert root(deferred) == root(eager) and deferred != eager
    answer = verify.verify(deferred)
    assert answer.code == 0 and "6 of them within 0 (max abs)" in answer.text


def test_a_changed_value_is_found(only_run):
    folder = only_run(*LSUV)
    path = folder / "snapshot.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(bytes(content))
    assert verify.verify(folder).code != 0


def test_the_plan_says_that_data_decide(command):
    done = command(*LSUV, "task=plan")
    assert done.code == 0 and "DataScaled(Haar(1))" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["init_mode=streamed", "measure=[]"],
            "init_mode: 'body.0.fc.weight' is scaled by the network's output for the data",
        ),
        (
            ["data=ones", "data.batch=1", "model.layers=[{kind: dense, name: a, units: 1}]"],
            "layer 'a' gives a variance of 0 for the declared data",
        ),
    ],
)
def test_what_cannot_be_scaled_is_refused_in_one_line(words, said, command):
    done = command(*last_of_each(*LSUV, *words))
    assert done.code == 2 and said in done.err, done.err
    assert len(done.err.splitlines()) == 1
    assert not list(Path("outputs").rglob("manifest.json"))


BRANCH = "model.layers=[{kind: residual, name: block, layers: [{kind: dense, name: fc, units: 64}, {kind: scale, name: end, factor: 2.0, learnable: true}]}]"


def test_skipinit_makes_a_block_the_identity(only_run):
    words = ["model.input=[64]", BRANCH, "data=digits", "measure=[layers]", "probe=forward"]
    with_it, without = only_run(*words, "init=skipinit"), only_run(*words, "init=he")
    values = [
        open_mapped(folder / "snapshot.safetensors").tensors["block.end.scale"]
        for folder in (with_it, without)
    ]
    assert [float(value[0]) for value in values] == [0.0, 2.0]
    assert json.loads((with_it / "stats.json").read_text())["layers"][1]["rms"] == 0


MUP = [
    *DEEP,
    "init=mup",
    "init.input=['body\\.0\\.fc\\.weight']",
    "init.output=['head\\..*']",
    "init.base=8",
]


def test_multipliers_stand_in_the_plan_where_they_are_not_1(command, only_run):
    done = command(*MUP, "task=plan")
    assert (
        done.code == 0
        and "lr mult" in done.out
        and "lr mult" not in command(*DEEP, "task=plan").out
    )
    rows = {
        row["path"]: row.get("lr_mult")
        for row in json.loads((only_run(*MUP, "probe=none") / "plan.json").read_text())["rows"]
    }
    assert rows["body.1.fc.weight"] == 0.25 and rows["head.weight"] == 0.25
    assert rows["body.0.fc.weight"] is None and rows["head.bias"] is None


@pytest.mark.parametrize("mode", ["deferred", "eager", "streamed"])
def test_a_step_of_training_goes_by_the_multipliers(mode, only_run):
    words = [
        "probe=train",
        "probe.steps=1",
        "probe.optimizer=adam",
        "probe.learning_rate=0.01",
        "probe.judged=16",
        f"init_mode={mode}",
    ]
    updates = {
        row["path"]: row
        for row in json.loads((only_run(*MUP, *words) / "stats.json").read_text())["updates"]
    }
    assert updates["body.1.fc.weight"]["update_rms"] == pytest.approx(0.0025, rel=0.05)
    assert updates["body.1.fc.bias"]["update_rms"] == pytest.approx(0.01, rel=0.05)
    assert updates["head.weight"]["lr_mult"] == 0.25


def test_patterns_that_fit_nothing_refuse_a_run(command):
    done = command(*DEEP, "init=mup", "init.output=['haed\\.weight']")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert (
        "init.output.0: 'haed\\.weight' matches nothing - did you mean 'head.weight'?" in done.err
    )


def test_a_network_in_memory_has_the_multipliers():
    network, _ = stages.initialize(declare(*MUP).checked)
    assert (
        network.owners["body.1.fc.weight"].lr_mult == 0.25
        and network.owners["head.bias"].lr_mult == 1.0
    )
