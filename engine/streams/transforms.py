"""From words to values, in operations that give the same bits on every machine: + - * / sqrt,
casts, integer operations.

All floats are IEEE binary32, every operation rounded once; nothing passes through libm. Each
function takes the words of the elements wanted and writes into `out`; scratch arrays come from a
`Scratch`, since touching fresh memory costs more than drawing.
"""

from __future__ import annotations

import numpy as np

F = np.float32


def _constants(dtype: type, *values: float) -> tuple[np.ndarray, ...]:
    """Arrays of no axes, for which NumPy's functions take half the time that they take for scalars."""
    return tuple(np.array(value, dtype) for value in values)


TWO_24, TWO_31, TWO_32, ONE = _constants(F, 2.0**-24, 2.0**-31, 2.0**32, 1.0)
SIGN, EXPONENT, BIT, EIGHT_BITS, TOP_BIT = _constants(np.uint32, 0x80000000, 0xFF800000, 1, 8, 31)
HALF_SQRT_2_32 = np.array(0x4F3504F3, np.uint32)
"""The bits of float32 sqrt(1/2) * 2^32."""
HALF = np.array(32, np.uint64)
LOG = _constants(F, -0.8259274363517761, -1.3330445289611816, -4.000000476837158)
LN2 = np.array(-1.6525916635146132e-07, F)
"""-2 ln 2 / 2^23: an exponent's bits count 2^23."""
TANGENT_TOP = _constants(F, -12.55836296081543, 212.5440216064453)
TANGENT_BOTTOM = _constants(F, -71.6337890625, 270.61944580078125)
CUT_TOP = _constants(
    F, 1.0026906728744507, 2.793407678604126, 3.3665943145751953, 3.2119736671447754
)
CUT_BOTTOM = _constants(
    F, 2.899179697036743, 5.747257232666016, 5.371740818023682, 5.125574111938477
)


class Scratch:
    """Reusable arrays by name, for blocks of up to `size` elements."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._arrays: dict[str, np.ndarray] = {}

    def __call__(self, name: str, count: int, dtype: type = np.float32) -> np.ndarray:
        """Return an array of `count` elements. Its contents are those of its last use."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = np.empty(self.size, dtype)
        return array[:count]


