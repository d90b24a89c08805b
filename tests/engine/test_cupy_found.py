"""What is said where CuPy is missing, broken, or too old, shown by stand-ins for its package."""

from __future__ import annotations

import sys

import pytest

from initlab.engine import device


@pytest.fixture
def package(tmp_path, monkeypatch):
    """`package(text)` is a module named cupy with that text."""

    def make(text: str) -> None:
        (tmp_path / "cupy.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "cupy", raising=False)

    yield make
    sys.modules.pop("cupy", None)


def test_a_package_that_is_missing_is_told_from_one_that_is_broken(package):
    package("raise ImportError('libcublas.so.12:\\n cannot open shared object file')")
    assert device.gpu_problem(0) == (
        "CuPy is installed but cannot be loaded (libcublas.so.12: cannot open shared object file) - install the one for this machine's "
        "CUDA, or use the cpu"
    )
    assert device.num_gpus() == 0


def test_a_package_that_lacks_another_says_which(package):
    package("import fastrlocked")
    assert (
        device.gpu_problem(0)
        == "CuPy lacks the module fastrlocked - install the extra gpu-cuda12 or gpu-cuda13 again, or use the cpu"
    )


def test_no_package_at_all_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert (
        device.gpu_problem(0)
        == "CuPy is not installed - install the extra gpu-cuda12 or gpu-cuda13, or use the cpu"
    )


@pytest.mark.parametrize(
    ("version", "problem"),
    [("13.6.0", "CuPy 13.6.0 has no bfloat16 - install CuPy 14 or later"), ("14.2.0", None)],
)
def test_bfloat16_needs_cupy_14(version, problem, package):
    package(f"__version__ = '{version}'")
    found = device.dtype_problem(device.gpu(0), "bfloat16")
    assert found is None if problem is None else problem in found
    assert device.dtype_problem(device.gpu(0), "float16") is None
    assert device.dtype_problem(device.cpu(), "bfloat16") is None


def test_a_lack_of_memory_is_told_by_class_or_by_cudas_words():
    assert device.is_shortage(MemoryError("x"))
    assert not device.is_shortage(RuntimeError("cudaErrorMemoryAllocation"))  # somebody else's
