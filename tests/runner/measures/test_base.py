"""Measurements in runs: when they are made, what they leave alone, and what is refused."""

from __future__ import annotations

import json

import pytest
from measured import DIGITS


@pytest.mark.parametrize("stream", ["initlab-1", "mxnet-1.9.1"])
def test_a_measurement_that_drops_units_leaves_the_probe_its_own_numbers(stream, only_run):
    layers = "model.layers=[{kind: dense, units: 32}, {kind: dropout, rate: 0.5}, {kind: dense, units: 10}]"
    words = [
        "model.input=[64]",
        layers,
        "data=digits",
        "data.batch=32",
        "init=xavier",
        "probe=backward",
        f"stream={stream}",
    ]
    losses = [
        json.loads((only_run(*words, more) / "stats.json").read_text())["figures"]["loss"]
        for more in ("measure=[]", "measure=[output_change]", "measure=[layers,output_change]")
    ]
    assert losses[0] == losses[1] == losses[2]


def test_what_is_not_chosen_costs_nothing_and_changes_nothing(only_run):
    plain, more = only_run("probe=forward"), only_run("probe=forward", "measure=[layers,cosine]")
    kept = json.loads((plain / "stats.json").read_text())
    content = json.loads((more / "stats.json").read_text())
    assert json.loads((plain / "manifest.json").read_text())["canonical"].get("measure") is None
    for row, measured_row in zip(kept["layers"], content["layers"], strict=True):
        assert set(row) < set(measured_row) and all(
            measured_row[name] == row[name] for name in row if row[name] is not None
        )
    assert {section: content[section] for section in kept if section != "layers"} == {
        s: kept[s] for s in kept if s != "layers"
    }
    assert (plain / "snapshot.safetensors").read_bytes() == (
        more / "snapshot.safetensors"
    ).read_bytes()


def test_a_network_is_measured_before_it_is_trained(only_run):
    words = [*DIGITS, "measure=[layers]"]
    alone = json.loads((only_run(*words, "probe=none") / "stats.json").read_text())
    trained = json.loads(
        (
            only_run(*words, "probe=train", "probe.steps=3", "probe.judged=16") / "stats.json"
        ).read_text()
    )
    assert alone["layers"] == trained["layers"] and trained["training"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["measure=[layer]"], "measure: no option 'layer' - did you mean 'layers'?"),
        (
            ["measure=[cosine]", "data.batch=1"],
            "measure.cosine: 1 pairs of neighbours need a batch of 2, got 1",
        ),
        (
            ["measure=[cosine]", "measure.cosine.start=2"],
            "measure.cosine.start: must be a cosine, between -1 and 1",
        ),
        (
            ["measure=[cosine]", "measure.cosine.pairs=0"],
            "measure.cosine.pairs: must be a whole number of at least 1, got 0",
        ),
        (
            ["measure=[jacobian]", "measure.jacobian.samples=9"],
            "measure.jacobian: 9 samples need a batch of as many, got 2",
        ),
        (
            ["measure=[jacobian]", "measure.jacobian.samples=0"],
            "measure.jacobian.samples: must be a whole number",
        ),
        (
            ["measure=[jacobian]", "model=lstm_lm", "data=text"],
            "measure.jacobian: there is no derivative by inputs that are token numbers",
        ),
        (
            ["measure=[spectrum]", "measure.spectrum.most=0"],
            "measure.spectrum.most: must be a whole number",
        ),
        (
            ["measure=[operator]", "measure.operator.size=[]"],
            "measure.operator.size: must be a list of whole numbers",
        ),
        (
            ["measure=[output_change]"],
            "measure.output_change: output_change needs data with labels, like digits",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.optimizer=adamm"],
            "measure.output_change.optimizer: cannot be 'adamm' - did you mean 'adam'?",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.steps=0"],
            "measure.output_change.steps: must be a whole number",
        ),
        (
            [*DIGITS, "measure=[output_change]", "measure.output_change.learning_rate=0"],
            "measure.output_change.learning_rate: must be a positive number",
        ),
        (
            ["measure=[layers]", "init_mode=streamed", "snapshot=none", "probe=none"],
            "measure: a streamed run without a snapshot keeps no values",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(words, said, command):
    done = command(*words)
    assert done.code == 2 and said in done.err, done.err
    assert len(done.err.splitlines()) == 1


def test_a_streamed_run_is_measured_from_its_file(only_run):
    words = ["measure=[layers,spectrum]", "probe=none", "model.input=[8]", "data=normal"]
    streamed, eager = only_run(*words, "init_mode=streamed"), only_run(*words, "init_mode=eager")
    assert (
        json.loads((streamed / "stats.json").read_text())["spectrum"]
        == json.loads((eager / "stats.json").read_text())["spectrum"]
    )
