"""What is found says itself in a few words, and how well its spread is known."""

from __future__ import annotations

import pytest

from initlab.runner.audit.found import Found


def test_the_error_of_a_spread_follows_from_kurtosis_and_size():
    normal = Found("normal", 200, {"std": 0.5})
    assert normal.spread == pytest.approx((0.5, (1 / 400) ** 0.5))
    assert Found("uniform", 200, {"std": 0.5}).spread[1] < normal.spread[1]
    assert Found("zeros", 200).spread is None


def test_text():
    part = Found("normal", 3, {"std": 0.123456})
    assert str(part) == "normal: std 0.12346"
    zeros = Found("zeros", 3)
    assert str(Found("blocks", 6, parts=(part, zeros), axis=0)) == (
        "blocks on axis 0: normal: std 0.12346 | zeros"
    )
    assert list(Found("blocks", 6, parts=(part, zeros)).each()) == [part, zeros]
    assert [Found(kind, 1).fresh for kind in ("normal", "trained", "unknown", "unset")] == [
        True, False, False, False,
    ]  # fmt: skip
