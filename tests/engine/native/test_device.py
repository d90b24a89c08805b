"""The text of the GPU's kernels is whole, and NVIDIA's compiler fuses nothing in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from initlab.engine import device as devices
from initlab.engine import native

KERNELS = 10
PLAIN = "".join(
    f"#define __{kind}{name}_rn(a, b) ((a) {sign} (b))\n"
    for kind in "fd"
    for name, sign in (("mul", "*"), ("add", "+"))
)
"""In front of the kernels' text, leaves it to the compiler what to fuse."""
IMPRECISE = r"fma|\.ftz|\.approx"


def test_the_text_holds_every_file_that_it_names():
    text = native.device_text()
    assert "#include" not in text
    for name in ("transforms.h", "drawing.cu", "statistics.cu", "block.h"):
        assert native.device_text(name) in text


@pytest.mark.parametrize(("name", "least"), [("transforms.h", 50), ("block.h", 10)])
def test_every_floating_point_operation_is_a_call(name, least):
    body = native.device_text(name)
    assert not re.search(r"\b(sqrt|log|exp|sin|cos|fma|pow)f?\s*\(", body)
    begins = r"\s*(float|floats|double|number)\b.*=|\s*total|\s*\*?\w+(\[i\])? = [dls]\w+\("
    lines = [line for line in body.splitlines() if re.match(begins, line)]
    assert len(lines) >= least
    for line in lines:
        assert not re.search(r"[\w)]\s[*+/]\s[\w(]", line.replace("[i + half]", "")), line


def by_nvcc(text: str, folder: Path) -> str:
    """PTX; skips the test where nvcc cannot make it."""
    if shutil.which("nvcc") is None:
        pytest.skip("there is no nvcc here")
    (folder / "kernels.cu").write_text(text)
    words = [
        "nvcc",
        "-ptx",
        "-arch=sm_80",
        "-o",
        str(folder / "kernels.ptx"),
        str(folder / "kernels.cu"),
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this nvcc does not compile for sm_80: {done.stderr.splitlines()[:1]}")
    return (folder / "kernels.ptx").read_text()


def by_cupy(text: str, architecture: int, *options: str) -> str:
    """PTX; skips the test where CuPy or NVRTC is not installed."""
    pytest.importorskip(
        "cupy", reason="CuPy is not installed, so its compiler cannot be asked; no GPU is needed"
    )
    from cupy.cuda import compiler

    try:
        program = compiler._NVRTCProgram(text, "kernels.cu")
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"CuPy finds no NVRTC here: {str(error).splitlines()[0]}")
    return program.compile((*options, f"-arch=compute_{architecture}"))[0].decode()


def check(ptx: str) -> None:
    """All kernels are there, every operation rounds once, and what threads share is counted by one
    after the other.
    """
    assert ptx.count(".entry") == KERNELS
    assert "mul.rn.f32" in ptx and "mul.rn.f64" in ptx and not re.search(IMPRECISE, ptx)
    assert re.search(r"(atom|red)\.shared\.add\.u32", ptx)
    assert re.search(r"(atom|red)\.global\.add\.u64", ptx)


def test_nvidias_compiler_fuses_nothing(tmp_path):
    check(by_nvcc(native.device_text(), tmp_path))


def test_nvidias_compiler_would_fuse_plain_operations(tmp_path):
    ptx = by_nvcc(PLAIN + native.device_text(), tmp_path)
    assert "fma.rn.f32" in ptx and "fma.rn.f64" in ptx


@pytest.mark.parametrize("architecture", [60, 75, 80, 90])
def test_cupys_compiler_fuses_nothing(architecture):
    check(by_cupy(native.device_text(), architecture, *devices.KERNEL_OPTIONS))


@pytest.mark.parametrize("name", ["drawing.cu", "statistics.cu"])
def test_cupys_compiler_would_fuse_plain_operations_without_our_options(name):
    text = PLAIN + native.device_text().replace(native.device_text(name), "")
    assert "fma.rn.f64" in by_cupy(text, 80)
    assert "fma" not in by_cupy(text, 80, *devices.KERNEL_OPTIONS)
