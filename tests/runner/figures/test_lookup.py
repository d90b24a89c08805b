"""What a path leads to in a run's statistics and config, and what is said where it leads nowhere."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from initlab.runner.errors import QuantityError
from initlab.runner.figures.lookup import Measured, column, figure, numbers, plain
from initlab.runner.figures.path import parse_path
from initlab.runner.figures.unknown import ANYTHING, NUMBER, Open, Rows

RUN = Measured(
    config={
        "seed": 3,
        "init": {"kind": "he", "params": {".*weight": 2}},
        "model": {"layers": [{"units": 4}, {"units": 8}, {"rate": 0.5}]},
        "vars": {"width": 64, "seed_of": 1},
        "width": 7,
    },
    stats={
        "parameters": [
            {"path": "0.weight", "std": 0.5, "law": "Normal", "shape": [3, 4]},
            {"path": "0.bias", "std": 0.0, "law": "Zero", "shape": [3]},
        ],
        "layers": [
            {"path": "0", "rms": 2.0, "rms_ratio": None},
            {"path": "body.0.fc", "rms": 4.0, "rms_ratio": 2.0},
            {"path": "body.1.fc", "rms": "inf", "rms_ratio": 0.5},
        ],
        "training": [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 1.0}],
        "figures": {"loss": 2.5, "diverged_at": None, "worst": "nan", "best": 1.5},
        "gradients": [],
    },
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed", 3),
        ("init.kind", "he"),
        ("init.params['.*weight']", 2),
        ("model.layers[1].units", 8),
        ("model.layers.*.units.max", 8.0),
        ("width", 64),
        ("vars.width", 64),
        ("figures.loss", 2.5),
        ("figures.b*.sum", 1.5),
        ("figures['b*'].sum", 1.5),
        ("figures.diverged_at", None),
        ("layers[0].rms", 2.0),
        ("layers['0'].rms", 2.0),
        ("layers.0.rms", 2.0),
        ("layers[body.0.fc].rms", 4.0),
        ("layers[-1].rms", math.inf),
        ("layers.*.rms_ratio.mean", 1.25),
        ("layers[body.*].rms_ratio.sum", 2.5),
        ("training[-1].loss", 1.0),
        ("training.*.loss.min", 1.0),
        ("parameters['0.weight'].shape[1]", 4),
        ("parameters[0].law", "Normal"),
    ],
)
def test_a_path_leads_to_one_value_of_the_statistics_or_the_config(text, value):
    assert plain(parse_path(text), RUN) == value


def test_several_numbers_keep_the_names_of_their_rows_and_drop_what_was_not_measured():
    found = numbers(parse_path("layers.*.rms_ratio"), RUN)
    assert (found.single, found.names) == (False, ("layers['body.0.fc']", "layers['body.1.fc']"))
    np.testing.assert_array_equal(found.values, [2.0, 0.5])


def test_a_figure_that_was_not_measured_is_nan():
    assert math.isnan(figure(parse_path("figures.diverged_at"), RUN))
    assert math.isnan(figure(parse_path("figures.worst"), RUN))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "figure.loss",
            "'figure.loss': no section of stats.json nor key of the config is called 'figure' - did you "
            "mean 'figures'? Known: figures, gradients, layers, parameters, training, and the keys of "
            "the config.",
        ),
        ("sede", "did you mean 'seed'?"),
        ("loss", "did you mean 'figures.loss'?"),
        ("widht", "did you mean 'width'?"),
        ("init.knd", "'init.knd': init has no 'knd' - did you mean 'kind'? Known: kind, params."),
        ("model.layers[5].units", "model.layers has 3 rows, there is no [5] - Known: 0 to 2."),
        ("model.layers.*.unit", "model.layers has no column 'unit' - did you mean 'units'?"),
        ("figures.los", "figures has no 'los' - did you mean 'loss'?"),
        ("layers[bodi.0.fc].rms", "layers has no 'bodi.0.fc' - did you mean 'body.0.fc'?"),
        ("layers[7:].rms.max", "zero samples, layers has 3 rows and none of these"),
        ("layers[0].rsm", "layers[0] has no 'rsm' - did you mean 'rms'?"),
        ("layers.*.rsm.max", "layers has no column 'rsm' - did you mean 'rms'?"),
        ("layers.*.rms.maen", "no reduction 'maen' - did you mean 'mean'?"),
        ("figures[0:1]", "figures has no rows, there is no [0:1] - Known: best, diverged_at"),
        ("init[0:1]", "init has no rows, there is no [0:1] - Known: kind, params."),
        ("seed[0:1]", "seed is one value, it has no '[0:1]'"),
        ("layers[0].rms[0:1]", "layers[0].rms is one value, it has no '[0:1]'"),
        ("layers[0].rms[1]", "layers[0].rms is one value, it has no '[1]'"),
        ("layers.*.rms", "gives 3 values - reduce them to one, with .mean or .max"),
        ("layers", "holds 3 entries and is no single value - say which"),
        ("layers[0]", "holds rms, rms_ratio and is no single value - name one of them"),
        ("init", "holds kind, params and is no single value - name one of them"),
        ("gradients[0].rms", "nothing measures gradients - choose what does: probe=…, measure=[…]"),
        (
            "layers[0:1].rms_ratio.mean",
            "zero samples, no row of layers that was chosen has a number",
        ),
    ],
)
def test_a_path_that_finds_nothing_is_refused_with_the_nearest_name(text, said):
    with pytest.raises(QuantityError, match=re.escape(said)) as refused:
        plain(parse_path(text), RUN)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["init.kind", "parameters[0].law"])
def test_a_text_is_no_number(text):
    for ask in (numbers, figure):
        with pytest.raises(QuantityError, match="which is no number"):
            ask(parse_path(text), RUN)


def test_a_column_has_none_for_the_runs_that_lack_it_and_is_refused_where_all_do():
    other = Measured({"seed": 4}, {"figures": {"loss": "inf"}})
    assert column(parse_path("figures.loss"), [RUN, other]) == [2.5, math.inf]
    assert column(parse_path("figures.best"), [RUN, other]) == [1.5, None]
    assert column(parse_path("figures.best"), []) == []
    with pytest.raises(QuantityError, match="did you mean 'best'"):
        column(parse_path("figures.bset"), [RUN, other])


def test_a_column_that_only_other_runs_have_is_empty():
    lacking = Measured({"seed": 4}, {"figures": {}})
    assert column(parse_path("figures.best"), [lacking], [RUN]) == [None]
    with pytest.raises(QuantityError):
        column(parse_path("figures.best"), [lacking], [lacking])


def test_a_list_of_plain_values_may_be_a_column():
    tagged = Measured({"tags": ["a", "b"], "init": {"rules": [{"kind": "he"}]}}, {})
    assert column(parse_path("tags"), [tagged], lists=True) == [["a", "b"]]
    assert column(parse_path("tags[0]"), [tagged], lists=True) == ["a"]
    for path, lists in (("tags", False), ("init.rules", True), ("init", True)):
        with pytest.raises(QuantityError, match="is no single value"):
            column(parse_path(path), [tagged], lists=lists)


SKETCH = Measured(
    {"seed": 0},
    {
        "layers": [{"path": "fc", "rms": NUMBER, "shape": ANYTHING}],
        "parameters": [Open({"path": "fc.weight", "std": NUMBER})],
        "spectrum": Rows({"mean": NUMBER}),
        "mine": Rows(),
        "figures": {"loss": NUMBER},
        "gradients": [],
    },
)


@pytest.mark.parametrize(
    "text",
    [
        "layers[fc].rms",
        "layers.*.rms.max",
        "layers[0].shape[1]",
        "parameters[0].sparsity",
        "parameters['fc.weight'].deep[0].er",
        "spectrum['any.name'].mean",
        "spectrum[17].mean",
        "spectrum.*.mean.mean",
        "mine[x].what.ever",
        "mine.*.x.max",
        "figures.loss",
        "seed",
    ],
)
def test_a_name_that_may_exist_is_accepted_before_the_run(text):
    figure(parse_path(text), SKETCH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layers[fcc].rms", "layers has no 'fcc' - did you mean 'fc'?"),
        ("layers[0].rsm", "did you mean 'rms'?"),
        ("layers.*.rms.maen", "no reduction 'maen'"),
        ("layers.*.rms", "may give several values"),
        ("spectrum[0].maen", "did you mean 'mean'?"),
        ("spectrum.*.mean", "may give several values"),
        ("figures.lost", "did you mean 'loss'?"),
        ("gradients.*.rms.max", "nothing measures gradients"),
        ("minds[0]", "did you mean 'mine'?"),
    ],
)
def test_a_name_that_cannot_exist_is_refused_before_the_run(text, said):
    with pytest.raises(QuantityError, match=re.escape(said)):
        figure(parse_path(text), SKETCH)
