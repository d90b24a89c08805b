"""The GPU's kernels, compiled for the processor, keep what NumPy keeps of every block; each check here
is shown to fail on kernels that do not. tests/gpu measures on a real GPU.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import host_kernels
import numpy as np
import pytest
import standin
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from one_pass import FLOATS, mixed, text

from initlab.engine import device as devices
from initlab.engine import dtypes, native
from initlab.engine.device import Device, Namespace
from initlab.runner.errors import RunnerError
from initlab.runner.stats.onepass import BLOCK, cuda, kernels, summarize

pytestmark = pytest.mark.skipif(
    host_kernels.compiler() is None,
    reason="there is no C++ compiler here to compile the kernels' text with",
)
DTYPES = [*FLOATS, "bfloat16"]
GPU = Device("gpu", 0)
SIZES = [1, 2, 511, 512, 513, 4609, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 12_345]
ORDERS = pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])


@pytest.fixture(autouse=True)
def bfloat16():
    pytest.importorskip("ml_dtypes")


@cache
def measuring() -> str:
    """The kernels that measure, without those that draw, which take long to compile."""
    return native.device_text().replace(native.device_text("drawing.cu"), "")


def on_the_host(kernels_text: str, **options):
    """A device whose arrays are NumPy's and whose kernels run on the processor."""
    return devices.namespace(
        "gpu",
        Namespace(
            lambda device: np,
            np.array,
            lambda array, device: array,
            lambda device: lambda given: host_kernels.launching(kernels_text, **options),
        ),
    )


@pytest.fixture
def launched():
    with on_the_host(measuring()):
        yield


def normals(dtype: str, size: int, scale: float = 0.02) -> np.ndarray:
    return (np.random.default_rng(size).standard_normal(size) * scale).astype(dtypes.resolve(dtype))


def kept(measured) -> tuple[bytes, bytes, int]:
    return measured.histogram.tobytes(), measured.records.tobytes(), measured.zeros


def agree(values: np.ndarray) -> bool:
    """Whether the kernels keep what NumPy keeps of these elements, bit for bit."""
    return kept(cuda._measure(values, GPU)) == kept(kernels.measure(values))


def refused(floats):
    raise AssertionError("the block was left to NumPy")


