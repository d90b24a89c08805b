"""Drawing on a GPU: the text of the kernels, and launching them for arrays that live there.

A thread makes the words of one Philox block and draws the eight (float32) or four (float64)
elements that they are for. Every operation is an intrinsic that rounds once, so no compiler can
fuse two; constants are written as bits. The device's own library compiles the text; the tests also
compile it for the host and compare it with NumPy's implementation, which it must equal bit for bit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import cast

import numpy as np

from initlab.engine.arrays import Array
from initlab.engine.device import Device, launcher, runs_kernels
from initlab.engine.streams import elementary, wide
from initlab.engine.streams.distribution import Distribution, Piece
from initlab.engine.streams.key import Key
from initlab.engine.streams.source import Source
from initlab.engine.streams.stream import Stream

THREADS = 256
"""Threads in a block of the grid."""
BLOCKS = 1 << 16
"""Blocks of the grid at most; threads go on to further elements."""
NAMES = {"uniform": "uniform", "normal": "normal", "truncated_normal": "truncated"}


DTYPES = ("float16", "float32", "float64")
"""The dtypes that kernels draw; float16 is drawn as float32 and rounded once. All versions of CuPy
have arrays of these dtypes."""


def draw(
    device: Device, kind: Distribution, key: Key, start: int, count: int, dtype: np.dtype
) -> Array:
    """Return elements start … start + count - 1 of a stream as a raw array of the device, rounded
    once, within the limits of `kind`, where `dtype` is not that of `kind`.
    """
    flat = device.use().empty(count, kind.dtype)
    fill(device, [Piece(kind, key, start, cast(np.ndarray, flat))])
    return kind.rounded(flat, dtype)


def draw_next(
    device: Device,
    source: Source,
    make: Callable[[bool], Distribution],
    shape: tuple[int, ...],
    dtype: np.dtype,
) -> Array | None:
    """Return the next values of a stream as a raw array of `shape` on the device; `make(is_wide)`
    gives the distribution, in float64 or float32.

    None if the host has to draw: the device runs no kernels, the source is not a `Stream`, or the
    dtype is not one of DTYPES.
    """
    if not (runs_kernels(device) and isinstance(source, Stream) and dtype.name in DTYPES):
        return None
    size, is_wide = math.prod(shape), dtype == np.float64
    start = source.take_wide(size) if is_wide else source.take(size)
    return draw(device, make(is_wide), source.key, start, size, dtype).reshape(shape)


def fill(device: Device, pieces: Sequence[Piece]) -> None:
    """Draw all pieces; each `out` is a flat, contiguous array on the device. Errors are those of the
    device's library.
    """
    launch = launcher(device)(source())
    for kind, key, start, out in pieces:
        if not out.size:
            continue
        elements = 4 if kind.wide else 8
        number = np.float64 if kind.wide else np.float32
        _, base, span, *constants = struct.unpack("=3Q4d", kind.packed)
        needed = (start + out.size - 1) // elements - start // elements + 1
        words = [np.uint64(word) for word in (*key.words, start, out.size)]
        arguments = (*words, *(number(c) for c in constants), np.uint64(base), np.uint64(span), out)
        launch(
            f"{NAMES[kind.kind]}{64 if kind.wide else 32}",
            min(-(-needed // THREADS), BLOCKS),
            THREADS,
            arguments,
        )


@cache
def source() -> str:
    """Return the text of all kernels, CUDA C++."""
    return "\n".join(
        [
            HEAD,
            _narrow(),
            _wide(),
            *(_kernel(name, bits) for bits in (32, 64) for name in NAMES.values()),
        ]
    )


def _single(value: float) -> str:
    return f"__uint_as_float(0x{np.float32(value).view(np.uint32):08x}u)"


def _double(value: float) -> str:
    return f"__longlong_as_double(0x{np.float64(value).view(np.uint64):016x}ll)"


def _horner(prefix: str, constants: Sequence[str], x: str) -> str:
    """Return the text of a polynomial in x, the highest power first, with one call for each
    operation.
    """
    total = constants[0]
    for constant in constants[1:]:
        total = f"__{prefix}add_rn(__{prefix}mul_rn({total}, {x}), {constant})"
    return total


HEAD = """
typedef unsigned int u32;
typedef unsigned long long u64;

__device__ void philox(u64 k0, u64 k1, u64 block, u64 *w)
{
    u64 c0 = block + 1, c1 = 0, c2 = 0, c3 = 0;
    for (int round = 0; round < 10; round++) {
        u64 upper0 = __umul64hi(0xD2E7470EE14C6C93ull, c0), lower0 = 0xD2E7470EE14C6C93ull * c0;
        u64 upper1 = __umul64hi(0xCA5A826395121157ull, c2), lower1 = 0xCA5A826395121157ull * c2;
        c0 = upper1 ^ c1 ^ k0; c1 = lower1; c2 = upper0 ^ c3 ^ k1; c3 = lower0;
        k0 += 0x9E3779B97F4A7C15ull; k1 += 0xBB67AE8584CAA73Bull;
    }
    w[0] = c0; w[1] = c1; w[2] = c2; w[3] = c3;
}

