"""Numbers that stand in JSON, NaN and infinity among them."""

from __future__ import annotations

import math

import pytest

from initlab.runner.files import in_json
from initlab.runner.json_values import equal, finite, mapping, number, restored


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (0.5, 0.5),
        ("inf", math.inf),
        ("-inf", -math.inf),
        (None, None),
        (True, None),
        ("1", None),
        (10**400, None),
        ([1], None),
    ],
)
def test_a_figure_is_a_number_or_none(value, expected):
    assert number(value) == expected
    assert finite(value) == (expected if expected in (1.0, 0.5) else None)


def test_nan_is_a_number_and_not_finite():
    assert math.isnan(number("nan")) and math.isnan(number(math.nan))
    assert finite("nan") is finite(math.nan) is None


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.1, 3, "nano", None, [1, "nan"]])
def test_what_was_written_as_json_is_restored(value):
    assert restored(in_json(value)) == value


def test_what_is_no_mapping_counts_as_an_empty_one():
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping(None) == mapping([1]) == mapping("a") == {}


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (False, 0, False),
        ([1, {"a": 0}], [1, {"a": False}], False),
        ({"a": [None, "x"]}, {"a": [None, "x"]}, True),
        ({"a": None}, {}, False),
        ([1, 2], [1], False),
        ([], {}, False),
    ],
)
def test_documents_are_equal_by_value_and_a_truth_is_no_number(a, b, same):
    assert equal(a, b) is equal(b, a) is same
