"""Frozen parameters: not trained, and the same in every other way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import initlab
from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.runner.declare import declare
from initlab.runner.plan.network import build
from initlab.runner.run import stages

LAYERS = (
    "model.layers=[{kind: dense, name: stem, units: 8, activation: relu%s}, {kind: repeat, name: body, "
    "times: 2, layers: [{kind: dense, name: fc, units: 8, activation: relu}, {kind: batch_norm, name: "
    "norm}]}, {kind: dense, name: head, units: 10}]"
)
TRAIN = ("data=digits", "model.input=[64]", "init=he", "probe=train", "probe.epochs=1")
STEM = ["stem.weight", "stem.bias"]


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "words, frozen",
    [
        ([LAYERS % ", trainable: false"], STEM),
        ([LAYERS % "", "model.freeze=['stem[.].*']"], STEM),
        ([LAYERS % "", "+model.layers.0.trainable=false"], STEM),
        (
            [LAYERS % "", "+model.layers.1.trainable=false"],
            [
                f"body.{n}.{p}"
                for n in (0, 1)
                for p in ("fc.weight", "fc.bias", "norm.gamma", "norm.beta")
            ],
        ),
    ],
    ids=["layer", "rule", "word", "container"],
)
def test_frozen_parameters_are_not_changed_by_training_and_all_others_are(words, frozen):
    config = declare(
        "init=he", "data=digits", "model.input=[64]", "probe=train", "probe.epochs=1", *words
    ).checked
    network, _ = stages.initialize(config)
    before = stages.host_values(network)
    stages.probe(config, network)
    after = stages.host_values(network)
    same = [path for path in before if before[path].tobytes() == after[path].tobytes()]
    assert same == frozen
    assert [row.path for row in config.plan.rows if row.frozen] == frozen


def test_running_statistics_of_a_frozen_normalization_are_updated_as_in_gluon():
    words = (LAYERS % "", "model.freeze=['.*norm.*']", *TRAIN)
    config = declare(*words).checked
    network, _ = stages.initialize(config)
    stages.probe(config, network)
    values = stages.host_values(network)
    assert np.all(values["body.0.norm.gamma"] == 1)
    assert np.any(values["body.0.norm.running_mean"] != 0)


def test_first_values_digests_and_the_ids_of_other_runs_are_as_without():
    plain, frozen = declare("init=he"), declare("init=he", "model.freeze=['0.*']")
    assert frozen.plan.digest == plain.plan.digest
    assert frozen.checked.run_id != plain.checked.run_id
    assert declare("init=he", "model.freeze=[]").checked.run_id == plain.checked.run_id
    assert (
        declare("init=he", "+model.layers.0.trainable=true").checked.run_id == plain.checked.run_id
    )
    assert declare("init=normal").checked.run_id == "normal-seed0-046dba22b31ff360"


def test_plan_manifest_and_statistics_say_what_is_frozen_and_the_run_verifies(only_run, command):
    folder = only_run(LAYERS % ", trainable: false", *TRAIN[:3], "probe=backward")
    assert read(folder, "manifest.json")["frozen"] == STEM
    stats = read(folder, "stats.json")
    assert [row["path"] for row in stats["parameters"] if row.get("frozen")] == STEM
    assert [row["path"] for row in stats["gradients"]][0] == "body.0.fc.weight"
    assert [row["path"] for row in read(folder, "plan.json")["rows"] if row.get("frozen")] == STEM
    assert command("verify", str(folder)).code == 0
    plain = only_run("init=he")
    assert "frozen" not in (plain / "manifest.json").read_text()
    assert "frozen" not in (plain / "stats.json").read_text()


def test_the_plan_and_the_run_print_it(command):
    done = command("plan", "init=he", "model.freeze=['0.*']")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("  frozen")] == [
        "0.weight",
        "0.bias",
    ]
    said = "frozen (no gradient, no update): 0.weight, 0.bias"
    assert said in lines
    assert said in command("init=he", "model.freeze=['0.*']").out.splitlines()


@pytest.mark.parametrize("rule", ["stem.*", "body.*", "head.*", ".*"])
@pytest.mark.parametrize("kind", ["he", "zero"])
def test_the_diagnosis_finds_no_missing_gradient_where_none_is_wanted(rule, kind):
    words = (
        f"init={kind}",
        LAYERS % "",
        f"model.freeze=['{rule}']",
        "data=digits",
        "model.input=[64]",
    )
    found = declare(*words, "probe=backward").diagnose()
    frozen = rule.removesuffix(".*").removesuffix(".")
    named = [
        one
        for one in found.findings
        if "gradient" in one.id or one.id in ("stands-still", "overshoots")
    ]
    assert [one for one in named if frozen == "" or one.where.startswith(frozen)] == []
    if kind == "he":
        assert not found.findings


@pytest.mark.parametrize("probe", ["forward", "backward"])
def test_a_network_that_is_frozen_whole_is_measured(only_run, probe):
    folder = only_run(
        *(LAYERS % "", "model.freeze=['.*']", "init=he", "data=digits", "model.input=[64]"),
        *(f"probe={probe}", "measure=[layers,backprop,output_change,jacobian]"),
    )
    stats = read(folder, "stats.json")
    assert stats["gradients"] == [] and stats["updates"] == []
    assert all(row["grad_rms"] is None for row in stats["layers"] if "grad_rms" in row)


TIED = "model.share={tie: [a.weight, b.weight]}"
TWO = "model.layers=[{kind: dense, name: a, units: 20}, {kind: dense, name: b, units: 20}]"


@pytest.mark.parametrize(
    "words, said",
    [
        (
            ["model.freeze=['0.weigt']"],
            "model.freeze.0: '0.weigt' matches nothing - did you mean '0.weight'?",
        ),
        (["model.freeze=0.weight"], "model.freeze: must be a list of regular expressions"),
        (["model.freeze=['(']"], "model.freeze.0: is no regular expression"),
        (
            [LAYERS % "", "model.freeze=['.*running_mean']"],
            "model.freeze.0: '.*running_mean' matches running statistics only, which have no gradient",
        ),
        (
            ["+model.layers.0.trainable=7"],
            "model.layers.0.trainable: must be true or false or null, got 7",
        ),
        (
            ["model.layers.0.trainable=false"],
            "is not set here yet - write +model.layers.0.trainable=false",
        ),
        (
            [*TRAIN, "model.freeze=['.*']"],
            "probe: train has nothing to train: every parameter is frozen",
        ),
        (["trainable=false"], "trainable: no such key - did you mean 'model.layers.N.trainable'?"),
        (
            [
                "model.layers=[{kind: dropout, rate: 0.1, trainable: false}, {kind: dense, units: 3}]"
            ],
            "model.layers.0.trainable: is false, but layer '0' has no parameter that learns",
        ),
        (
            [
                "model.layers=[{kind: sequential, trainable: false, layers: [{kind: dense, units: 3, "
                "trainable: true}]}]"
            ],
            "model.layers.0.layers.0.trainable: is true within a layer that is not trained",
        ),
        (
            [TWO, f"+{TIED}", "model.freeze=['b.*']"],
            "model.freeze.0: freezes 'b.weight', but not 'a.weight', to which it is tied: they are one "
            "parameter - freeze both or none",
        ),
        (
            [TWO, f"+{TIED}", "+model.layers.0.trainable=false"],
            "model.layers.0.trainable: freezes 'a.weight', but not 'b.weight'",
        ),
    ],
)
def test_what_freezes_nothing_or_half_is_refused(command, words, said):
    done = command("init=he", *words)
    assert done.code == 2
    assert said in done.err


def test_a_tie_of_which_all_members_are_frozen_is_frozen():
    config = declare("init=he", TWO, f"+{TIED}", "model.freeze=['.*weight']").checked
    assert [row.path for row in config.plan.rows if row.frozen] == ["a.weight", "b.weight"]
    assert build(config.model, "float32").owners["a.weight"].grad_req == "null"


def test_a_network_of_python_that_is_frozen_as_in_gluon_is_planned_so():
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(4), nn.BatchNorm(), nn.Dense(2))
    net[0].collect_params().setattr("grad_req", "null")
    net.constant = gluon.Constant("seven", [7.0])
    plan = initlab.plan(net, "he", (3,))
    assert [row.path for row in plan.rows if row.frozen] == ["0.weight", "0.bias"]
    assert "frozen" in str(plan)
