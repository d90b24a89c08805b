"""The objective: a path into stats.json, and a distance from a target."""

from __future__ import annotations

import math

import pytest

from initlab.runner.config.objective import Objective, parse_objective
from initlab.runner.errors import ConfigError

STATS = {
    "parameters": [{"path": "0.weight", "std": 0.5}, {"path": "0.bias", "std": 0.0}],
    "layers": [{"path": "0", "rms": 2.0}, {"path": "1", "rms": "inf", "ratio": None}],
    "figures": {"output_rms": 4.0, "train.loss": 3.0},
}


def objective(figure, target=None, distance=None) -> Objective:
    problems = []
    found = parse_objective({"figure": figure, "target": target, "distance": distance}, problems)
    assert found is not None, problems
    return found


def refusals(node) -> list[str]:
    problems = []
    assert parse_objective(node, problems) is None
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("figures.output_rms", 4.0),
        ("figures['train.loss']", 3.0),
        ("layers[0].rms", 2.0),
        ("layers[-2].rms", 2.0),
        ("layers['0'].rms", 2.0),
        ("parameters['0.weight'].std", 0.5),
        ('parameters["0.weight"].std', 0.5),
        ("parameters[0.weight].std", 0.5),
        ("parameters.*.std.max", 0.5),
        ("parameters['0.*'].std.mean", 0.25),
        ("parameters[0:].std.sum", 0.5),
        ("figures.output_rms.mean", 4.0),
    ],
)
def test_a_path_names_one_number(figure, value):
    assert objective(figure).evaluate({}, STATS) == value


def test_the_distances():
    assert objective("figures.output_rms", 5, "difference").evaluate({}, STATS) == 1.0
    assert objective("figures.output_rms", 3, "difference").evaluate({}, STATS) == 1.0
    assert objective("figures.output_rms", 0, "difference").evaluate({}, STATS) == 4.0
    for target in (2, 8):
        assert objective("figures.output_rms", target, "ratio").evaluate({}, STATS) == pytest.approx(
            math.log(2)
        )


@pytest.mark.parametrize(
    ("figure", "target", "distance"),
    [
        ("layers[1].rms", None, None),
        ("layers[1].rms", 1, "difference"),
        ("layers[1].ratio", None, None),
        ("parameters['0.bias'].std", 1, "ratio"),
        ("figures.output_rms", -1, "ratio"),
    ],
)
def test_what_is_not_finite_is_none(figure, target, distance):
    assert objective(figure, target, distance).evaluate({}, STATS) is None


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (
            "figure.output_rms",
            "no section of stats.json nor key of the config is called 'figure' - did you mean 'figures'? "
            "Known: figures, layers, parameters,",
        ),
        ("figures.output_rm", "figures has no 'output_rm' - did you mean 'output_rms'?"),
        (
            "parameters['0.weigth'].std",
            "parameters has no '0.weigth' - did you mean '0.weight'? Known: 0.bias, 0.weight.",
        ),
        ("layers[7].rms", "layers has 2 rows, there is no [7] - Known: 0 to 1."),
        ("layers[0].rm", "layers[0] has no 'rm' - did you mean 'rms'? Known: rms."),
        ("figures.output_rms.x", "no reduction 'x' - Known: log_mean, max"),
        ("layers[0]", "holds rms, which is no number - name one of them"),
        ("layers", "holds 2 entries, which is no number"),
        ("layers[0].path", "is '0', which is no number"),
        ("layers.*.rms", "gives 2 values - reduce them to one, with .mean or .max"),
    ],
)
def test_a_path_that_the_run_does_not_have_names_the_nearest(figure, said):
    with pytest.raises(ConfigError) as error:
        objective(figure).evaluate({}, STATS)
    assert str(error.value).startswith(f"objective.figure: '{figure}'")
    assert said in str(error.value)


@pytest.mark.parametrize("figure", ["", "a..b", "a[", "a[]", "a]b", ".a", "a[0]b", "a['x\"]"])
def test_what_is_no_path(figure):
    assert (
        "must be a path like figures.output_rms or layers[-1].rms"
        in refusals({"figure": figure})[0]
    )


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (3, "objective: must be a mapping {figure, target, distance} or null, got 3"),
        ({"figure": "a", "figur": 1}, "objective.figur: no such key - did you mean 'figure'?"),
        ({"figure": 3}, "objective.figure: must be a path"),
        (
            {"figure": "a", "target": "x", "distance": "ratio"},
            "objective.target: must be a number or null, got 'x'",
        ),
        (
            {"figure": "a", "distance": "ratios", "target": 1},
            "objective.distance: cannot be 'ratios' - did you mean 'ratio'?",
        ),
        (
            {"figure": "a", "distance": "ratio"},
            "objective.target: is needed for the distance ratio",
        ),
        ({"figure": "a", "target": 1}, "objective.target: has no meaning without a distance"),
        (
            {"figure": "a", "target": 0, "distance": "ratio"},
            "objective.target: must not be 0 for the distance ratio",
        ),
    ],
)
def test_what_is_wrong_with_an_objective_is_said(node, said):
    assert refusals(node)[0].startswith(said)


def test_no_objective_is_none():
    problems = []
    assert parse_objective(None, problems) is None
    assert problems == []
