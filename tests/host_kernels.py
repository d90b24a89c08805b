"""The CUDA kernels compiled for the host: the unchanged text, with intrinsics as plain operations
and threads as a loop, or one after the other from barrier to barrier.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import host_threads
import numpy as np

SHIM = """
#include <cmath>
#include <cstring>
struct Dim { unsigned x; };
static thread_local Dim blockIdx, threadIdx, gridDim, blockDim;
#define __global__
#define __device__ static
template <class To, class From> static inline To cast(From x) { To y; std::memcpy(&y, &x, sizeof y); return y; }
static inline float __uint_as_float(unsigned x) { return cast<float>(x); }
static inline unsigned __float_as_uint(float x) { return cast<unsigned>(x); }
static inline double __longlong_as_double(long long x) { return cast<double>(x); }
static inline long long __double_as_longlong(double x) { return cast<long long>(x); }
static inline double __uint2double_rn(unsigned x) { return (double)x; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return std::sqrt(a); }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dsub_rn(double a, double b) { return a - b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }
static inline double __dsqrt_rn(double a) { return std::sqrt(a); }
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) double2 { double x, y; };
static inline float4 make_float4(float x, float y, float z, float w) { float4 v = {x, y, z, w}; return v; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { uint4 v = {x, y, z, w}; return v; }
static inline double2 make_double2(double x, double y) { double2 v = {x, y}; return v; }
"""
GRID = """
extern "C" void run_draw_{name}{bits}(unsigned blocks, unsigned threads, u64 k0, u64 k1, u64 start, u64 count,
                                 {t} c0, {t} c1, {t} c2, {t} c3, u64 base, u64 span{more}, void *out)
{{
    gridDim.x = blocks; blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++)
            draw_{name}{bits}(k0, k1, start, count, c0, c1, c2, c3, base, span{passed}, out);
}}
"""
PARAMETERS = {
    32: {"t": "float", "more": ", u64 type, float low, float high", "passed": ", type, low, high"},
    64: {"t": "double", "more": "", "passed": ""},
}
ROUNDED_ONCE = ("-ffp-contract=off",)
FUSED = ("-ffp-contract=fast", "-mfma")


def compiler() -> str | None:
    """Return a C++ compiler of this machine."""
    return shutil.which("g++") or shutil.which("clang++")


@functools.cache
def compiled(text: str, flags: tuple[str, ...] = ROUNDED_ONCE) -> ctypes.CDLL:
    """Return the kernels as a shared library."""
    found = compiler()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    source, library = (
        folder / "kernels.cpp",
        folder / f"{hashlib.sha256(text.encode()).hexdigest()[:8]}.so",
    )
    names = [(name, bits) for name in ("uniform", "normal", "truncated") for bits in (32, 64)]
    grids = [GRID.format(name=name, bits=bits, **PARAMETERS[bits]) for name, bits in names]
    drawing = "".join(grids) if "draw_##name" in text else ""
    source.write_text(SHIM + host_threads.BARRIERS + text + drawing + host_threads.grids())
    words = [
        found,
        "-O2",
        "-fno-strict-aliasing",
        "-U_FORTIFY_SOURCE",  # which refuses jumps between stacks
        "-shared",
        "-fPIC",
        *flags,
        str(source),
        "-o",
        str(library),
    ]
    subprocess.run(words, check=True, capture_output=True)
    return ctypes.CDLL(str(library))


def launching(
    text: str,
    flags: tuple[str, ...] = ROUNDED_ONCE,
    said: list[str] | None = None,
    descending: bool = False,
) -> Callable[..., None]:
    """Return a function that launches the kernels of a text on the host and notes each launch in
    `said`. Between barriers, threads run in the order of their numbers, ascending or `descending`.
    """
    library = compiled(text, flags)

    def launch(name: str, blocks: int, threads: int, arguments: Sequence[Any]) -> None:
        if said is not None:
            said.append(name)
        if name.startswith("measure"):
            measure(library, name, blocks, threads, descending, arguments)
            return
        number = ctypes.c_float if name.endswith("32") else ctypes.c_double
        words, constants, packed, rest, out = (
            arguments[:4],
            arguments[4:8],
            arguments[8:10],
            arguments[10:-1],
            arguments[-1],
        )
        wanted = {0: "float32", 1: "float16", 2: "bfloat16"}[int(rest[0])] if rest else "float64"
        assert out.flags.c_contiguous and out.dtype.name == wanted
        converted = [
            *(ctypes.c_uint64(int(word)) for word in words),
            *(number(float(c)) for c in constants),
            *(ctypes.c_uint64(int(word)) for word in (*packed, *rest[:1])),
            *(ctypes.c_float(float(bound)) for bound in rest[1:]),
            ctypes.c_void_p(out.ctypes.data),
        ]
        getattr(library, f"run_{name}")(ctypes.c_uint(blocks), ctypes.c_uint(threads), *converted)

    return launch


def measure(
    library: ctypes.CDLL,
    name: str,
    blocks: int,
    threads: int,
    descending: bool,
    arguments: Sequence[Any],
) -> None:
    """Launch a kernel that measures."""
    values, count, out = arguments
    assert values.flags.c_contiguous and name == f"measure_{values.dtype.name}"
    assert out.flags.c_contiguous and out.dtype == np.int64 and count == values.size
    met = getattr(library, f"run_{name}")(
        *(ctypes.c_uint(blocks), ctypes.c_uint(threads), ctypes.c_int(descending)),
        *(ctypes.c_void_p(values.ctypes.data), ctypes.c_uint64(int(count))),
        ctypes.c_void_p(out.ctypes.data),
    )
    assert met, f"{name}: a barrier was not reached by all threads"
