"""Claims that are measured on the same draws."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.claims.noise import LEAST, sentence, shared

DRAWS = (0.3, -1.2, 0.7, 0.1, -0.4)


def test_claims_on_the_same_draws_share_their_noise():
    samples = {
        "he": DRAWS,
        "glorot": [x - 0.35 for x in DRAWS],
        "other": [0.1, 0.4, -0.3, 0.9, -1.1],
        "mirrored": [2 - 3 * x for x in DRAWS],
    }
    assert shared(samples) == [("he", "glorot", "mirrored")]
    said = sentence(("he", "glorot", "mirrored"))
    assert said.startswith("he, glorot and mirrored share their noise: ")


def test_few_samples_constants_and_other_counts_tell_nothing():
    few = DRAWS[: LEAST - 1]
    assert shared({"a": few, "b": few}) == []
    assert shared({"a": [1.0] * 5, "b": [1.0] * 5}) == []
    assert shared({"a": DRAWS, "b": DRAWS[:4]}) == []
    assert shared({"a": DRAWS, "b": [*DRAWS[:4], math.nan]}) == []


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_a_shift_and_a_factor_leave_the_noise_the_same(shift, factor):
    assert shared({"a": DRAWS, "b": [shift + factor * x for x in DRAWS]}) == [("a", "b")]
