"""Keys: seed, path and generation."""

from __future__ import annotations

import pytest

from initlab.engine import streams
from initlab.engine.streams import Key


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)
    yield
    streams.seed(0)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "3", None])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be 0 \.\.\. 2\^64-1, got "):
        Key(seed, "x")


def test_seed_path_and_generation_all_change_the_key():
    keys = {Key(s, p, g).words for s in (0, 1) for p in ("a", "b") for g in (0, 1)}
    assert len(keys) == 8