def uniform(w: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """U[0, 1): 24 bits of each word."""
    shifted = np.right_shift(w, EIGHT_BITS, out=scratch("u0", w.size, np.uint32))
    np.copyto(out, shifted, casting="unsafe")
    np.multiply(out, TWO_24, out=out)


def _minus_two_log(f: np.ndarray, r2: np.ndarray, scratch: Scratch) -> None:
    """r2 = -2 ln(f / 2^32) for f in (0, 2^32]: exponent and a rational polynomial of the mantissa
    in [sqrt(1/2), sqrt(2)).
    """
    n = f.size
    bits = f.view(np.uint32)
    exponent = np.subtract(bits, HALF_SQRT_2_32, out=scratch("u0", n, np.uint32))
    np.bitwise_and(exponent, EXPONENT, out=exponent)
    np.subtract(bits, exponent, out=bits)  # f is now the mantissa m, near 2^32
    s = np.subtract(f, TWO_32, out=scratch("f0", n))
    np.add(f, TWO_32, out=f)
    np.divide(s, f, out=s)
    q = np.multiply(s, s, out=f)
    p = np.multiply(q, LOG[0], out=r2)
    np.add(p, LOG[1], out=p)
    np.multiply(p, q, out=p)
    np.add(p, LOG[2], out=p)
    np.multiply(p, s, out=p)
    np.copyto(s, exponent.view(np.int32), casting="unsafe")
    np.multiply(s, LN2, out=s)
    np.add(s, p, out=r2)


def normal(numbers: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Standard normals by Box and Muller with a rational tangent, two of each 64-bit number, whose
    lower half is the first's word.

    `numbers` are written over.
    """
    n = numbers.size
    low, high = scratch("u1", n, np.uint32), scratch("u2", n, np.uint32)
    f, r = scratch("f1", n), scratch("f2", n)
    np.copyto(low, numbers, casting="unsafe")
    np.right_shift(numbers, HALF, out=numbers)
    np.copyto(high, numbers, casting="unsafe")
    np.bitwise_or(low, BIT, out=low)
    np.copyto(f, low, casting="unsafe")
    _minus_two_log(f, r, scratch)
    np.sqrt(r, out=r)
    sign = np.left_shift(high, TOP_BIT, out=low)
    np.bitwise_xor(r.view(np.uint32), sign, out=r.view(np.uint32))
    x, y, q = f, scratch("f0", n), scratch("f3", n)
    np.copyto(x, high.view(np.int32), casting="unsafe")
    np.multiply(x, TWO_31, out=x)
    np.multiply(x, x, out=y)
    np.add(y, TANGENT_BOTTOM[0], out=q)
    np.multiply(q, y, out=q)
    np.add(q, TANGENT_BOTTOM[1], out=q)
    np.multiply(y, TANGENT_TOP[0], out=y)
    np.add(y, TANGENT_TOP[1], out=y)
    np.multiply(y, x, out=y)
    t = np.divide(y, q, out=y)
    np.multiply(t, t, out=q)
    np.add(q, ONE, out=q)
    np.divide(r, q, out=q)
    h = np.multiply(q, t, out=q)
    z1 = np.add(h, h, out=q)
    np.multiply(z1, t, out=t)
    np.subtract(r, t, out=out[0::2])
    np.copyto(out[1::2], z1)


def truncated_normal(
    w: np.ndarray,
    low_word: int,
    high_word: int,
    low: np.ndarray,
    high: np.ndarray,
    out: np.ndarray,
    scratch: Scratch,
) -> None:
    """Standard normals cut to [low, high] by an inverse distribution function; the words are
    round(Phi * 2^32) of the bounds.
    """
    n = w.size
    wide = scratch("u64", n, np.uint64)
    np.copyto(wide, w)
    np.multiply(wide, np.uint64(high_word - low_word), out=wide)
    np.right_shift(wide, HALF, out=wide)
    s = scratch("u1", n, np.uint32)
    np.copyto(s, wide, casting="unsafe")  # 2^32 becomes 0, as it should be modulo 2^32
    np.add(s, np.uint32((low_word - 2**31) % 2**32), out=s)  # two's complement of p - 2^31
    flip = np.right_shift(s.view(np.int32), np.int32(31), out=scratch("i0", n, np.int32)).view(
        np.uint32
    )
    c = np.bitwise_xor(s, flip, out=s)
    np.left_shift(c, BIT, out=c)
    np.invert(c, out=c)
    f, r2 = scratch("f1", n), scratch("f2", n)
    np.copyto(f, c, casting="unsafe")
    _minus_two_log(f, r2, scratch)
    r = np.sqrt(r2, out=scratch("f3", n))
    a = np.multiply(r, CUT_TOP[0], out=f)
    _horner(a, r, CUT_TOP[1:])
    np.multiply(a, r2, out=a)
    b = np.add(r, CUT_BOTTOM[0], out=r2)
    np.multiply(b, r, out=b)
    _horner(b, r, CUT_BOTTOM[1:])
    np.divide(a, b, out=out)
    np.bitwise_and(flip, SIGN, out=flip)
    np.bitwise_xor(out.view(np.uint32), flip, out=out.view(np.uint32))
    np.clip(out, low, high, out=out)
    for bound in (low, high):
        if bound == 0:  # processors differ in whether 0 or -0 is greater: use the bound itself
            np.copyto(out, bound, where=out == bound)


def _horner(total: np.ndarray, x: np.ndarray, coefficients: tuple[np.ndarray, ...]) -> None:
    """Add the first coefficient; multiply by x and add the next, to the last."""
    np.add(total, coefficients[0], out=total)
    for c in coefficients[1:]:
        np.multiply(total, x, out=total)
        np.add(total, c, out=total)
