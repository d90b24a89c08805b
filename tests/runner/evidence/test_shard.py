"""`shard: i/n` and the names and index of a snapshot in parts."""

from __future__ import annotations

import json

import pytest

from initlab.runner.evidence.shard import Shard, index_text, parse


def test_a_shard_is_read_as_it_is_written():
    assert parse("2/4") == Shard(2, 4) and str(Shard(2, 4)) == "2/4"
    assert Shard(2, 4).file_name == "model-00002-of-00004.safetensors"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1", "must be i/n, part i of n like 1/4, got '1'"),
        (3, "must be i/n, part i of n like 1/4, got 3"),
        ("0/0", "must be of at least 1 part, got '0/0'"),
        ("5/4", "must be a part from 1 to 4, got '5/4'"),
    ],
)
def test_another_text_is_no_shard(text, said):
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_the_index_says_which_file_holds_a_tensor_and_how_much_there_is():
    text = index_text([["a", "b"], ["c"]], {"elements": 6, "bytes": 24, "parameters": 3})
    assert json.loads(text) == {
        "metadata": {"total_parameters": 6, "total_size": 24},
        "weight_map": {
            "a": "model-00001-of-00002.safetensors",
            "b": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors",
        },
    }
