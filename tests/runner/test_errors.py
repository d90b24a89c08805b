from __future__ import annotations

import copy
import signal

import pytest

from initlab.engine.errors import OptionError, OptionErrors
from initlab.runner.errors import ConfigError, Problem, Problems, QuantityError, Terminated, each


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
        "layers.0.units: is 0",
        "layers.1: is missing",
        "init.sigma: must be positive",
    ]


def test_an_error_of_another_kind_is_not_kept():
    problems = Problems()
    with pytest.raises(ZeroDivisionError), problems.under("x"):
        raise ZeroDivisionError
    problems.raise_any()
    assert not problems


def test_problems_concern_their_place_and_all_places_above_it():
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


def test_errors_of_options_and_of_expressions_are_kept_at_the_place_of_their_part():
    problems = Problems()
    with problems.under("init"):
        raise OptionErrors([OptionError("a", "is wrong"), OptionError("b", "too")])
    with problems.under("expect[0]"):
        raise QuantityError("zero samples")
    assert list(map(str, problems.found)) == [
        "init.a: is wrong",
        "init.b: too",
        "expect.0: zero samples",
    ]


def test_an_unknown_name_is_told_from_an_invalid_value():
    problems = Problems()
    problems.add("seed", "is odd")
    problems.unknown("init", "no option 'nrmal'", "nrmal", ["normal", "he"])
    with problems.under("probe"):
        raise OptionError("loss", "cannot be 'x'", unknown=True)
    with problems.under("objective"):
        raise QuantityError("no such figure", unknown=True).at("figure")
    assert [(p.place, p.unknown) for p in problems.found] == [
        ("seed", False),
        ("init", True),
        ("probe.loss", True),
        ("objective.figure", True),
    ]
    assert (
        problems.found[1].message == "no option 'nrmal' - did you mean 'normal'? Known: he, normal."
    )


def test_a_repeated_problem_is_reported_once():
    assert (
        str(ConfigError([Problem("a", "x"), Problem("b", "y"), Problem("a", "x")])) == "a: x\nb: y"
    )


def test_sound_parts_are_kept_where_others_are_wrong():
    problems = Problems()
    assert problems.sound({"a": 1, "b": 0}, lambda n: 1 if n else problems_at("n")) == {"a": 1}
    assert [p.place for p in problems.found] == ["b.n"]


def problems_at(place: str) -> int:
    raise ConfigError.of(place, "is 0")


def test_a_signal_that_ended_a_process_is_the_same_in_another():
    error = Terminated(signal.SIGTERM)
    again = copy.copy(error)
    assert (again.exit_code, str(again)) == (143, "stopped by SIGTERM")
