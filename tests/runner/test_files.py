"""What is written into a run's folder: JSON that a person can read and every reader understands."""

from __future__ import annotations

import json

import numpy as np
import pytest

from initlab.runner.files import in_json, json_text, write_json

VALUES = [
    {},
    [],
    {"a": [], "b": {}, "c": None, "d": True, 'é\n"': 'é\n"\\ \u2028 \U0001f600'},
    [1, 2.5, -0.0, 1e300, 5e-324, 10**30],
    [[1, 2], [3, [4]], {"x": [{"y": []}]}],
    {1: "a", 2.5: "b", False: "c", None: "d"},
    (1, (2, 3)),
    {"nan": float("nan"), "in a list": [float("inf"), -float("inf"), 1.0]},
    {"numpy": np.float32(0.1), "whole": np.int64(3), "flags": [np.bool_(True), np.float64(2)]},
    "text",
    3,
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_says_what_pythons_own_writer_says(value):
    text = json_text(value)
    expected = json.dumps(in_json(value), ensure_ascii=False, allow_nan=False)
    assert json.loads(text) == json.loads(expected)
    assert "".join(text.split()) == "".join(expected.split())


def test_a_part_stands_on_a_line_and_a_list_of_plain_values_on_one():
    assert json_text({"a": {"b": [1, 2]}, "c": [{"d": 1}]}) == (
        '{\n "a": {\n  "b": [1, 2]\n },\n "c": [\n  {\n   "d": 1\n  }\n ]\n}'
    )


@pytest.mark.parametrize("value", [{"a": {1, 2}}, {"a": [object()]}, {(1, 2): 3}], ids=str)
def test_what_json_cannot_say_is_an_error_and_leaves_no_file(value, tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []
