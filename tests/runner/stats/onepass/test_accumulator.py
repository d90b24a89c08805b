"""One pass over a tensor gives the figures of exact arithmetic, whatever its blocks and threads."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_pass import FLOATS, mixed, tensors, text

from initlab.engine import native, streams
from initlab.runner.stats.onepass import BLOCK, Accumulator, kernels, summarize
from initlab.runner.stats.onepass.record import RECORD

ROOT = Path(__file__).parents[4]


def exact_figures(values: list[float]) -> dict[str, float | None]:
    """Mean, std and the rest through fractions, scaled so that what is left fits a float."""
    farthest = Fraction(max(map(abs, values))) or Fraction(1)
    x = [Fraction(v) / farthest for v in values]
    mean = sum(x) / len(x)
    second, third, fourth = (sum((v - mean) ** power for v in x) / len(x) for power in (2, 3, 4))
    root = math.sqrt(second)
    return {
        "mean": float(mean * farthest),
        "std": root * float(farthest),
        "rms": math.sqrt(sum(v * v for v in x) / len(x)) * float(farthest),
        "skew": float(third) / root**3 if root > 1e-6 else None,
        "kurtosis": float(fourth) / root**4 - 3 if root > 1e-6 else None,
    }


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_figures_are_those_of_exact_arithmetic(dtype, data):
    values = data.draw(tensors(dtype))
    summary = summarize(values, implementation="numpy")
    finite = [float(v) for v in values if np.isfinite(v)]
    assert (summary.count, summary.finite, summary.nonfinite) == (
        len(values),
        len(finite),
        len(values) - len(finite),
    )
    if not finite:
        assert (summary.low, summary.high, summary.mean, summary.std, summary.quantile(0.5)) == (
            None,
        ) * 5
        return
    assert (summary.low, summary.high) == (min(finite), max(finite))
    farthest = max(map(abs, finite))
    for name, expected in exact_figures(finite).items():
        if expected is not None:
            slack = 1e-12 * farthest + 1e-323 if name in ("mean", "std", "rms") else 1e-8
            assert math.isclose(getattr(summary, name), expected, rel_tol=1e-8, abs_tol=slack), name


@pytest.mark.parametrize("scale", [-1000, -300, 0, 300, 1000])
def test_float64_values_of_any_magnitude_have_the_same_shape(scale):
    values = np.random.default_rng(0).standard_normal(3 * BLOCK) + 0.1
    values[BLOCK : 2 * BLOCK] = 0
    plain, scaled = summarize(values), summarize(np.ldexp(values, scale))
    assert (scaled.skew, scaled.kurtosis) == (
        pytest.approx(plain.skew, rel=1e-12),
        pytest.approx(plain.kurtosis, rel=1e-12),
    )
    assert math.isclose(scaled.std, math.ldexp(plain.std, scale), rel_tol=1e-12)


def test_blocks_of_very_different_magnitudes_are_combined():
    values = np.concatenate(
        [np.full(BLOCK, 1e-200), np.full(BLOCK, 1e200), np.zeros(BLOCK), np.full(1, -1e300)]
    )
    summary = summarize(values)
    assert math.isclose(summary.mean, math.fsum(values) / values.size, rel_tol=1e-15)
    assert summary.variance == math.inf
    assert summary.kurtosis == pytest.approx(values.size, rel=1e-4)


def test_figures_near_the_largest_float64_do_not_overflow():
    largest = np.finfo(np.float64).max
    for size in (2, 3, 1000, BLOCK + 7):
        values = np.full(size, largest)
        values[-1] = np.nextafter(largest, 0)
        summary = summarize(values)
        assert (summary.mean, summary.rms) == (pytest.approx(largest), pytest.approx(largest))
        values[::2] = -largest
        assert summarize(values).std == pytest.approx(largest, rel=1 / size if size % 2 else 1e-9)


def test_equal_elements_have_their_own_mean_and_no_spread():
    summary = summarize(np.full(200_001, 0.1))
    assert (summary.mean, summary.std, summary.skew, summary.kurtosis) == (0.1, 0, None, None)
    minus = summarize(np.full(3, -0.0, np.float32))
    assert [
        math.copysign(1, figure) for figure in (minus.mean, minus.low, minus.high, minus.rms)
    ] == [1] * 4


def accumulated(values: np.ndarray, order: list[int], implementation: str | None = "numpy") -> str:
    accumulator = Accumulator(values.dtype, values.size, implementation=implementation)
    for number in order:
        accumulator.add(number, values[number * BLOCK : (number + 1) * BLOCK])
    return text(accumulator.result())


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_order_of_blocks_does_not_matter(dtype):
    values = mixed(dtype)
    orders = list(itertools.permutations(range(5)))[::17]
    assert {accumulated(values, list(order)) for order in orders} == {
        text(summarize(values, implementation="numpy"))
    }


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_number_of_threads_does_not_matter(threads):
    values = mixed("float32", (1 << 20) + 3 * BLOCK + 77)
    assert text(summarize(values, threads, implementation="numpy")) == accumulated(
        values, list(range(20))
    )


def test_a_tensor_of_many_blocks_has_the_figures_of_two_passes():
    values = np.random.default_rng(3).standard_normal(2_000_019).astype(np.float32) * np.float32(
        0.02
    ) + np.float32(1)
    wide = values.astype(np.float64)
    mean = math.fsum(wide.tolist()) / wide.size
    d = wide - mean
    std = math.sqrt(math.fsum((d * d).tolist()) / d.size)
    summary = summarize(values)
    assert (summary.mean, summary.std) == (
        pytest.approx(mean, rel=1e-15),
        pytest.approx(std, rel=1e-14),
    )
    assert summary.skew == pytest.approx(((d / std) ** 3).mean(), abs=1e-12)
    assert summary.kurtosis == pytest.approx(((d / std) ** 4).mean() - 3, abs=1e-11)
    assert summary.histogram.sum() == values.size


def test_what_is_no_block_of_the_tensor_is_refused():
    accumulator = Accumulator("float32", BLOCK + 5)
    with pytest.raises(ValueError, match=r"block 0 of 2 has not been added"):
        accumulator.result()
    accumulator.add(0, np.zeros(BLOCK, np.float32))
    with pytest.raises(ValueError, match="block 0 was added before"):
        accumulator.add(0, np.zeros(BLOCK, np.float32))
    with pytest.raises(
        ValueError, match=r"block 1 must be float32 of shape \(5,\), got float32 \(6,\)"
    ):
        accumulator.add(1, np.zeros(6, np.float32))
    with pytest.raises(
        ValueError, match=r"block 1 must be float32 of shape \(5,\), got float64 \(5,\)"
    ):
        accumulator.add(1, np.zeros(5))
    with pytest.raises(
        ValueError, match=f"block 2 is none of the 2 blocks of {BLOCK + 5} elements"
    ):
        accumulator.add(2, np.zeros(5, np.float32))
    with pytest.raises(ValueError, match="block 1 of 2 has not been added"):
        accumulator.result()


def test_a_block_leaves_64_bytes_behind():
    assert RECORD.itemsize == 64


def test_an_unknown_implementation_is_refused():
    with pytest.raises(ValueError, match="no implementation 'fortran'"):
        summarize(np.zeros(3), implementation="fortran")


def test_what_draws_measures_too(monkeypatch):
    values = mixed("float32")
    expected = text(summarize(values, implementation="numpy"))
    monkeypatch.setattr(kernels, "measure", None)
    for name in native.cores():
        monkeypatch.setattr(streams, "core", lambda given=None, name=name: name)
        assert text(summarize(values)) == expected
    monkeypatch.setattr(streams, "core", lambda given=None: "numpy")
    with pytest.raises(TypeError):
        summarize(values)
