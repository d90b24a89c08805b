"""Results of runs: settings by key, and what an expression is over them."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.runner.claims.quantity import parse
from initlab.runner.claims.results import Result, evaluate, read_result
from initlab.runner.errors import QuantityError


def result(seed: int, loss: float, rms: list[float]) -> Result:
    config = {"seed": seed, "init": {"kind": "he", "sigma": 0.5}, "vars": {"depth": 2 * seed}}
    stats = {
        "figures": {"loss": loss},
        "layers": [{"path": f"l{i}", "rms": value} for i, value in enumerate(rms)],
    }
    return Result(f"he-seed{seed}", (f"seed={seed}", "+vars.depth=2"), config, stats)


def test_a_setting_is_found_by_its_key_or_as_a_variable():
    one = result(3, 1.5, [1.0])
    assert (one.setting("init.sigma"), one.setting("depth")) == (0.5, 6)
    assert one.words == {"seed": "3", "vars.depth": "2"}
    with pytest.raises(KeyError):
        one.setting("init.nothing")


def test_values_of_layers_are_several_and_are_reduced():
    one = [result(1, 2.0, [1.0, 2.0, 4.0])]
    assert evaluate(parse("layers.*.rms"), one).values.tolist() == [1, 2, 4]
    assert evaluate(parse("layers.*.rms.mean"), one).values == pytest.approx([7 / 3])
    assert evaluate(parse("log(figures.loss) - 1"), one).values == pytest.approx([np.log(2) - 1])


def test_a_slope_goes_over_runs_or_along_the_values_of_one():
    runs = [result(seed, 3.0 * seed, [1.0]) for seed in (1, 2, 4)]
    assert evaluate(parse("slope(figures.loss, seed)"), runs).values == pytest.approx([3])
    assert evaluate(parse("slope(layers.*.rms, index)"), [result(1, 1, [1, 3, 5])]).values == (
        pytest.approx([2])
    )


def test_a_number_of_each_run_is_none_of_several_and_equal_places_have_no_slope():
    runs = [result(1, 1.0, [1.0]), result(1, 2.0, [1.0])]
    with pytest.raises(QuantityError, match="gives one number for each run"):
        evaluate(parse("figures.loss"), runs)
    with pytest.raises(QuantityError, match="needs two different values along its axis"):
        evaluate(parse("slope(figures.loss, seed)"), runs)


def test_a_finished_run_is_read_with_the_words_that_made_it(only_run):
    read = read_result(only_run("init=he", "probe=forward"), ["init=he"])
    assert read.run_id.startswith("he-seed0-") and read.words == {"init": "he"}
    assert evaluate(parse("layers.*.rms"), [read]).values.size >= 1
