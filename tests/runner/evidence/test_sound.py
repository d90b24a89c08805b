"""Tests of the form of values in our files."""

from __future__ import annotations

import math

import pytest

from initlab.runner.evidence import sound

VALUES = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus": -1,
    "half": 0.5,
    "nan": math.nan,
    "nan as text": "nan",
    "huge": 10**400,
    "text": "x",
    "list": [],
    "shape": [3, 2],
    "texts": ["x"],
    "bars": [[0, 0.5, 3], ["-inf", 1, 2]],
    "mapping": {},
    "text by name": {"a": "x"},
    "digest": "0f" * 32,
}
EXPECTED = {
    "is_text": "nan as text, text, digest",
    "is_whole": "zero, minus, huge",
    "is_number": "zero, minus, half, nan",
    "is_figure": "null, zero, minus, half, nan, nan as text",
    "is_spread": "null, zero, half, nan, nan as text",
    "is_single": "null, true, zero, minus, half, nan, nan as text, text, digest",
    "is_mapping": "mapping, text by name",
    "is_digest": "digest",
    "is_shape": "list, shape",
    "is_histogram": "null, list, bars",
}


@pytest.mark.parametrize("test", EXPECTED)
def test_each_form_is_that_of_these_values_and_no_others(test):
    found = [name for name, value in VALUES.items() if getattr(sound, test)(value)]
    assert found == EXPECTED[test].split(", ")


def test_forms_are_put_together():
    texts = sound.list_of(sound.is_text)
    assert texts(["x"]) and texts([]) and not texts(["x", 1]) and not texts("x")
    assert sound.mapping_of(sound.is_text)({"a": "x"}) and not sound.mapping_of(texts)({"a": "x"})
    assert (
        sound.or_none(texts)(None) and sound.or_none(texts)(["x"]) and not sound.or_none(texts)(1)
    )