__device__ float scaled32(float z, float std, float mean)
{
    float product = __fmul_rn(z, std);
    return mean != 0.0f ? __fadd_rn(product, mean) : product;
}

__device__ double scaled64(double z, double std, double mean)
{
    double product = __dmul_rn(z, std);
    return mean != 0.0 ? __dadd_rn(product, mean) : product;
}
"""


def _narrow() -> str:
    """Return the text of the transforms of `transforms`; a block gives eight float32."""
    log = _horner(
        "f",
        [_single(c) for c in (-0.8259274363517761, -1.3330445289611816, -4.000000476837158)],
        "q",
    )
    top = _horner(
        "f",
        [
            _single(c)
            for c in (1.0026906728744507, 2.793407678604126, 3.3665943145751953, 3.2119736671447754)
        ],
        "r",
    )
    bottom = ("2.899179697036743", "5.747257232666016", "5.371740818023682", "5.125574111938477")
    first, *rest = (_single(float(c)) for c in bottom)
    under = _horner("f", [f"__fadd_rn(r, {first})", *rest], "r")
    return f"""
__device__ float minus_two_log(float f)
{{
    u32 bits = __float_as_uint(f), exponent = (bits - 0x4F3504F3u) & 0xFF800000u;
    float m = __uint_as_float(bits - exponent), two32 = {_single(2.0**32)};
    float s = __fdiv_rn(__fsub_rn(m, two32), __fadd_rn(m, two32)), q = __fmul_rn(s, s);
    float p = __fmul_rn({log}, s);
    return __fadd_rn(__fmul_rn(__int2float_rn((int)exponent), {_single(-1.6525916635146132e-07)}), p);
}}

__device__ void draw_uniform32(const u64 *w, float *v, float width, float low, float largest, float, u64, u64)
{{
    for (int i = 0; i < 8; i++) {{
        u32 word = (u32)(w[i / 2] >> (32 * (i % 2)));
        float u = __fmul_rn(__uint2float_rn(word >> 8), {_single(2.0**-24)});
        float value = __fadd_rn(__fmul_rn(u, width), low);
        v[i] = value < largest ? value : largest;
    }}
}}

__device__ void draw_normal32(const u64 *w, float *v, float std, float mean, float, float, u64, u64)
{{
    for (int i = 0; i < 4; i++) {{
        u32 low = (u32)w[i], high = (u32)(w[i] >> 32);
        float r = __fsqrt_rn(minus_two_log(__uint2float_rn(low | 1u)));
        r = __uint_as_float(__float_as_uint(r) ^ (high << 31));
        float x = __fmul_rn(__int2float_rn((int)high), {_single(2.0**-31)}), y = __fmul_rn(x, x);
        float q = __fadd_rn(__fmul_rn(__fadd_rn(y, {_single(-71.6337890625)}), y),
                            {_single(270.61944580078125)});
        float p = __fmul_rn(__fadd_rn(__fmul_rn(y, {_single(-12.55836296081543)}),
                                      {_single(212.5440216064453)}), x);
        float t = __fdiv_rn(p, q);
        float h = __fmul_rn(__fdiv_rn(r, __fadd_rn(__fmul_rn(t, t), 1.0f)), t), z1 = __fadd_rn(h, h);
        v[2 * i] = scaled32(__fsub_rn(r, __fmul_rn(z1, t)), std, mean);
        v[2 * i + 1] = scaled32(z1, std, mean);
    }}
}}

__device__ void draw_truncated32(const u64 *w, float *v, float std, float mean, float low, float high,
                                 u64 base, u64 span)
{{
    for (int i = 0; i < 8; i++) {{
        u64 word = (u32)(w[i / 2] >> (32 * (i % 2)));
        u32 s = (u32)((word * span >> 32) + base), flip = 0u - (s >> 31);
        float r2 = minus_two_log(__uint2float_rn(~((s ^ flip) << 1))), r = __fsqrt_rn(r2);
        float z = __fdiv_rn(__fmul_rn({top}, r2), {under});
        z = __uint_as_float(__float_as_uint(z) ^ (flip & 0x80000000u));
        z = z > low ? z : low;
        z = z < high ? z : high;
        v[i] = scaled32(z, std, mean);
    }}
}}"""


def _wide() -> str:
    """Return the text of the transforms of `wide`; a block gives four float64."""
    series = _horner("d", [_double(c) for c in elementary.LOG_TERMS[::-1]], "q")
    sine = _horner("d", [_double(c) for c in wide.SIN_TERMS[::-1]], "square")
    cosine = _horner("d", [_double(c) for c in wide.COS_TERMS[::-1]], "square")
    ratios = [
        f"__ddiv_rn({_horner('d', [_double(c) for c in top], 'x')}, "
        f"{_horner('d', [_double(c) for c in under], 'x')})"
        for top, under in (wide.CENTRAL, wide.MIDDLE, wide.FAR)
    ]
    return f"""
