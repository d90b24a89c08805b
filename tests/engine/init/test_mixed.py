import numpy as np
import pytest

from initlab.engine import init, laws, nd, streams
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn
from initlab.engine.init import Description

RULES = [
    {"match": r".*\.bias", "init": "zeros"},
    {"match": r"head\..*", "init": init.One()},
    {"match": ".*", "init": init.Normal(0.5)},
]
PATHS = ["fc1.weight", "fc1.bias", "head.weight", "head.bias"]


def described(path, shape=(2, 2)):
    return Description("w", path, shape)


def test_the_first_rule_that_fits_wins():
    mixed = init.Mixed(RULES)
    assert [mixed.rule_for(path) for path in PATHS] == [2, 0, 1, 0]
    assert [str(mixed.law(described(path))) for path in PATHS] == [
        "Normal(0, 0.5)",
        "Constant(0)",
        "Constant(1)",
        "Constant(0)",
    ]


def test_a_rule_must_fit_the_whole_path():
    mixed = init.Mixed([{"match": "bias", "init": "zeros"}, {"match": "fc1", "init": "ones"}])
    assert mixed.rule_for("fc1.bias") is None
    assert mixed.rule_for("bias") == 0


def test_the_name_of_the_root_is_no_part_of_the_path():
    mixed = init.Mixed([{"match": r"0\.weight", "init": "ones"}])
    assert mixed.rule_for("sequential0_/0.weight") == 0


def test_a_path_without_a_rule_is_named_with_what_to_do():
    mixed = init.Mixed([{"match": r".*\.bias", "init": "zeros"}])
    for act in (
        lambda: mixed.law(described("fc1.weight")),
        lambda: mixed(init.InitDesc("fc1.weight"), nd.zeros((2, 2))),
    ):
        with pytest.raises(
            ValueError,
            match=r'fc1\.weight did not match any pattern\. Consider adding a "\.\*" pattern',
        ):
            act()


def test_mxnets_call_with_two_lists_is_the_same():
    mixed = init.Mixed([".*bias", ".*"], [init.Zero(), init.One()])
    assert mixed == init.Mixed(
        [{"match": ".*bias", "init": init.Zero()}, {"match": ".*", "init": init.One()}]
    )
    with pytest.raises(OptionError, match="got 1 patterns and 0 initializers"):
        init.Mixed(["a"], [])


def test_good_rules_have_no_problems():
    init.Mixed(RULES).check(PATHS)


def test_a_rule_that_fits_nothing_is_a_problem_with_the_nearest_path():
    with pytest.raises(OptionError) as error:
        init.Mixed([{"match": r"heed.weight", "init": "ones"}, *RULES]).check(PATHS)
    assert (error.value.option, error.value.unknown) == ("rules[0]", True)
    assert error.value.problem.startswith(
        "'heed.weight' matches nothing - did you mean 'head.weight'?"
    )


def test_a_rule_that_nothing_is_left_to_names_those_that_took_it():
    rules = [
        {"match": r"fc1\..*", "init": "ones"},
        {"match": r"head\..*", "init": "zeros"},
        {"match": r".*\.weight", "init": "ones"},
    ]
    with pytest.raises(OptionError) as error:
        init.Mixed(rules).check(PATHS)
    assert str(error.value) == (
        r"rules[2] '.*\.weight' is shadowed by rules[0] ('fc1\..*'), rules[1] ('head\..*') - put it first or remove it"
    )


def test_all_rules_that_do_not_suit_a_network_are_told_at_once():
    rules = [{"match": pattern, "init": "ones"} for pattern in ("heed", ".*", "fc1.*")]
    with pytest.raises(OptionError) as error:
        init.Mixed(rules).check(PATHS)
    assert [one.option for one in error.value.errors] == ["rules[0]", "rules[2]"]
    assert len(str(error.value).splitlines()) == 2


def test_a_rule_of_which_something_is_left_is_no_problem():
    rules = [{"match": r"fc1\.weight", "init": "ones"}, {"match": r".*", "init": "zeros"}]
    init.Mixed(rules).check(PATHS)


@pytest.mark.parametrize(
    ("rules", "option", "problem"),
    [
        ([], "rules", "at least one rule"),
        ("zeros", "rules", "must be a list"),
        (["zeros"], "rules[0]", "must be a mapping of match and init"),
        ([{"match": ".*"}], "rules[0].init", "is missing"),
        ([{"init": "zeros"}], "rules[0].match", "is missing"),
        ([{"mach": ".*", "init": "zeros"}], "rules[0].mach", "did you mean 'match'?"),
        ([*RULES, {"match": "(", "init": "zeros"}], "rules[3].match", "is no regular expression"),
        ([{"match": 3, "init": "zeros"}], "rules[0].match", "must be a regular expression"),
        ([{"match": ".*", "init": "zerros"}], "rules[0].init", "zerros is not registered"),
        (
            [{"match": ".*", "init": 3}],
            "rules[0].init",
            "must be an initializer or the name of one",
        ),
    ],
)
def test_a_bad_rule_is_refused_by_its_place(rules, option, problem):
    with pytest.raises(OptionError) as caught:
        init.Mixed(rules)
    assert caught.value.option == option
    assert problem in caught.value.problem


def test_a_net_is_initialized_by_the_rules_default_biases_included():
    net = nn.Sequential()
    net.add(nn.Dense(2, in_units=2), nn.Dense(2, in_units=2))
    net.initialize(
        init.Mixed([{"match": r"0\..*", "init": init.Constant(9)}, {"match": ".*", "init": "ones"}])
    )
    assert (net[0].weight.data().asnumpy() == 9).all()
    assert (net[0].bias.data().asnumpy() == 9).all()
    assert (net[1].bias.data().asnumpy() == 1).all()
    assert net[1].bias.origin.law == laws.Constant(1)


def test_an_initializer_object_of_a_layer_goes_before_the_rules():
    layer = nn.Dense(2, in_units=2, bias_initializer=init.Constant(7))
    layer.initialize(init.Mixed([{"match": ".*", "init": "ones"}]))
    assert (layer.bias.data().asnumpy() == 7).all()
    assert layer.bias.origin.law == laws.Constant(7)


def test_a_layers_default_stays_where_no_rule_fits():
    layer = nn.Dense(2, in_units=2)
    layer.initialize(init.Mixed([{"match": ".*weight", "init": "ones"}]))
    assert (layer.bias.data().asnumpy() == 0).all()


def test_rules_draw_the_same_values_as_the_initializer_alone():
    values = []
    for initializer in (init.Normal(0.5), init.Mixed([{"match": ".*", "init": init.Normal(0.5)}])):
        layer = nn.Dense(3, in_units=4, use_bias=False)
        streams.seed(0)
        layer.initialize(initializer)
        values.append(layer.weight.data().asnumpy())
    assert np.array_equal(*values)


def test_a_bare_name_goes_by_its_ending_as_in_mxnet():
    array = nd.full((2,), -1)
    init.Mixed([".*bias", ".*"], [init.Constant(9), init.One()])(init.InitDesc("x_bias"), array)
    assert array.asnumpy().tolist() == [0, 0]


def test_a_dump_makes_equal_rules():
    mixed = init.Mixed(RULES)
    assert init.create(mixed.dumps()) == mixed
