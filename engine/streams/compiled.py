"""Drawing by numba: words, transform and scale in one compiled function over all pieces, with the
reference's bits.

The formulas are those of `transforms` and `wide`, in the same order. LLVM neither reorders nor
fuses floating-point operations unless `fastmath` allows it, which is never given here. A piece is
drawn in chunks whose words fit the first cache, so that the transform is a loop of its own, which
LLVM makes SIMD instructions of.

Scalars are cast by intrinsics: numba promotes 32-bit integers to 64 bits, hence the many
`u32(...)`.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.errors import NumbaError
from numba.extending import intrinsic as _intrinsic
from numba.np.numpy_support import carray

from initlab.engine.streams import distribution, elementary, reference, wide
from initlab.engine.streams.distribution import Piece

CHUNK = 128
"""Philox blocks whose words are generated before they are transformed: 4 KiB of words."""
u32, u64, i64, f32, f64 = np.uint32, np.uint64, np.int64, np.float32, np.float64
intrinsic: Callable[[Callable[..., object]], Callable[..., Any]] = _intrinsic
array_at: Callable[..., np.ndarray] = carray
HEAD = struct.Struct("=5Q")
ROW = 12
"""8-byte numbers of each piece: two words of key, start, size, address; `Distribution.packed`."""


def _jit(function: Any) -> Any:
    return njit(function, nogil=True, error_model="numpy")


# --- what numba lacks


def _bit_cast(source: Any, target: Any) -> Any:
    """Return the same bits as another type."""

    @intrinsic
    def cast(context: Any, x: Any) -> Any:
        return target(source), lambda context, builder, signature, arguments: builder.bitcast(
            arguments[0], context.get_value_type(target)
        )

    return cast


_bits = _bit_cast(types.float32, types.uint32)
_float = _bit_cast(types.uint32, types.float32)
_signed = _bit_cast(types.uint32, types.int32)
_bits64 = _bit_cast(types.float64, types.uint64)
_float64 = _bit_cast(types.uint64, types.float64)
_signed64 = _bit_cast(types.uint64, types.int64)


@intrinsic
def _product(context: Any, a: Any, b: Any) -> Any:
    """(upper, lower) half of a product of 64-bit numbers: one instruction."""
    pair: Any = types.UniTuple(types.uint64, 2)  # type: ignore[no-untyped-call]
    signature = pair(types.uint64, types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double, single = ir.IntType(128), ir.IntType(64)
        product = builder.mul(*(builder.zext(argument, double) for argument in arguments))
        upper = builder.trunc(builder.lshr(product, ir.Constant(double, 64)), single)
        return context.make_tuple(
            builder, signature.return_type, (upper, builder.trunc(product, single))
        )

    return signature, generate


@intrinsic
def _pointer(context: Any, address: Any, like: Any) -> Any:
    """Return an address as a pointer to elements of the type of `like`."""
    target: Any = types.CPointer(like)  # type: ignore[no-untyped-call]
    return target(
        types.uint64, like
    ), lambda context, builder, signature, arguments: builder.inttoptr(
        arguments[0], context.get_value_type(target)
    )


def _horner(number: Any, coefficients: tuple[float, ...]) -> Any:
    """Return a function for a polynomial by Horner's rule, the highest power first; each product
    and sum is rounded.
    """

    @intrinsic
    def polynomial(context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = context.get_value_type(number)
            total = ir.Constant(kind, float(coefficients[0]))
            for c in coefficients[1:]:
                total = builder.fadd(builder.fmul(total, arguments[0]), ir.Constant(kind, float(c)))
            return total

        return number(number), generate

    return polynomial


def _chosen_horner(*choices: tuple[float, ...]) -> Any:
    """Return a function for three polynomials of the same degree: the first for choice 0, and so
    on. Their coefficients are chosen, not their values.
    """

    @intrinsic
    def polynomial(context: Any, x: Any, choice: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            x, choice = arguments
            kind, number = ir.DoubleType(), ir.IntType(64)
            is_first = builder.icmp_unsigned("==", choice, ir.Constant(number, 0))
            is_second = builder.icmp_unsigned("==", choice, ir.Constant(number, 1))
            total = None
            for first, second, third in zip(*choices, strict=True):
                rest = builder.select(
                    is_second, ir.Constant(kind, second), ir.Constant(kind, third)
                )
                c = builder.select(is_first, ir.Constant(kind, first), rest)
                total = c if total is None else builder.fadd(builder.fmul(total, x), c)
            return total

        return types.float64(types.float64, types.uint64), generate

    return polynomial


_truncated_top = _horner(
    types.float32, (1.0026906728744507, 2.793407678604126, 3.3665943145751953, 3.2119736671447754)
)
_truncated_bottom = _horner(
    types.float32, (1.0, 2.899179697036743, 5.747257232666016, 5.371740818023682, 5.125574111938477)
)
_log_series = _horner(types.float64, elementary.LOG_TERMS[::-1])
_sine_series = _horner(types.float64, wide.SIN_TERMS[::-1])
_cosine_series = _horner(types.float64, wide.COS_TERMS[::-1])
_tail_top = _chosen_horner(wide.CENTRAL[0], wide.MIDDLE[0], wide.FAR[0])
_tail_bottom = _chosen_horner(wide.CENTRAL[1], wide.MIDDLE[1], wide.FAR[1])
LN2_HIGH, LN2_LOW, HALF_PI = elementary.LN2_HIGH, elementary.LN2_LOW, wide.HALF_PI


# --- words


@_jit
def _words(k0: np.uint64, k1: np.uint64, first: np.uint64, blocks: int, w: np.ndarray) -> None:
    """Philox4x64-10 blocks first … first + blocks - 1 (Salmon et al. 2011), whose counters are one
    higher, into `w`.
    """
    for i in range(blocks):
        c0, c1, c2, c3 = u64(first + u64(i) + u64(1)), u64(0), u64(0), u64(0)
        a, b = k0, k1
        for _ in range(10):
            upper0, lower0 = _product(u64(0xD2E7470EE14C6C93), c0)
            upper1, lower1 = _product(u64(0xCA5A826395121157), c2)
            c0, c1, c2, c3 = upper1 ^ c1 ^ a, lower1, upper0 ^ c3 ^ b, lower0
            a += u64(0x9E3779B97F4A7C15)
            b += u64(0xBB67AE8584CAA73B)
        w[4 * i], w[4 * i + 1], w[4 * i + 2], w[4 * i + 3] = c0, c1, c2, c3


# --- float32


@_jit
def _minus_two_log(f: float) -> Any:
    bits = _bits(f)
    exponent = u32(u32(bits - u32(0x4F3504F3)) & u32(0xFF800000))
    m = _float(u32(bits - exponent))
    s = (m - f32(2.0**32)) / (m + f32(2.0**32))
    q = s * s
    p = (
        (q * f32(-0.8259274363517761) + f32(-1.3330445289611816)) * q + f32(-4.000000476837158)
    ) * s
    return f32(_signed(exponent)) * f32(-1.6525916635146132e-07) + p


@_jit
def _scaled(z: float, std: float, mean: float) -> float:
    scaled = z * std
    return scaled + mean if mean != 0 else scaled


@_jit
def _uniform32(
    w: np.ndarray, count: int, out: np.ndarray, width: float, low: float, largest: float
) -> None:
    for j in range(count):
        for half in range(2):
            word = u32(w[j] >> u64(32 * half))
            value = f32(word >> u32(8)) * f32(2.0**-24) * width + low
            out[2 * j + half] = value if value < largest else largest


@_jit
def _normal32(w: np.ndarray, count: int, out: np.ndarray, std: float, mean: float) -> None:
    for j in range(count):
        low, high = u32(w[j]), u32(w[j] >> u64(32))
        r = np.sqrt(_minus_two_log(f32(u32(low | u32(1)))))
        r = _float(u32(_bits(r) ^ u32(high << u32(31))))
        x = f32(_signed(high)) * f32(2.0**-31)
        y = x * x
        q = (y + f32(-71.6337890625)) * y + f32(270.61944580078125)
        t = (y * f32(-12.55836296081543) + f32(212.5440216064453)) * x / q
        g = r / (t * t + f32(1))
        h = g * t
        z1 = h + h
        out[2 * j], out[2 * j + 1] = _scaled(r - z1 * t, std, mean), _scaled(z1, std, mean)


@_jit
def _truncated32(
    w: np.ndarray,
    count: int,
    out: np.ndarray,
    std: float,
    mean: float,
    low: float,
    high: float,
    base: np.uint64,
    span: np.uint64,
) -> None:
    for j in range(count):
        for half in range(2):
            word = u64(u32(w[j] >> u64(32 * half)))
            s = u32((word * span >> u64(32)) + base)
            flip = u32(0) - u32(s >> u32(31))
            r2 = _minus_two_log(f32(u32(~u32(u32(s ^ flip) << u32(1)))))
            r = np.sqrt(r2)
            z = _truncated_top(r) * r2 / _truncated_bottom(r)
            z = _float(u32(_bits(z) ^ u32(flip & u32(0x80000000))))
            z = z if z > low else low
            z = z if z < high else high
            out[2 * j + half] = _scaled(z, std, mean)


# --- float64


@_jit
def _log(x: float) -> Any:
    bits = _bits64(x)
    exponent = (bits - u64(0x3FE6A09E667F3BCD)) & u64(0xFFF0000000000000)
    m = _float64(bits - exponent)
    e = f64(_signed64(exponent) >> i64(52))
    s = (m - 1.0) / (m + 1.0)
    return e * LN2_HIGH + (e * LN2_LOW + s * _log_series(s * s))


@_jit
def _uniform64(
    w: np.ndarray, count: int, out: np.ndarray, width: float, low: float, largest: float
) -> None:
    for j in range(count):
        value = f64(w[j] >> u64(11)) * 2.0**-53 * width + low
        out[j] = value if value < largest else largest


@_jit
def _normal64(w: np.ndarray, count: int, out: np.ndarray, std: float, mean: float) -> None:
    for j in range(count // 2):
        low, high = w[2 * j], w[2 * j + 1]
        r = np.sqrt(-2.0 * _log(f64((low >> u64(11)) | u64(1)) * 2.0**-53))
        steps = _signed64((high >> u64(9)) & u64(2**53 - 1)) - i64(2**52)
        angle = f64(steps) * 2.0**-53 * HALF_PI
        square = angle * angle
        sine, cosine = angle * _sine_series(square), _cosine_series(square)
        odd, back = (high >> u64(62)) & u64(1) != 0, (high >> u64(63)) != 0
        x, y = (-sine, cosine) if odd else (cosine, sine)
        x, y = (-x, -y) if back else (x, y)
        out[2 * j], out[2 * j + 1] = _scaled(r * x, std, mean), _scaled(r * y, std, mean)


@_jit
def _small(c: np.uint64) -> float:
    """c 2^-65: the sum of two exact halves, rounded once."""
    return (f64(c >> u64(32)) * 2.0**32 + f64(c & u64(2**32 - 1))) * 2.0**-65


@_jit
def _truncated64(
    w: np.ndarray,
    count: int,
    out: np.ndarray,
    std: float,
    mean: float,
    low: float,
    high: float,
    base: np.uint64,
    span: np.uint64,
) -> None:
    for j in range(count):
        upper, _ = _product(w[j], span)
        s = (upper if span != 0 else w[j]) + base
        negative = _signed64(s) < 0
        doubled = (~s if negative else s) << u64(1)
        q, tail = _small(doubled | u64(1)), _small(~doubled)
        r = np.sqrt(-_log(tail))
        choice = u64(0) if q <= 0.425 else (u64(1) if r <= 5.0 else u64(2))
        x = 0.180625 - q * q if q <= 0.425 else (r - 1.6 if r <= 5.0 else r - 5.0)
        ratio = _tail_top(x, choice) / _tail_bottom(x, choice)
        z = q * ratio if q <= 0.425 else ratio
        z = -z if negative else z
        z = z if z > low else low
        z = z if z < high else high
        out[j] = _scaled(z, std, mean)


# --- pieces


@_jit
def _transform32(
    kind: int,
    w: np.ndarray,
    count: int,
    out: np.ndarray,
    c: np.ndarray,
    base: np.uint64,
    span: np.uint64,
) -> None:
    if kind == 0:
        _uniform32(w, count, out, f32(c[0]), f32(c[1]), f32(c[2]))
    elif kind == 1:
        _normal32(w, count, out, f32(c[0]), f32(c[1]))
    else:
        _truncated32(w, count, out, f32(c[0]), f32(c[1]), f32(c[2]), f32(c[3]), base, span)


@_jit
def _transform64(
    kind: int,
    w: np.ndarray,
    count: int,
    out: np.ndarray,
    c: np.ndarray,
    base: np.uint64,
    span: np.uint64,
) -> None:
    if kind == 0:
        _uniform64(w, count, out, c[0], c[1], c[2])
    elif kind == 1:
        _normal64(w, count, out, c[0], c[1])
    else:
        _truncated64(w, count, out, c[0], c[1], c[2], c[3], base, span)


def _chunked(transform: Any, elements: int) -> Any:
    """Return a function that draws a piece with `transform`. One block of words makes `elements`
    elements.

    Chunks begin at a block's first element. Those that begin before the piece or end in the middle
    of a block go through `part`.
    """

    @_jit
    def draw(kind, k0, k1, start, out, c, base, span, w, part):  # type: ignore[no-untyped-def]
        size = out.size
        skipped = i64(start % u64(elements))
        block = start // u64(elements)
        at = 0
        while at < size:
            blocks = min(i64(CHUNK), (skipped + size - at + elements - 1) // elements)
            count = min(blocks * elements - skipped, size - at)
            _words(k0, k1, block, blocks, w)
            if count == blocks * elements:
                transform(kind, w, 4 * blocks, out[at : at + count], c, base, span)
            else:
                transform(kind, w, 4 * blocks, part, c, base, span)
                out[at : at + count] = part[skipped : skipped + count]
            at += count
            block += u64(blocks)
            skipped = 0

    return draw


_draw32 = _chunked(_transform32, 8)
_draw64 = _chunked(_transform64, 4)


def _fill_rows(rows: np.ndarray, constants: np.ndarray) -> None:
    """Draw a piece a row: `rows` as uint64, `constants` the same memory as float64."""
    w = np.empty(4 * CHUNK, np.uint64)
    part32, part64 = np.empty(8 * CHUNK, np.float32), np.empty(4 * CHUNK, np.float64)
    for i in range(rows.shape[0]):
        k0, k1, start, size, address = (
            rows[i, 0],
            rows[i, 1],
            rows[i, 2],
            i64(rows[i, 3]),
            rows[i, 4],
        )
        kind, base, span, c = rows[i, 5], rows[i, 6], rows[i, 7], constants[i, 8:]
        if kind < u64(3):
            _draw32(
                kind,
                k0,
                k1,
                start,
                array_at(_pointer(address, f32(0)), size, f32),
                c,
                base,
                span,
                w,
                part32,
            )
        else:
            _draw64(
                kind - u64(3),
                k0,
                k1,
                start,
                array_at(_pointer(address, f64(0)), size, f64),
                c,
                base,
                span,
                w,
                part64,
            )


def _kept_on_disk(function: Callable[..., None]) -> Any:
    """Compile the function: once for the machine if numba finds a folder that it can write to, else
    once for each process.

    Its name is a digest of all that went into the code. numba itself looks at the time and size of
    this file only, and wheels of two versions may have both in common.
    """
    try:
        sources = [
            Path(str(module)).read_bytes()
            for module in (__file__, elementary.__file__, wide.__file__, distribution.__file__)
        ]
        function.__qualname__ += "_" + hashlib.sha256(b"\0".join(sources)).hexdigest()[:12]
        return njit(function, nogil=True, error_model="numpy", cache=True)
    except (OSError, RuntimeError):  # no sources, no such folder
        return _jit(function)


_fill = _kept_on_disk(_fill_rows)


def fill(pieces: Sequence[Piece]) -> None:
    """Draw all pieces, in this thread, which gives up the interpreter's lock meanwhile."""
    packed = []
    for piece in pieces:
        kind, key, start, out = piece
        size = out.size
        if not size:
            continue
        try:
            address = ctypes.addressof(ctypes.c_char.from_buffer(out))  # type: ignore[arg-type]
        except TypeError:  # not contiguous
            reference.fill([piece])
            continue
        k0, k1 = key.words
        packed.append(HEAD.pack(k0, k1, start, size, address) + kind.packed)
    rows = np.frombuffer(b"".join(packed), np.uint64).reshape(-1, ROW)
    _fill(rows, rows.view(np.float64))


def is_loaded() -> bool:
    """Return whether the compiled code is in memory, so that drawing neither compiles nor reads it."""
    return bool(_fill.signatures)


def is_kept() -> bool:
    """Return whether the disk holds compiled code of an earlier process."""
    folder = _fill.stats.cache_path
    return folder is not None and any(
        Path(folder).glob(f"compiled.{_fill_rows.__qualname__}-*.nbi")
    )


def load() -> None:
    """Compile, or load what was compiled before. Raises ImportError if numba cannot be imported."""
    try:
        fill([])
    except NumbaError as error:
        raise ImportError(f"numba cannot compile the transforms: {error}") from error
