"""The text of the CUDA kernels that draw, compiled for the processor, gives NumPy's bits."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import host_kernels
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import device as devices
from initlab.engine import dtypes, native
from initlab.engine.device import Device
from initlab.engine.errors import DeviceError
from initlab.engine.streams import Key, cuda, distribution, reference

VECTORS = Path(__file__).parents[2] / "vectors"
GPU = Device("gpu", 0)
needs_a_compiler = pytest.mark.skipif(
    host_kernels.compiler() is None,
    reason="there is no C++ compiler here to check the kernels' text with",
)
KINDS = {
    "uniform": distribution.uniform(-0.07, 0.07),
    "normal": distribution.normal(0.5, 0.02),
    "truncated": distribution.truncated_normal(0.0, 1.0, -2.0, 2.0),
    "half line": distribution.truncated_normal(0.0, 0.3, -0.5, math.inf),
    "from 0": distribution.truncated_normal(0.0, 1.0, 0.0, math.inf),
    "uniform64": distribution.uniform(-0.07, 0.07, wide=True),
    "normal64": distribution.normal(0.5, 0.02, wide=True),
    "truncated64": distribution.truncated_normal(0.0, 1.0, -2.0, 2.0, wide=True),
    "tail64": distribution.truncated_normal(0.0, 1.0, 6.5, math.inf, wide=True),
    "all64": distribution.truncated_normal(0.0, 1.0, -math.inf, math.inf, wide=True),
}


@pytest.fixture
def on_the_host(monkeypatch):
    """Launches kernels of any device on the processor."""
    monkeypatch.setattr(cuda, "launcher", lambda device: host_kernels.launching)


def drawn(kind: distribution.Distribution, key: Key, start: int, count: int) -> np.ndarray:
    out = np.full(count, np.nan, kind.dtype)
    cuda.fill(GPU, [(kind, key, start, out)])
    return out


def expected(kind: distribution.Distribution, key: Key, start: int, count: int) -> np.ndarray:
    out = np.empty(count, kind.dtype)
    reference.fill([(kind, key, start, out)])
    return out


@needs_a_compiler
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 100_000) | st.integers(2**33, 2**33 + 100), count=st.integers(0, 3000))
def test_any_part_of_a_stream_is_that_of_numpy(name, start, count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "launcher", lambda device: host_kernels.launching)
        assert (
            drawn(KINDS[name], Key(7, "gpu"), start, count).tobytes()
            == expected(KINDS[name], Key(7, "gpu"), start, count).tobytes()
        )


@needs_a_compiler
@pytest.mark.parametrize("name", ["normal", "normal64"])
@pytest.mark.parametrize("offset", range(4))
def test_an_array_at_any_address_gets_its_elements_and_no_other(name, offset, on_the_host):
    around = np.full(1000, np.nan, KINDS[name].dtype)
    out = around[offset : offset + 901]
    cuda.fill(GPU, [(KINDS[name], Key(7, "gpu"), 12, out)])
    assert out.tobytes() == expected(KINDS[name], Key(7, "gpu"), 12, 901).tobytes()
    assert np.isnan(around[:offset]).all() and np.isnan(around[offset + 901 :]).all()


@needs_a_compiler
@pytest.mark.parametrize("name", [name for name in KINDS if not KINDS[name].wide])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("offset", [0, 1, 5])
def test_what_is_rounded_while_it_is_drawn_is_rounded_once(name, dtype, offset, on_the_host):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    held = dtypes.resolve(dtype)
    around = np.full(3000, 7, held)
    cuda.fill(GPU, [(KINDS[name], Key(7, "gpu"), 3, around[offset : offset + 2001])])
    theirs = np.empty(2001, held)
    reference.fill([(KINDS[name], Key(7, "gpu"), 3, theirs)])
    assert around[offset : offset + 2001].tobytes() == theirs.tobytes()
    assert (around[:offset] == 7).all() and (around[offset + 2001 :] == 7).all()


@pytest.mark.slow
@needs_a_compiler
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("threads", "blocks"), [(256, 1 << 16), (32, 7), (1, 1)])
def test_ten_million_elements_are_those_of_numpy_on_any_grid(
    name, threads, blocks, on_the_host, monkeypatch
):
    count = 10_000_001 if threads == 256 else 100_003
    monkeypatch.setattr(cuda, "THREADS", threads)
    monkeypatch.setattr(cuda, "BLOCKS", blocks)
    assert (
        drawn(KINDS[name], Key(1, "many"), 3, count).tobytes()
        == expected(KINDS[name], Key(1, "many"), 3, count).tobytes()
    )


@needs_a_compiler
def test_the_vectors_of_initlab_1_are_drawn(on_the_host):
    kinds = {
        "uniform_-1_3": distribution.uniform(-1, 3),
        "normal_mean0_std0.01": distribution.normal(0, 0.01),
        "truncated_normal_-0.5_inf": distribution.truncated_normal(0, 1, -0.5, math.inf),
    }
    for stream in json.loads((VECTORS / "exact-streams.json").read_text(encoding="utf-8"))[
        "streams"
    ]:
        key = Key(int(stream["seed"]), stream["path"], stream["generation"])
        for name, kind in kinds.items():
            found = hashlib.sha256(drawn(kind, key, 0, 1000003).tobytes()).hexdigest()
            assert found == stream[name]["sha256_of_1000003_le_float32"], (name, stream["path"])


@needs_a_compiler
@pytest.mark.parametrize("name", ["normal", "truncated", "normal64", "truncated64"])
def test_the_check_fails_on_operations_that_are_fused(name, monkeypatch):
    if (
        " fma" not in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if Path("/proc/cpuinfo").exists()
        else True
    ):
        pytest.skip("this processor cannot fuse a product and a sum")
    monkeypatch.setattr(
        cuda,
        "launcher",
        lambda device: lambda text: host_kernels.launching(text, host_kernels.FUSED),
    )
    assert (
        drawn(KINDS[name], Key(1, "many"), 0, 10_000).tobytes()
        != expected(KINDS[name], Key(1, "many"), 0, 10_000).tobytes()
    )


@needs_a_compiler
def test_the_check_fails_on_a_constant_that_is_off_by_one_unit(monkeypatch):
    off = repr(float(np.nextafter(np.float32(-71.6337890625), np.float32(0))))
    text = native.device_text().replace("-71.6337890625f", f"{off}f")
    assert text != native.device_text()
    monkeypatch.setattr(cuda, "launcher", lambda device: lambda _: host_kernels.launching(text))
    assert (
        drawn(KINDS["normal"], Key(1, "many"), 0, 10_000).tobytes()
        != expected(KINDS["normal"], Key(1, "many"), 0, 10_000).tobytes()
    )


def test_a_device_without_kernels_says_so():
    assert not devices.runs_kernels(Device("cpu", 0)) and devices.runs_kernels(GPU)
    with pytest.raises(DeviceError, match=r"cpu\(0\) runs no kernels"):
        devices.launcher(Device("cpu", 0))
