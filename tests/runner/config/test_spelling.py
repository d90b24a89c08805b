"""What a config can write in several ways within its lists is one run."""

from __future__ import annotations

import pytest

from initlab.runner.config import spelling
from initlab.runner.declare import declare

DENSE = "kind: dense, units: 3"
SAME = [
    (f"model.layers=[{{{DENSE}}}]", f"model.layers=[{{{DENSE}, use_bias: true, in_units: 0}}]"),
    (f"model.layers=[{{{DENSE}}}]", f"model.layers=[{{{DENSE}, name: 0}}]"),
    (f"model.layers=[{{{DENSE}, name: 7}}]", f"model.layers=[{{{DENSE}, name: '7'}}]"),
    (
        f"model.layers=[{{{DENSE}}}, {{kind: dropout, rate: 0}}]",
        f"model.layers=[{{{DENSE}}}, {{kind: dropout, rate: 0.0}}]",
    ),
    (
        f"model.layers=[{{{DENSE}, weight_initializer: he}}]",
        f"model.layers=[{{{DENSE}, weight_initializer: {{kind: he}}}}]",
    ),
    (
        f"model.layers=[{{kind: repeat, times: 2, layers: [{{{DENSE}}}]}}]",
        f"model.layers=[{{kind: repeat, times: 2, layers: [{{{DENSE}, flatten: true}}]}}]",
    ),
    (
        f"model.layers=[{{{DENSE}, bias_initializer: ones}}]",
        f"model.layers=[{{{DENSE}, bias_initializer: {{kind: one}}}}]",
    ),
    (
        "init.rules=[{match: .*weight, init: msraprelu}]",
        "init.rules=[{match: .*weight, init: {kind: msra_prelu}, optional: false}]",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_write_a_list_are_one_run(one, other):
    choose = ["init=mixed"] if one.startswith("init") else []
    assert declare(*choose, one).run_id == declare(*choose, other).run_id
    assert declare(*choose, one).plan.digest == declare(*choose, other).plan.digest


def test_an_initializer_that_another_holds_is_a_name():
    for held in ("he", "HE", {"kind": "he"}):
        assert spelling.initializer({"kind": "icnr", "init": held}) == {
            "kind": "icnr",
            "init": "he",
        }
    held = {"kind": "he", "mode": "out"}
    assert spelling.initializer({"default_init": held}) == {"default_init": held}


def test_another_value_is_another_run():
    first, *others = (
        declare(f"model.layers=[{{{DENSE}{more}}}]").run_id
        for more in ("", ", use_bias: false", ", name: a", ", weight_initializer: he")
    )
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    "listed",
    [
        None,
        "${layers}",
        ["x", {"kind": "nothing", "use_bias": True}, {"units": 3}],
        [{"kind": "dense", "units": 3, "use_bias": 1, "activation": None, "x": 3}],
        [{"kind": "repeat", "layers": "x"}],
    ],
)
def test_what_is_invalid_or_null_stays_as_it_is(listed):
    assert spelling.layers(listed) == listed


@pytest.mark.parametrize("options", [None, "he", {"kind": "mixed", "rules": "x"}, {"rules": [3]}])
def test_options_of_an_initializer_that_are_none_stay_as_they_are(options):
    assert spelling.initializer(options) == options
