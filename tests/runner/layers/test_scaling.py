"""Layer kinds of `runner.layers.scaling`: runs in both modes, and options that cannot be."""

from __future__ import annotations

import json

import layer_cases
import pytest
from layer_cases import tensors

FIXUP = "model.layers=[{kind: shift, name: b}, {kind: scale, name: s, factor: 3, learnable: true}, {kind: scale, name: fixed, factor: 2}]"


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_scalars_start_where_their_layer_says_and_are_in_the_snapshot(dtype, only_run):
    folder = only_run(
        FIXUP, "model.input=[4]", "init=he", f"dtype={dtype}", "probe=forward", "data=ones"
    )
    found = tensors(folder)
    assert {path: (values.tolist(), str(values.dtype)) for path, values in found.items()} == {
        "b.bias": ([0], dtype),
        "s.scale": ([3], dtype),
    }
    assert [row["rms"] for row in json.loads((folder / "stats.json").read_text())["layers"]] == [
        1,
        3,
        6,
    ]
    rows = {
        row["path"]: row["rule"] for row in json.loads((folder / "plan.json").read_text())["rows"]
    }
    assert rows == {"b.bias": "shift's default", "s.scale": "scale's default"}


def test_a_rule_or_a_scalars_own_initializer_wins_over_its_start(only_run):
    rules = "init.rules=[{match: 's.scale', init: {kind: constant, value: 0.5}}, {match: '.*', init: {kind: zero}}]"
    assert tensors(only_run(FIXUP, "model.input=[4]", "init=mixed", rules))["s.scale"].tolist() == [
        0.5
    ]
    own = FIXUP.replace("learnable: true", "learnable: true, scale_initializer: {kind: one}")
    folder = only_run(own, "model.input=[4]", "init=he")
    assert tensors(folder)["s.scale"].tolist() == [1]


def test_a_kind_has_the_same_values_in_both_modes(kind, only_run):
    layer_cases.check_both_modes(kind, only_run)


def test_invalid_arguments_are_refused(refused, command):
    layer_cases.check_refused(*refused, command)
