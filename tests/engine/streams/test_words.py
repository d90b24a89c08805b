"""Random words, against the vectors of initlab-1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from initlab.engine import streams

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "exact-streams.json").read_text(encoding="utf-8")
)


STREAMS = VECTORS["streams"]


def key_of(stream: dict) -> streams.Key:
    return streams.Key(int(stream["seed"]), stream["path"], stream["generation"])


@pytest.mark.parametrize(
    "stream", STREAMS, ids=lambda s: f"{s['seed']}-{s['path']}-{s['generation']}"
)
def test_a_key_and_its_first_words_are_those_of_the_vectors(stream):
    assert [str(word) for word in key_of(stream).words] == stream["key"]
    assert streams.words(key_of(stream), 0, 8).tolist() == stream["words_u32"]