__device__ double natural_log(double x)
{{
    u64 bits = (u64)__double_as_longlong(x);
    u64 exponent = (bits - 0x3FE6A09E667F3BCDull) & 0xFFF0000000000000ull;
    double m = __longlong_as_double((long long)(bits - exponent));
    double e = __ll2double_rn((long long)exponent >> 52);
    double s = __ddiv_rn(__dsub_rn(m, 1.0), __dadd_rn(m, 1.0)), q = __dmul_rn(s, s);
    double rest = __dadd_rn(__dmul_rn(e, {_double(elementary.LN2_LOW)}), __dmul_rn(s, {series}));
    return __dadd_rn(__dmul_rn(e, {_double(elementary.LN2_HIGH)}), rest);
}}

__device__ void draw_uniform64(const u64 *w, double *v, double width, double low, double largest, double,
                               u64, u64)
{{
    for (int i = 0; i < 4; i++) {{
        double u = __dmul_rn(__ull2double_rn(w[i] >> 11), {_double(2.0**-53)});
        double value = __dadd_rn(__dmul_rn(u, width), low);
        v[i] = value < largest ? value : largest;
    }}
}}

__device__ void draw_normal64(const u64 *w, double *v, double std, double mean, double, double, u64, u64)
{{
    for (int i = 0; i < 4; i += 2) {{
        u64 low = w[i], high = w[i + 1];
        double u = __dmul_rn(__ull2double_rn((low >> 11) | 1ull), {_double(2.0**-53)});
        double r = __dsqrt_rn(__dmul_rn(-2.0, natural_log(u)));
        long long steps = (long long)((high >> 9) & 0x1FFFFFFFFFFFFFull) - 0x10000000000000ll;
        double angle = __dmul_rn(__dmul_rn(__ll2double_rn(steps), {_double(2.0**-53)}),
                                 {_double(wide.HALF_PI)});
        double square = __dmul_rn(angle, angle);
        double s = __dmul_rn(angle, {sine}), c = {cosine};
        bool odd = (high >> 62) & 1ull, back = (high >> 63) != 0;
        double x = odd ? -s : c, y = odd ? c : s;
        v[i] = scaled64(__dmul_rn(r, back ? -x : x), std, mean);
        v[i + 1] = scaled64(__dmul_rn(r, back ? -y : y), std, mean);
    }}
}}

__device__ double small_part(u64 c)
{{
    double upper = __ull2double_rn(c >> 32), lower = __ull2double_rn(c & 0xFFFFFFFFull);
    return __dmul_rn(__dadd_rn(__dmul_rn(upper, {_double(2.0**32)}), lower), {_double(2.0**-65)});
}}

__device__ void draw_truncated64(const u64 *w, double *v, double std, double mean, double low,
                                 double high, u64 base, u64 span)
{{
    for (int i = 0; i < 4; i++) {{
        u64 s = (span != 0 ? __umul64hi(w[i], span) : w[i]) + base;
        bool negative = (s >> 63) != 0;
        u64 doubled = (negative ? ~s : s) << 1;
        double q = small_part(doubled | 1ull), r = __dsqrt_rn(-natural_log(small_part(~doubled))), x, z;
        if (q <= 0.425) {{
            x = __dsub_rn(0.180625, __dmul_rn(q, q));
            z = __dmul_rn(q, {ratios[0]});
        }} else if (r <= 5.0) {{
            x = __dsub_rn(r, 1.6);
            z = {ratios[1]};
        }} else {{
            x = __dsub_rn(r, 5.0);
            z = {ratios[2]};
        }}
        z = negative ? -z : z;
        z = z > low ? z : low;
        z = z < high ? z : high;
        v[i] = scaled64(z, std, mean);
    }}
}}"""


def _kernel(name: str, bits: int) -> str:
    """Return the text of the kernel of one transform. Each thread takes one block of words after
    the other and writes only the elements that were asked for: 16 bytes at a time where all of the
    block was asked for and lies at such an address, else one by one.
    """
    number, elements, lanes = ("float", 8, 4) if bits == 32 else ("double", 4, 2)
    constants = ", ".join(f"{number} c{i}" for i in range(4))
    stores = "\n".join(
        f"            *({number}{lanes} *)(out + at + {i}) = "
        f"make_{number}{lanes}({', '.join(f'v[{i + lane}]' for lane in range(lanes))});"
        for i in range(0, elements, lanes)
    )
    return f"""
extern "C" __global__ void {name}{bits}(u64 k0, u64 k1, u64 start, u64 count, {constants},
                                            u64 base, u64 span, {number} *out)
{{
    u64 first = start / {elements}, last = (start + count - 1) / {elements};
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 block = first + (u64)blockIdx.x * blockDim.x + threadIdx.x; block <= last; block += step) {{
        u64 w[4];
        {number} v[{elements}];
        philox(k0, k1, block, w);
        draw_{name}{bits}(w, v, c0, c1, c2, c3, base, span);
        u64 at = block * {elements} - start;
        bool whole = block * {elements} >= start && at + {elements} <= count;
        if (whole && ((u64)(out + at) & 15) == 0) {{
{stores}
        }} else {{
            for (int i = 0; i < {elements}; i++) {{
                u64 element = block * {elements} + i;
                if (element >= start && element - start < count)
                    out[element - start] = v[i];
            }}
        }}
    }}
}}"""
