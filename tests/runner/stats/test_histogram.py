"""The statistic `histogram`: its columns, where they are written, and the options it refuses."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats.histogram import Histogram

LAW = laws.Normal(0, 1)


def test_a_histogram_has_a_column_for_each_probability_and_the_non_empty_bins():
    row = Histogram([0, 0.5, 1]).measure(np.array([-3, -3.2, 1, 1.1, np.inf], np.float32), LAW)
    assert list(row) == ["q0", "q0.5", "q1", "histogram"]
    assert (row["q0"], row["q1"]) == (np.float32(-3.2), np.float32(1.1))
    assert row["histogram"] == [[-3.25, -3.0, 2], [1.0, 1.125, 2]]


def test_the_edge_that_is_open_is_the_one_farther_from_zero():
    row = Histogram([]).measure(np.array([-1, 1, -1.125, 1.125], np.float32), LAW)
    assert row["histogram"] == [
        [-1.25, -1.125, 1],
        [-1.125, -1.0, 1],
        [1.0, 1.125, 1],
        [1.125, 1.25, 1],
    ]


def test_exact_quantiles_are_those_of_numpy():
    values = LAW.draw(Key(0, "x"), (300_000,))
    row = Histogram(exact=True).measure(values, LAW)
    for name in list(row)[:-1]:
        assert row[name] == np.quantile(values.astype(np.float64), float(name[1:]))
    assert Histogram().measure(values, LAW)["q0.5"] == pytest.approx(row["q0.5"], abs=0.01)
    assert Histogram().measure(values, LAW) != row


def test_an_empty_tensor_has_no_quantiles():
    for exact in (False, True):
        assert Histogram([0.5], exact).measure(np.zeros((0, 3), np.float32), LAW) == {
            "q0.5": None,
            "histogram": [],
        }


def test_the_bins_are_in_the_json_only(only_run):
    folder = only_run(
        "init=normal", "stats=[histogram,law]", "stats.histogram.quantiles=[0.25,0.5]"
    )
    [first, *_] = json.loads((folder / "stats.json").read_text())["parameters"]
    assert sum(count for _, _, count in first["histogram"]) == np.prod(first["shape"])
    with (folder / "stats.csv").open() as file:
        columns = next(csv.reader(file))
    assert {"shape", "q0.25", "q0.5", "ks_d"} <= set(columns)
    assert "histogram" not in columns


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "stats.histogram.quantiles=[0.5,2]",
            "stats.histogram.quantiles.1: must be a probability, between 0 and 1, got 2",
        ),
        (
            "stats.histogram.quantiles=half",
            "stats.histogram.quantiles: must be a list of probabilities, got 'half'",
        ),
        ("stats.histogram.exact=perhaps", "perhaps"),
    ],
)
def test_invalid_options_are_refused(command, words, message):
    done = command("init=normal", "stats=[histogram]", words)
    assert done.code == 2
    assert message in done.err
