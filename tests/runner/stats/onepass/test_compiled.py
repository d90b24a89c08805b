"""Every core gives the bits of NumPy; each check here is shown to fail on code that does not."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from one_pass import FLOATS, mixed, text

from initlab.engine import dtypes, native
from initlab.engine.native import library
from initlab.runner.stats.onepass import BLOCK, bins, compiled, kernels, summarize
from initlab.runner.stats.onepass.record import Measure, Measured

ROOT = Path(__file__).parents[4]
CORES = native.cores() or (
    pytest.param("numpy", marks=pytest.mark.skip(reason=f"no core here: {native.why_not()}")),
)
DTYPES = [*FLOATS, "bfloat16"]
SIZES = [1, 2, 511, 512, 513, 4095, 4096, 4609, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 12_345]


@pytest.fixture(autouse=True)
def bfloat16():
    pytest.importorskip("ml_dtypes")


def kept(measured: Measured) -> tuple[bytes, bytes, int]:
    return measured.histogram.tobytes(), measured.records.tobytes(), measured.zeros


def agree(measure: Measure, values: np.ndarray) -> bool:
    """Whether a function keeps what NumPy keeps of these elements, bit for bit."""
    floats = bins.as_floats(values)
    return kept(measure(floats)) == kept(kernels.measure(floats))


def normals(dtype: str, size: int, scale: float = 0.02) -> np.ndarray:
    return (np.random.default_rng(size).standard_normal(size) * scale).astype(dtypes.resolve(dtype))


def refused(floats: np.ndarray) -> tuple[float, ...]:
    raise AssertionError("the block was left to NumPy")


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_finite_elements_are_measured_as_by_numpy_without_numpy(core, dtype, size, monkeypatch):
    values = normals(dtype, size)
    values[:: max(1, size // 7)] = 0.0
    values[size // 2] = -0.0
    expected = kept(kernels.measure(values))
    monkeypatch.setattr(kernels, "record", refused)
    assert kept(compiled.measurer(core)(values)) == expected


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_elements_of_every_kind_are_measured_as_by_numpy(core, dtype, size):
    assert agree(compiled.measurer(core), mixed(dtype, size))


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_number_of_16_bits_is_measured(core, dtype):
    every = np.arange(1 << 16, dtype=np.uint16).view(dtypes.resolve(dtype))
    finite = np.resize(every[np.isfinite(every.astype(np.float32))], 2 * BLOCK + 7)
    for values in (every, finite, *finite[:700].reshape(-1, 1)):
        assert agree(compiled.measurer(core), values)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("place", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK, 3 * BLOCK + 4])
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_element_that_is_not_finite_is_found_in_its_block(core, place, special, dtype):
    values = normals(dtype, 3 * BLOCK + 5)
    values[place] = special
    assert agree(compiled.measurer(core), values)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    "special",
    [0.0, -0.0, np.nan, np.inf, 5e-324, 1e-310, 1e-40, -1e300, 1.7e308, 2.0**100, 2.0**-99],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_of_one_number_are_measured(core, special, dtype):
    with np.errstate(over="ignore"):
        values = np.full(BLOCK + 77, special).astype(dtypes.resolve(dtype))
    assert agree(compiled.measurer(core), values)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("scale", [1e-320, 1e-160, 1e-31, 1e-29, 1e29, 1e31, 1e160, 1e307])
def test_float64_of_any_magnitude_is_scaled_as_by_numpy(core, scale):
    assert agree(compiled.measurer(core), normals("float64", 2 * BLOCK + 600, scale))


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_small_blocks_whose_sums_show_every_rounding_are_measured(core, dtype):
    measure = compiled.measurer(core)
    assert all(
        agree(measure, normals(dtype, size)) for size in (*range(500, 530), *range(4096, 4196))
    )


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_at_odd_addresses_are_measured(core, dtype):
    values = normals(dtype, 5000)
    raw = np.zeros(values.nbytes + 1, np.uint8)
    raw[1:] = values.view(np.uint8)
    shifted = raw[1:].view(values.dtype)
    assert values.itemsize == 1 or not shifted.flags.aligned
    assert kept(compiled.measurer(core)(shifted)) == kept(kernels.measure(values))


@pytest.mark.parametrize("core", CORES)
def test_no_element_after_the_last_is_measured(core):
    values = normals("float32", 2 * BLOCK)
    for size in (1, 300, 5000, BLOCK - 1, BLOCK + 513):
        alone = values[:size].copy()
        assert kept(compiled.measurer(core)(values[:size])) == kept(kernels.measure(alone))


@pytest.mark.parametrize("core", CORES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_elements_are_measured_as_by_numpy(core, data):
    dtype = data.draw(st.sampled_from(FLOATS))
    values = data.draw(arrays.arrays(dtype, st.integers(1, 1300)))
    assert agree(compiled.measurer(core), values)


@pytest.mark.parametrize("core", CORES)
@settings(max_examples=50, deadline=None)
@given(
    dtype=st.sampled_from(DTYPES),
    size=st.integers(1, 3 * BLOCK),
    shift=st.floats(-3, 3),
    scale=st.floats(1e-6, 4),
)
def test_normals_of_any_size_are_measured_as_by_numpy(core, dtype, size, shift, scale):
    values = normals("float64", size, scale) + shift
    assert agree(compiled.measurer(core), values.astype(dtypes.resolve(dtype)))


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", [*DTYPES, "int32", "bool"])
def test_summaries_are_those_of_numpy(core, dtype):
    values = mixed(dtype) if dtype in DTYPES else (np.arange(200_000) % 77).astype(dtype)
    assert text(summarize(values, implementation=core)) == text(
        summarize(values, implementation="numpy")
    )


@pytest.mark.parametrize("core", CORES)
def test_another_order_of_additions_would_be_found(core, monkeypatch):
    values = normals("float32", BLOCK)
    assert agree(compiled.measurer(core), values)
    monkeypatch.setattr(kernels, "LANES", 256)
    assert not agree(compiled.measurer(core), values)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("place", [0, 600, 4096, BLOCK - 1])
def test_one_changed_element_would_be_found(core, place):
    values = normals("float32", BLOCK)
    changed = values.copy()
    changed[place] = np.nextafter(values[place], np.float32(1))
    assert kept(compiled.measurer(core)(changed)) != kept(kernels.measure(values))


def test_operations_that_are_fused_would_be_found(tmp_path, monkeypatch):
    if shutil.which("cc") is None or "avx2" not in native.cores():
        pytest.skip("there is no C compiler here, or no instruction that fuses")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, "-ffp-contract=fast", "-mfma"))
    monkeypatch.setattr(build, "SETS", {"baseline": ()})
    build.compile_library(tmp_path / "kernels.native.so")
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "kernels.native.so")
    for function in (library._opened, library.cores, library.core):
        function.cache_clear()
    try:
        fused = compiled.measurer("baseline")
    finally:
        monkeypatch.undo()
        for function in (library._opened, library.cores, library.core):
            function.cache_clear()
    sizes = range(4096, 4196)  # a large block's sums hide most of it
    assert sum(not agree(fused, normals("float32", size)) for size in sizes) > 10
