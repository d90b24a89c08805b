"""A config by dotted keys, and what two of them do not share."""

from __future__ import annotations

import pytest

from initlab.runner.flat import changes, flatten, is_plain_list, value_text


def test_nested_mappings_and_lists_become_dotted_keys():
    config = {"seed": 3, "model": {"layers": [{"units": 4}, {}], "share": {}}, "stats": []}
    assert flatten(config) == {
        "seed": 3,
        "model.layers[0].units": 4,
        "model.layers[1]": {},
        "model.share": {},
        "stats": [],
    }


def test_what_is_said_to_be_one_value_is_kept_whole():
    config = {"input": [3, 4], "layers": [{"kernel": [1]}, [[2]], []]}
    assert flatten(config, is_leaf=is_plain_list) == {
        "input": [3, 4],
        "layers[0].kernel": [1],
        "layers[1][0]": [2],
        "layers[2]": [],
    }
    assert flatten({"a": {"b": 1}}, is_leaf=lambda value: value == {"b": 1}) == {"a": {"b": 1}}


def test_an_empty_config_is_one_value():
    assert (flatten({}), flatten([], "a"), flatten(3, "a")) == ({"": {}}, {"a": []}, {"a": 3})


def test_changes_are_sorted_and_tell_what_is_absent_from_what_is_null():
    found = changes({"b": 1, "a": None}, {"b": 2, "c": None})
    assert [str(change) for change in found] == ["a: null -> -", "b: 1 -> 2", "c: - -> null"]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ("null", None),
        ("-", None),
        ("true", True),
        ("", None),
        ("nan", "x"),
    ],
)
def test_values_of_other_types_are_other_values_and_read_so(a, b):
    [change] = changes({"x": a}, {"x": b})
    assert len(set(change.texts())) == 2


def test_a_plain_text_has_no_quotes():
    assert [value_text(text) for text in ("he", "1", " x", "")] == ["he", '"1"', '" x"', '""']
