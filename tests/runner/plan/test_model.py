"""A declared network as objects, and where in the config each mistake is."""

from __future__ import annotations

import pytest

from initlab.engine import init
from initlab.engine.init import Description
from initlab.runner.errors import ConfigError
from initlab.runner.plan.model import parse_initializer, parse_layers, parse_share


def test_layers_have_their_place_their_name_and_their_children():
    block = {"kind": "residual", "name": "r", "layers": [{"kind": "identity", "name": "i"}]}
    dense, residual = parse_layers([{"kind": "dense", "units": 3}, block], "model.layers")
    assert (dense.place, dense.name, dense.layer.units) == ("model.layers[0]", "0", 3)
    [inner] = residual.children["layers"]
    assert (inner.place, inner.name) == ("model.layers[1].layers[0]", "i")


def test_an_initializer_is_a_name_or_a_mapping_and_may_hold_others():
    assert parse_initializer("zeros") == init.by_name("zeros")()
    assert parse_initializer({"kind": "normal", "sigma": 0.1}).sigma == 0.1
    rules = [{"match": ".*", "init": {"kind": "one"}}]
    assert parse_initializer({"kind": "mixed", "rules": rules}).rules[0]["init"] == (
        init.by_name("one")()
    )


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([], "must be a list of at least one layer, got []"),
        (["dense"], "[0]: must be a mapping like"),
        ([{"units": 3}], "[0].kind: has no kind"),
        ([{"kind": "dens", "units": 3}], "[0].kind: no layer kind 'dens' - did you mean 'dense'"),
        ([{"kind": "dense"}], "[0].units: is missing - dense needs it"),
        ([{"kind": "dense", "units": 3, "name": "a.b"}], "[0].name: 'a.b' must be text without"),
        (
            [{"kind": "flatten", "name": "x"}, {"kind": "flatten", "name": "x"}],
            "[1].name: 'x' is also the name of model.layers.0",
        ),
    ],
)
def test_a_mistake_is_said_with_its_place(layers, said):
    with pytest.raises(ConfigError) as caught:
        parse_layers(layers, "model.layers")
    assert said in str(caught.value)


def test_every_mistake_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_layers([{"kind": "dense"}, {"kind": "conv2"}], "model.layers")
    assert "units" in str(caught.value) and "conv2" in str(caught.value)


def test_share_groups_are_lists_of_two_paths_or_more():
    assert parse_share(None) == {}
    assert parse_share({"tied": ["a.weight", "b.weight"]}) == {"tied": ["a.weight", "b.weight"]}
    with pytest.raises(ConfigError):
        parse_share({"tied": ["a.weight"]})


GROUPED = Description("w", "w", (8, 1, 4, 3), roles=("out*8", "in", "spatial", "spatial"))


@pytest.mark.parametrize(
    "declared",
    [
        "xavier",
        {"kind": "xavier"},
        {"kind": "mixed", "rules": [{"match": ".*", "init": "xavier"}]},
        {"kind": "mixed", "rules": [{"match": ".*", "init": {"kind": "xavier"}}]},
        {"kind": "load", "param": {}, "default_init": "xavier"},
        {"kind": "load", "param": {}, "default_init": {"kind": "xavier"}},
    ],
    ids=str,
)
def test_a_configs_xavier_goes_by_the_roles_wherever_it_is_named(declared):
    made = parse_initializer(declared)
    assert made.law(GROUPED) == init.Xavier(fans="roles").law(GROUPED) != init.Xavier().law(GROUPED)


def test_a_config_may_choose_mxnets_rule():
    made = parse_initializer({"kind": "msra_prelu", "fans": "shape"})
    assert made.law(GROUPED) == init.MSRAPrelu().law(GROUPED)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            ["model.layers=[{kind: fc, units: 3}]", "model.share={a: ['0', tail]}"],
            ["model.layers.0.kind: no layer kind 'fc'", "model.share.a: 'tail' is no layer and no"],
        ),
        (
            ["init=mixed", 'init.rules=[{match: "[", init: {kind: nrmal}}]'],
            ["init.rules.0.init.kind: no init", "init.rules.0.match: is no regular expression"],
        ),
        (
            ["init=mixed", 'init.rules=[{match: "[", init: zero}, {macth: a, init: zero}]'],
            [
                "init.rules.0.match: is no regular expression",
                "init.rules.1.macth: is no part of a rule",
                "init.rules.1.match: is missing",
            ],
        ),
        (
            ["init=lsuv", "+init.base={kind: nrmal}", "init.tolerance=-1"],
            ["init.base", "init.tolerance: must"],
        ),
        (
            [
                "model.layers=[{kind: dense, units: 0, name: a.b, weight_initializer: xx, activation: q}]"
            ],
            [
                "model.layers.0.name: 'a.b' must be text",
                "model.layers.0.weight_initializer.kind: no initializer 'xx'",
                "model.layers.0.units: must be a whole number",
                "model.layers.0.activation: cannot be 'q'",
            ],
        ),
    ],
)
def test_one_mistake_hides_no_other(command, words, wanted):
    done = command(*words)
    assert done.code == 2
    lines = done.err.splitlines()
    assert len(lines) == len(wanted), done.err
    for said in wanted:
        assert [line for line in lines if line.startswith(f"error: {said}")], (said, done.err)
