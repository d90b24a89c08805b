"""One pass over a tensor: the figures are right, and no order of blocks, thread, implementation or
processor changes a bit of them.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from initlab.engine import dtypes
from initlab.runner.stats import onepass
from initlab.runner.stats.onepass import BLOCK, Accumulator, Summary, bins, kernels, summarize
from initlab.runner.stats.onepass.accumulator import RECORD

ROOT = Path(__file__).parents[3]
FLOATS = ["float16", "float32", "float64"]


def tensors(dtype: str) -> st.SearchStrategy[np.ndarray]:
    """Up to 40 numbers of any kind, or of one magnitude."""
    of_any_kind = arrays.arrays(dtype, st.integers(0, 40))
    tame = arrays.arrays(
        dtype, st.integers(1, 40), elements=st.floats(-8, 8, width=np.dtype(dtype).itemsize * 8)
    )
    return st.one_of(of_any_kind, tame)


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


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_every_element_is_counted_where_its_bits_say(dtype, data):
    values = data.draw(tensors(dtype))
    summary = summarize(values, implementation="numpy")
    width = 8 * values.itemsize
    expected = np.zeros(4096, np.int64)
    for number in values.view(f"u{values.itemsize}").tolist():
        expected[number >> (width - 12)] += 1
    assert (summary.histogram == expected).all()
    smallest = np.finfo(dtype).smallest_normal
    assert summary.zeros == sum(v == 0 for v in values)
    assert summary.subnormal == sum(0 < abs(v) < smallest for v in values)


def test_bfloat16_has_the_bins_of_float32_and_other_dtypes_are_cast_to_it():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    short = np.array([0.0, -0.0, 1.5, -3, np.inf, np.nan, 1e-40], ml_dtypes.bfloat16)
    of_short, of_wide = (
        summarize(v, implementation="numpy") for v in (short, short.astype(np.float32))
    )
    assert (of_short.histogram == of_wide.histogram).all()
    assert (of_short.moments, of_short.zeros, of_short.subnormal) == (of_wide.moments, 2, 1)
    whole = summarize(np.array([-2, 0, 5], np.int64))
    assert (whole.dtype, whole.low, whole.high, whole.mean, whole.zeros) == ("int64", -2, 5, 1, 1)
    assert summarize(np.array([True, False])).mean == 0.5


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


def mixed(dtype: str, size: int = 4 * BLOCK + 12_345) -> np.ndarray:
    """Normals with a few of everything else among them."""
    generator = np.random.default_rng(7)
    values = generator.standard_normal(size).astype(dtypes.resolve(dtype))
    for special in (0.0, -0.0, np.inf, -np.inf, np.nan, 6e-8):
        values[generator.integers(0, size, 5)] = special
    return values


def text(summary: Summary) -> str:
    return json.dumps(summary.to_json())


def accumulated(values: np.ndarray, order: list[int], implementation: str | None = "numpy") -> str:
    accumulator = Accumulator(values.dtype, values.size, implementation=implementation)
    for number in order:
        accumulator.add(number, values[number * BLOCK : (number + 1) * BLOCK])
    return text(accumulator.result())


@pytest.mark.parametrize("dtype", FLOATS)
def test_no_order_of_blocks_shows(dtype):
    values = mixed(dtype)
    orders = list(itertools.permutations(range(5)))[::17]
    assert {accumulated(values, list(order)) for order in orders} == {
        text(summarize(values, implementation="numpy"))
    }


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_no_number_of_threads_shows(threads):
    values = mixed("float32", (1 << 20) + 3 * BLOCK + 77)
    assert text(summarize(values, threads, implementation="numpy")) == accumulated(
        values, list(range(20))
    )


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "bfloat16"])
@pytest.mark.parametrize("size", [1, 511, 512, 513, BLOCK, 4 * BLOCK + 12_345])
def test_numba_gives_the_bits_of_numpy(dtype, size):
    pytest.importorskip("numba")
    pytest.importorskip("ml_dtypes")
    values = (
        mixed(dtype, size)
        if dtype != "int32"
        else np.arange(-size // 2, size - size // 2, dtype=np.int32)
    )
    assert text(summarize(values, implementation="numba")) == text(
        summarize(values, implementation="numpy")
    )


def test_the_comparison_sees_a_single_bit_and_another_order_of_additions():
    values = mixed("float32")
    changed = values.copy()
    place = int(np.flatnonzero(np.isfinite(values) & (np.abs(values) > 0.5))[1000])
    changed[place] = np.nextafter(values[place], np.float32(10))
    assert text(summarize(changed)) != text(summarize(values))
    block = np.random.default_rng(1).standard_normal(BLOCK)
    total, second, *_ = kernels.moments(block)
    distances = block - total / BLOCK
    assert second != float((distances * distances).sum())


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 5000, BLOCK])
def test_a_block_is_added_in_512_lanes_row_by_row_and_folded_in_halves(size):
    x = np.random.default_rng(size).standard_normal(size)

    def lanes_sum(terms: list[float]) -> float:
        lanes = [0.0] * 512
        for i, term in enumerate(terms):
            lanes[i % 512] += term
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [lanes[i] + lanes[i + half] for i in range(half)]
        return lanes[0]

    total = lanes_sum(x.tolist())
    d = [v - total / size for v in x.tolist()]
    expected = (
        total,
        lanes_sum([v * v for v in d]),
        lanes_sum([v * v * v for v in d]),
        lanes_sum([(v * v) * (v * v) for v in d]),
    )
    assert kernels.moments(x) == expected


def summaries_of_all() -> str:
    return "|".join(text(summarize(mixed(dtype), implementation="numpy")) for dtype in FLOATS)


def test_simd_levels_do_not_change_a_bit():
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    features = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    if not features:
        pytest.skip(
            "NumPy dispatches to no SIMD level on this processor, so none can be switched off"
        )
    script = (
        "import sys; sys.path.insert(0, 'tests/runner/stats'); import test_onepass as t; "
        "from numpy._core._multiarray_umath import __cpu_features__ as f; "
        f"print(any(f[n] for n in {features!r})); print(t.summaries_of_all())"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    still_on, figures = done.stdout.splitlines()
    assert still_on == "False", (
        "the subprocess did not switch the SIMD levels off, so it proves nothing"
    )
    assert figures == summaries_of_all()


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_summary_comes_back_from_json(dtype, data):
    summary = summarize(data.draw(tensors(dtype)), wrong=lambda part, start: 3)
    again = Summary.from_json(json.loads(json.dumps(summary.to_json(), allow_nan=False)))
    assert again == summary
    assert (again.histogram == summary.histogram).all()


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=150, deadline=None)
@given(data=st.data(), probability=st.floats(0, 1))
def test_a_quantile_is_within_a_bins_width_of_the_exact_one(dtype, data, probability):
    values = data.draw(tensors(dtype))
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return
    edges = bins.edges(dtype)
    around = [np.quantile(finite, probability, method=method) for method in ("lower", "higher")]
    places = [int(np.searchsorted(edges, v, side="left" if v < 0 else "right")) for v in around]
    width = max(float(edges[min(p, edges.size - 1)] - edges[p - 1]) for p in places)
    with np.errstate(over="ignore", invalid="ignore"):
        exact = np.quantile(finite, probability)
    if np.isfinite(exact):
        assert abs(summarize(values).quantile(probability) - exact) <= width * (1 + 1e-9)


def test_quantiles_at_both_ends_and_of_zeros_are_exact():
    values = np.concatenate([np.zeros(50), [-3.3, 7.7]]).astype(np.float32)
    summary = summarize(values)
    assert (summary.quantile(0), summary.quantile(0.5), summary.quantile(1)) == (
        np.float32(-3.3),
        0.0,
        np.float32(7.7),
    )


def test_a_tensor_of_many_blocks_has_the_figures_of_two_passes():
    values = np.random.default_rng(3).standard_normal(10_000_019).astype(np.float32) * np.float32(
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
    with pytest.raises(
        ValueError, match="implementation must be one of numpy, numba, got 'fortran'"
    ):
        summarize(np.zeros(3), implementation="fortran")


def test_without_numba_large_tensors_are_left_to_numpy(monkeypatch):
    monkeypatch.setitem(sys.modules, "initlab.runner.stats.onepass.compiled", None)
    monkeypatch.delattr(onepass, "compiled", raising=False)
    assert kernels.choose(None, 1 << 40) is kernels.NUMPY
    with pytest.raises(ImportError):
        kernels.choose("numba", 1)


def test_numba_is_taken_for_what_is_large_only():
    pytest.importorskip("numba")
    assert kernels.choose(None, 100) is kernels.NUMPY
    assert kernels.choose(None, 1 << 40).name == "numba"
    assert kernels.choose("numpy", 1 << 40) is kernels.NUMPY


def test_small_tensors_do_not_load_numba():
    script = "import sys, numpy; from initlab.runner.stats import onepass; onepass.summarize(numpy.ones(200_000)); print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
