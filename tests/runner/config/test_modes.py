"""When the mode in which layers are measured is part of a run's id."""

from __future__ import annotations

import pytest

from initlab.runner.declare import declare

AVERAGED = (
    "model.layers=[{kind: dense, units: 3}, {kind: batch_norm}, {kind: dense, units: 2}]",
    "data.batch=4",
)
DROPPED = (
    "model.layers=[{kind: dense, units: 3}, {kind: dropout, rate: 0.5}, {kind: dense, units: 2}]",
)
PLAIN = ("model=mlp",)
BACKWARD, FORWARD, LOOKS = "probe=backward", "probe=forward", "measure=[layers]"


def canonical(*words: str) -> object:
    return declare(*words).checked.canonical["probe"]


def kept(*words: str) -> bool:
    return "mode" in canonical(*words)


@pytest.mark.parametrize(
    "words",
    [
        (*PLAIN, FORWARD),
        (*PLAIN, BACKWARD, LOOKS),
        (*PLAIN, FORWARD, "probe.mode=predict"),
        (*AVERAGED, BACKWARD),
        (*AVERAGED, FORWARD, "probe.mode=predict"),
        (*AVERAGED, FORWARD, "probe.mode=null"),
        (*DROPPED, FORWARD, LOOKS),
        (*DROPPED, BACKWARD, "probe.dropout=true"),
        (*AVERAGED, "probe=none", "measure=[spectrum]"),
    ],
)
def test_the_id_is_that_of_before_where_the_values_are(words):
    assert not kept(*words)


@pytest.mark.parametrize(
    "words",
    [
        (*AVERAGED, FORWARD),
        (*AVERAGED, "probe=none", LOOKS),
        (*AVERAGED, BACKWARD, "probe.mode=predict"),
        (*AVERAGED, BACKWARD, LOOKS),
        (*DROPPED, BACKWARD),
        (*DROPPED, FORWARD, "probe.dropout=true"),
    ],
)
def test_the_id_is_another_where_the_values_are_others(words):
    assert kept(*words)


def test_a_run_with_the_mode_of_before_has_the_id_of_before(tmp_path):
    now, before = (
        declare(*AVERAGED, FORWARD, word).checked for word in ("seed=0", "probe.mode=predict")
    )
    assert now.run_id != before.run_id
    assert before.canonical["probe"] == {"kind": "forward"}


@pytest.mark.parametrize("node", ["not a mapping", {"kind": ["list"]}, {"kind": "unknown"}])
def test_a_config_that_is_invalid_has_a_canonical_form(node):
    from initlab.runner.config.modes import without_mode

    probe = {"kind": "forward", "mode": "train", "dropout": False}
    model = {"layers": [node, {"kind": "batch_norm"}]}
    assert without_mode({"probe": probe, "model": model}) == probe
    assert without_mode({"probe": probe, "model": node, "measure": node}) == {"kind": "forward"}
    assert without_mode({"probe": node, "model": model}) == node
