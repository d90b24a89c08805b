from __future__ import annotations

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.errors import ConfigError, Problem, Problems, each


@pytest.mark.parametrize(
    ("place", "within", "whole"),
    [
        ("model", "layers", "model.layers"),
        ("model.layers", "[1].units", "model.layers[1].units"),
        ("model", "", "model"),
        ("", "seed", "seed"),
        ("", "", ""),
    ],
)
def test_a_place_within_a_part_becomes_a_place_in_the_whole(place, within, whole):
    assert Problem(within, "x").below(place) == Problem(whole, "x")


def test_problems_of_several_parts_are_gathered_and_said_together():
    problems = Problems()
    problems.add("seed", "is odd")
    with problems.under("model"), problems.under("layers"):
        raise ConfigError([Problem("[0].units", "is 0"), Problem("[1]", "is missing")])
    with problems.under("init"):
        raise OptionError("sigma", "must be positive")
    with problems.under("data"):
        pass
    with pytest.raises(ConfigError) as caught:
        problems.raise_any()
    assert str(caught.value).splitlines() == [
        "seed: is odd",
        "layers[0].units: is 0",
        "layers[1]: is missing",
        "init.sigma: must be positive",
    ]


def test_an_error_of_another_kind_is_not_kept():
    problems = Problems()
    with pytest.raises(ZeroDivisionError), problems.under("x"):
        raise ZeroDivisionError
    problems.raise_any()
    assert not problems


def test_what_concerns_a_place_stands_at_it_or_below():
    problems = Problems()
    problems.add("model.layers[0].units", "x")
    assert problems.concern("model") and problems.concern("model.layers", "data")
    assert not problems.concern("mod", "model.lay", "data")


def test_each_part_is_parsed_and_all_that_fail_are_named():
    assert each({"a": "1", "b": "2"}, int) == {"a": 1, "b": 2}

    def parse(text: str) -> int:
        if not text.isdigit():
            raise ConfigError.of("", f"{text} is no number")
        return int(text)

    with pytest.raises(ConfigError) as caught:
        each({"a": "x", "b": "2", "c": "y"}, parse)
    assert [str(p) for p in caught.value.problems] == ["a: x is no number", "c: y is no number"]