@ORDERS
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_finite_elements_are_measured_as_by_numpy_without_numpy(
    dtype, size, descending, monkeypatch
):
    values = normals(dtype, size)
    values[:: max(1, size // 7)] = 0.0
    values[size // 2] = -0.0
    expected = kept(kernels.measure(values))
    monkeypatch.setattr(kernels, "record", refused)
    with on_the_host(measuring(), descending=descending):
        assert kept(cuda._measure(values, GPU)) == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", [1, 2, 3])
def test_a_grid_of_any_size_measures_every_block(dtype, grid, launched, monkeypatch):
    monkeypatch.setattr(cuda, "GRID", grid)
    assert agree(mixed(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_summaries_are_those_of_numpy(dtype, launched):
    values = mixed(dtype)
    assert text(cuda.summarize(values, GPU)) == text(summarize(values, implementation="numpy"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_number_of_16_bits_is_measured(dtype, launched):
    every = np.arange(1 << 16, dtype=np.uint16).view(dtypes.resolve(dtype))
    assert agree(every) and agree(every[np.isfinite(every.astype(np.float32))])


@pytest.mark.parametrize("place", [0, BLOCK - 1, BLOCK, BLOCK + 4])
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_element_that_is_not_finite_is_found_in_its_block(place, special, dtype, launched):
    values = normals(dtype, BLOCK + 5)
    values[place] = special
    assert agree(values)


@pytest.mark.parametrize("special", [0.0, -0.0, np.nan, 5e-324, 1e-40, -1e300, 2.0**100, 2.0**-99])
@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_of_one_number_are_measured(special, dtype, launched):
    with np.errstate(over="ignore"):
        values = np.full(BLOCK + 77, special).astype(dtypes.resolve(dtype))
    assert agree(values)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_elements_are_measured_as_by_numpy(data):
    values = data.draw(arrays.arrays(data.draw(st.sampled_from(FLOATS)), st.integers(1, 1300)))
    with on_the_host(measuring(), descending=data.draw(st.booleans())):
        assert agree(values)


def test_elements_that_do_not_lie_side_by_side_are_measured_in_their_order(launched):
    values = normals("float32", 60_000).reshape(200, 300)
    for other in (values.T, values[::2, 5:], values[::-1], values.reshape(-1)[::3], values[:1, :1]):
        assert text(cuda.summarize(other, GPU)) == text(summarize(other.copy("C")))


def test_what_the_kernels_do_not_measure_is_left_to_the_host(launched):
    swapped = normals("float32", 10).astype(np.dtype(np.float32).newbyteorder())
    for values in (np.zeros((0, 3), np.float32), np.arange(5), np.ones(3, bool), swapped):
        assert cuda.summarize(values, GPU) is None
    assert cuda.summarize(normals("float32", 10), Device("cpu", 0)) is None


def test_a_device_is_made_current_before_its_arrays_are_used():
    used = []

    def use(device):
        standin.Opaque.current = device.device_id
        used.append(device.device_id)
        return Library()

    class Library:
        def __getattr__(self, name):
            return lambda *given, **options: standin._close(
                getattr(np, name)(*map(standin._open, given), **options)
            )

    def compiler(device):
        launch = host_kernels.launching(measuring())
        return lambda text: (
            lambda name, blocks, threads, given: launch(
                name, blocks, threads, [standin._open(part) for part in given]
            )
        )

    values = normals("float32", 700)
    provider = Namespace(use, lambda raw: np.array(raw._values), None, compiler)
    try:
        with devices.namespace("gpu", provider):
            standin.Opaque.current = 1
            there = standin.Opaque(values)
            standin.Opaque.current = 0
            found = cuda.summarize(there, Device("gpu", 1))
    finally:
        standin.Opaque.current = 0
    assert set(used) == {1} and text(found) == text(summarize(values))


def test_a_launch_that_does_nothing_gives_no_figures():
    provider = Namespace(lambda device: np, np.array, None, lambda device: lambda text: print)
    said = r"gpu\(0\) measured 0 of 70000 elements of float32"
    with devices.namespace("gpu", provider), pytest.raises(RunnerError, match=said):
        cuda.summarize(normals("float32", 70_000), GPU)


def differs(changed: str, monkeypatch, **options) -> bool:
    """Whether changed kernels keep something else of three blocks, in one of the orders."""
    monkeypatch.setattr(cuda, "GRID", 1)
    monkeypatch.setattr(kernels, "complete", lambda *given: None)
    values = normals("float32", 2 * BLOCK + 4321)
    found = []
    for descending in (False, True):
        with on_the_host(changed, descending=descending, **options):
            found.append(agree(values))
    return not all(found)


BARRIER = "__syncthreads()"


@pytest.mark.parametrize("number", range(4))
def test_a_lost_barrier_would_be_found(number, monkeypatch):
    parts = measuring().split(BARRIER)
    assert len(parts) == 5 and not differs(measuring(), monkeypatch)
    lost = BARRIER.join(parts[: number + 1]) + "(void)0" + BARRIER.join(parts[number + 1 :])
    assert differs(lost, monkeypatch)


@pytest.mark.parametrize(
    ("here", "changed"),
    [
        ("half = ROW / 2; half > 0", "half = ROW / 4; half > 0"),  # the upper lanes are lost
        ("half > 0; half /= 2)\n        EACH_LANE(i, half)\n            of", "half > 1; half /= 2)\n        EACH_LANE(i, half)\n            of"),
        ("int i = lane; i < elements", "int i = lane; i < elements - 1"),
        ("dmul(square, distance)", "dmul(distance, distance)"),
        ("+= step", "+= 2 * step"),
    ],
    ids=["upper lanes", "last addition", "last element", "a factor", "every second block"],
)  # fmt: skip
def test_kernels_that_leave_something_out_would_be_found(here, changed, monkeypatch):
    assert here in measuring()
    assert differs(measuring().replace(here, changed), monkeypatch)


def test_a_barrier_that_some_threads_do_not_reach_would_be_found(launched):
    uneven = measuring().replace("    if (zeros)\n", "    if (zeros)\n        __syncthreads();\n")
    assert uneven != measuring()
    values = normals("float32", 1000)
    values[7] = 0
    with on_the_host(uneven), pytest.raises(AssertionError, match="not reached by all threads"):
        cuda.summarize(values, GPU)


def test_operations_that_are_fused_would_be_found():
    cores = Path("/proc/cpuinfo")
    if not cores.exists() or " fma" not in cores.read_text(encoding="utf-8"):
        pytest.skip("this processor cannot fuse a product and a sum")
    with on_the_host(measuring(), flags=host_kernels.FUSED):
        assert sum(not agree(normals("float32", size)) for size in range(4096, 4136)) > 5
