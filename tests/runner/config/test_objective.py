"""The objective: a path into stats.json, and a distance from a target."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from initlab.runner.config.objective import Objective, parse_objective
from initlab.runner.errors import ConfigError
from initlab.runner.plan.validate import revalidate

STATS = {
    "parameters": [{"path": "0.weight", "std": 0.5}, {"path": "0.bias", "std": 0.0}],
    "layers": [{"path": "0", "rms": 2.0}, {"path": "1", "rms": "inf", "ratio": None}],
    "figures": {"output_rms": 4.0, "train.loss": 3.0},
}


def objective(figure, target=None, distance=None) -> Objective:
    found = parse_objective({"figure": figure, "target": target, "distance": distance})
    assert found is not None
    return found


def refusals(node) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_objective(node)
    return [str(problem.below("objective")) for problem in caught.value.problems]


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


def test_each_distance_follows_its_formula():
    assert objective("figures.output_rms", 5, "difference").evaluate({}, STATS) == 1.0
    assert objective("figures.output_rms", 3, "difference").evaluate({}, STATS) == 1.0
    assert objective("figures.output_rms", 0, "difference").evaluate({}, STATS) == 4.0
    for target in (2, 8):
        assert objective("figures.output_rms", target, "ratio").evaluate(
            {}, STATS
        ) == pytest.approx(math.log(2))


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
def test_an_objective_that_is_not_finite_is_none(figure, target, distance):
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
        ("layers[0]", "holds rms and is no single value - name one of them"),
        ("layers", "holds 2 entries and is no single value"),
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
def test_a_text_that_is_no_path_is_refused(figure):
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
            "objective.target: must be a finite number or null, got 'x'",
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
def test_a_wrong_objective_is_refused_with_the_reason(node, said):
    assert refusals(node)[0].startswith(said)


def test_no_objective_is_none():
    assert parse_objective(None) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("objective={figure: 'layers[9].rms'}",), "layers has 2 rows, there is no [9] - Known: "),
        (
            ("objective={figure: 'layers.*.rsm.max'}",),
            "layers has no column 'rsm' - did you mean 'rms'?",
        ),
        (
            ("objective={figure: \"parameters['0.wieght'].std\"}",),
            "parameters has no '0.wieght' - did you mean '0.weight'?",
        ),
        (("objective={figure: 'parameters[0].sdt'}",), "has no 'sdt' - did you mean 'std'?"),
        (
            ("objective={figure: 'layers.*.rms'}",),
            "gives 2 values - reduce them to one, with .mean",
        ),
        (
            ("objective={figure: 'layers.*.rms.maen'}",),
            "no reduction 'maen' - did you mean 'mean'?",
        ),
        (("objective={figure: figures.output_rms}", "probe=none"), "nothing measures figures"),
        (("objective={figure: 'layer[0].rms'}",), "called 'layer' - did you mean 'layers'?"),
    ],
)
@pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1")], ids=["run", "sweep"])
def test_a_figure_that_no_run_can_have_is_refused_before_anything_runs(words, said, sweep, command):
    done = command(*sweep, *words)
    assert done.code == 2
    assert done.err.startswith("error: objective.figure: '") and said in done.err, done.err
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    "figure",
    ["layers.*.rms.max", "layers[0].rms", "parameters['0.weight'].std", "layers.*.shape[0].sum"],
)
def test_an_objective_may_be_a_reduction_as_a_claim_may(figure, command):
    done = command("-m", "init=normal,he", f'objective={{figure: "{figure}"}}')
    assert done.code == 0, done.err
    for path in Path("outputs/runs").glob("*/status.json"):
        stats = json.loads((path.parent / "stats.json").read_text())
        expected = {
            "layers.*.rms.max": max(row["rms"] for row in stats["layers"]),
            "layers[0].rms": stats["layers"][0]["rms"],
            "parameters['0.weight'].std": stats["parameters"][0]["std"],
            "layers.*.shape[0].sum": sum(row["shape"][0] for row in stats["layers"]),
        }
        assert json.loads(path.read_text())["objective"] == expected[figure]


def test_what_only_a_plugins_statistic_knows_is_looked_up_after_the_run(command):
    Path("mine.py").write_text(
        "from dataclasses import dataclass\nfrom initlab.runner import stats\n\n@stats.register\n@dataclass\n"
        "class Sparsity(stats.Statistic):\n    def measure(self, values, law):\n"
        "        return {'sparsity': float((values == 0).mean())}\n"
    )
    words = ("--plugin", "mine.py", "-m", "seed=0,1", "stats=[sparsity]")
    done = command(*words, "objective={figure: 'parameters[0].sparsity'}")
    assert done.code == 0, done.err
    done = command(*words, "name=wrong", "objective={figure: 'parameters[0].sparsitty'}")
    assert (done.code, done.out.count("did you mean 'sparsity'?")) == (1, 2)


def test_a_run_of_before_whose_objective_named_nothing_is_still_read(only_run):
    folder = only_run("init=normal")
    config = json.loads((folder / "manifest.json").read_text())["config"]
    config["objective"] = {"figure": "layers[9].rms", "target": None, "distance": None}
    assert revalidate(config).run_id == folder.name
