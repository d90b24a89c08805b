"""Expressions over results: what they are, what they give, and what is said of those that are none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.claims.quantity import outermost, parse
from initlab.runner.claims.results import Result, evaluate
from initlab.runner.errors import QuantityError
from initlab.runner.figures.parser import MOST_LEVELS

LIMIT = f"has more than {MOST_LEVELS} operations, functions and parentheses, which is the limit"
LAYERS = [
    {"path": "stem", "rms": 2.0, "rms_ratio": None},
    {"path": "body.0.fc", "rms": 4.0, "rms_ratio": 2.0},
    {"path": "body.1.fc", "rms": 2.0, "rms_ratio": 0.5},
    {"path": "head", "rms": 8.0, "rms_ratio": 4.0},
]


def result(seed: int = 0, width: int = 8, **changes) -> Result:
    stats = {
        "parameters": [{"path": "0.weight", "std": 0.5, "law": "Normal"}],
        "layers": [dict(row) for row in LAYERS],
        "figures": {"loss": 2.5, "worst": "nan"},
        "training": [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 1.0}],
    } | changes
    config = {
        "seed": seed,
        "vars": {"width": width, "name": "x"},
        "init": {"kind": "he", "slope": 0.25},
    }
    return Result(f"run{seed}-{width}", (f"seed={seed}", f"vars.width={width}"), config, stats)


def value(text: str, *results: Result) -> float:
    found = evaluate(parse(text), results or (result(),))
    assert found.single
    return float(found.values[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("-(1 + 2) * 2", -6.0),
        ("2e-1", 0.2),
        ("figures.loss", 2.5),
        ("figures.loss - 2.5", 0.0),
        ("parameters['0.weight'].std", 0.5),
        ('parameters["0.weight"].std', 0.5),
        ("layers[0].rms", 2.0),
        ("layers[-1].rms", 8.0),
        ("layers[head].rms", 8.0),
        ("layers['head'].rms", 8.0),
        ("layers.head.rms", 8.0),
        ("layers.*.rms.mean", 4.0),
        ("layers[1:3].rms.max", 4.0),
        ("layers[:2].rms.sum", 6.0),
        ("layers['body.*'].rms.mean", 3.0),
        ("layers.*.rms_ratio.log_mean", math.log(4) / 3),
        ("layers.*.rms_ratio.mean_square", (4 + 0.25 + 16) / 3),
        ("mean(square(layers.*.rms_ratio))", (4 + 0.25 + 16) / 3),
        ("mean(layers.*.rms_ratio * layers[1:].rms)", (8 + 1 + 32) / 3),
        ("max(layers.*.rms / 2)", 4.0),
        ("layers.*.rms.std", np.std([2, 4, 2, 8])),
        ("layers.*.rms.variance", np.var([2, 4, 2, 8])),
        ("layers.*.rms.median", 3.0),
        ("log(layers[0].rms)", math.log(2)),
        ("log layers[0].rms", math.log(2)),
        ("sqrt width", math.sqrt(8)),
        ("exp(0) + abs(-2)", 3.0),
        ("layers[body.1.fc].rms", 2.0),
        ("layers[body.*].rms.mean", 3.0),
        ("init.slope", 0.25),
        ("vars.width", 8.0),
        ("training.*.loss.min", 1.0),
        ("training[0].loss", 3.0),
        ("slope(training.*.loss, index)", -2.0),
        ("slope(log training.*.loss, index + 1)", -math.log(3)),
        ("slope(training.*.loss, training.*.step)", -2.0),
    ],
)
def test_an_expression_is_a_number_of_a_run(text, expected):
    assert value(text) == pytest.approx(expected, abs=1e-15)


def test_a_slope_over_runs_goes_along_a_key_of_their_configs():
    runs = [result(width=w, figures={"loss": 3.0 * w**-2}) for w in (2, 4, 16)]
    assert value("slope(log figures.loss, log width)", *runs) == pytest.approx(-2)
    assert value("1 + slope(log figures.loss, log vars.width) / 2", *runs) == pytest.approx(0)


def test_several_values_stay_several_and_each_knows_its_row():
    found = evaluate(parse("log layers.*.rms_ratio"), [result()])
    assert not found.single
    assert found.names == ("layers['body.0.fc']", "layers['body.1.fc']", "layers['head']")
    assert found.values == pytest.approx(np.log([2, 0.5, 4]))


def test_what_is_not_finite_is_named_by_its_row():
    layers = [{"path": "a", "rms": 1.0}, {"path": "b", "rms": "nan"}, {"path": "c", "rms": "inf"}]
    found = evaluate(parse("layers.*.rms.log_mean"), [result(layers=layers)])
    assert (math.isnan(found.values[0]), found.names) == (True, ("layers['b']",))
    dead = evaluate(
        parse("layers.*.rms.log_mean"),
        [result(layers=[{"path": "a", "rms": 1.0}, {"path": "z", "rms": 0.0}])],
    )
    assert (math.isnan(dead.values[0]), dead.names) == (True, ("layers['z']",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a number, a function or a path where it has its end"),
        ("layers.*.rms +", "where it has its end"),
        ("layers.*.rms)", r"cannot be read from '\)' on"),
        ("layers?", r"cannot be read from '\?' on"),
        ("slop(layers.*.rms, index)", "no function 'slop' - did you mean 'slope'"),
        ("slope(layers.*.rms)", "column 1: slope takes 2 arguments, it is given 1"),
        ("1 + log(1, 2)", "column 5: log takes 1 argument, it is given 2"),
        ("(1 + 2", r"needs '\)' where it has its end"),
        ("(" * 200 + "1" + ")" * 200, f"column 102: {LIMIT}"),
        ("-" * 2000 + "1", f"column 102: {LIMIT}"),
        ("1" + "+1" * 1500, f"column 203: {LIMIT}"),
        ("log " * 500 + "seed", LIMIT),
        ("log(" * 500 + "seed" + ")" * 500, LIMIT),
        ("9" * 5000, "column 1: has a number of more than 400 characters, which is the limit"),
        ("layers[].rms", r"needs a number, from:to or a name in \[ \]"),
        ("layers.*.", "needs a name or \\* after a dot"),
        (
            "layer.*.rms.mean",
            "no section of stats.json nor key of the config is called 'layer' - did you mean 'layers'",
        ),
        ("widht", "did you mean 'width'"),
        ("vars.name", "is 'x' in the config, which is no number"),
        ("figures.lost", "no 'lost' - did you mean 'loss'"),
        ("figures", "holds loss, worst and is no single value - name one of them"),
        ("layers.*.rmss.mean", "layers has no column 'rmss' - did you mean 'rms'"),
        ("layers.*.rms.maen", "no reduction 'maen' - did you mean 'mean'"),
        ("layers['haed'].rms", "layers has no 'haed' - did you mean 'head'"),
        ("layers[9].rms", r"layers has 4 rows, there is no \[9\]"),
        ("layers[3:1].rms.mean", "zero samples"),
        ("layers[0].rms_ratio", "zero samples"),
        ("layers.*", "holds rms, rms_ratio and is no single value"),
        ("layers.*.rms * layers[1:].rms", "4 and 3 values cannot be joined by '\\*'"),
        ("slope(layers.*.rms, training.*.step)", "4 and 2 values cannot be joined by 'slope'"),
        ("parameters.*.law", "is 'Normal', which is no number"),
        ("parameters.*.law.max", r"'parameters.\*.law' is 'Normal', which is no number"),
        ("slope(training.*.loss, 3)", "a slope needs two different values along its axis"),
    ],
)
def test_an_expression_that_is_none_is_refused_in_one_line(text, said):
    with pytest.raises(QuantityError, match=said) as refused:
        value(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_an_expression_may_have_as_many_operations_as_the_limit_says():
    assert value("(" * MOST_LEVELS + "seed" + ")" * MOST_LEVELS) == 0
    assert value("1" + "+1" * MOST_LEVELS) == MOST_LEVELS + 1
    assert value("-" * MOST_LEVELS + "2.5") == 2.5
    assert str(parse("0" * 400 + "+1"))


def test_a_number_of_each_run_is_no_number_of_several():
    with pytest.raises(QuantityError, match="gives one number for each run - take a slope"):
        value("figures.loss", result(0), result(1))
    with pytest.raises(QuantityError, match="a slope over runs needs one number of each"):
        value("slope(layers.*.rms, width)", result(width=2), result(width=4))


def test_elements_are_the_values_under_the_outermost_mean():
    assert outermost(parse("layers.*.rms_ratio.log_mean")) == (
        "log_mean",
        parse("layers.*.rms_ratio"),
    )
    assert outermost(parse("mean(square(layers.*.rms_ratio))")) == (
        "mean",
        parse("square(layers.*.rms_ratio)"),
    )
    assert outermost(parse("parameters['0.weight'].mean")) is None
    assert outermost(parse("layers.*.rms.max")) is None
