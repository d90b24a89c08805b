"""Fingerprints forgive rounding and find other values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import streams
from initlab.runner.check import fingerprint


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 3000), st.sampled_from([1e-3, 1.0, 50.0]))
def test_a_fingerprint_forgives_rounding_and_finds_other_values(seed, size, scale):
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=size) * scale).astype(np.float32)
    first = fingerprint.fingerprint_of(values)
    noise = rng.uniform(-1e-6, 1e-6, size) * max(1.0, scale)
    assert (
        fingerprint.difference(
            first, fingerprint.fingerprint_of((values + noise).astype(np.float32))
        )
        is None
    )
    if size >= 4:
        assert (
            fingerprint.difference(first, fingerprint.fingerprint_of(values[::-1].copy()))
            is not None
        )
        assert fingerprint.difference(first, fingerprint.fingerprint_of(-values)) is not None


def test_the_signs_of_a_fingerprint_are_those_of_the_documented_stream():
    values = np.arange(1, 6, dtype=np.float32)
    words = streams.words(streams.Key(0, "initlab-lock-1/signs", 0), 0, 5)
    expected = (
        sum(int(v) if word & 1 else -int(v) for v, word in zip(values, words, strict=True)) / 5**0.5
    )
    found = fingerprint.fingerprint_of(values)
    assert found.signs[0] == pytest.approx(expected, abs=1e-5)
    assert (found.largest, found.elements, found.dtype) == (
        5.0,
        [1.0, 2.0, 3.0, 4.0, 5.0],
        "float32",
    )


def test_the_blocks_of_a_fingerprint_change_nothing(monkeypatch):
    values = np.random.default_rng(0).normal(size=1000)
    whole = fingerprint.fingerprint_of(values)
    monkeypatch.setattr(fingerprint, "BLOCK", 64)
    assert fingerprint.fingerprint_of(values) == whole


def test_values_that_are_not_finite_have_no_fingerprint():
    with pytest.raises(
        ValueError, match="values that are not finite cannot be compared to a tolerance"
    ):
        fingerprint.fingerprint_of(np.array([1.0, np.inf]))
