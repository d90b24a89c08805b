"""From words to values, in operations that give the same bits on every machine: + - * / sqrt, casts, integer operations.

All floats are IEEE binary32, every operation rounded once; nothing passes through libm. Each function takes the words of the
elements wanted and writes into `out`; scratch arrays come from a `Scratch`, since touching fresh memory costs more than drawing.
"""

from __future__ import annotations

import numpy as np

F = np.float32
SIGN = np.uint32(0x80000000)
HALF_SQRT_2_32 = np.uint32(0x4F3504F3)  # bits of float32 sqrt(1/2) * 2^32
EXPONENT = np.uint32(0xFF800000)
TWO_32 = F(2.0**32)


class Scratch:
    """Reusable arrays by name, for blocks of up to `size` elements."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._arrays: dict[str, np.ndarray] = {}

    def __call__(self, name: str, count: int, dtype: type = np.float32) -> np.ndarray:
        """An array of `count` elements whose content is left over from its last use."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = np.empty(self.size, dtype)
        return array[:count]


def uniform(w: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """U[0, 1): 24 bits of each word."""
    shifted = np.right_shift(w, np.uint32(8), out=scratch("u0", w.size, np.uint32))
    np.copyto(out, shifted, casting="unsafe")
    np.multiply(out, F(2.0**-24), out=out)


def _minus_two_log(f: np.ndarray, r2: np.ndarray, scratch: Scratch) -> None:
    """r2 = -2 ln(f / 2^32) for f in (0, 2^32]: exponent and a rational polynomial of the mantissa in [sqrt(1/2), sqrt(2))."""
    n = f.size
    bits = f.view(np.uint32)
    exponent = np.subtract(bits, HALF_SQRT_2_32, out=scratch("u0", n, np.uint32))
    np.bitwise_and(exponent, EXPONENT, out=exponent)
    np.subtract(bits, exponent, out=bits)  # f is now the mantissa m, near 2^32
    s = np.subtract(f, TWO_32, out=scratch("f0", n))
    np.add(f, TWO_32, out=f)
    np.divide(s, f, out=s)
    q = np.multiply(s, s, out=f)
    p = np.multiply(q, F(-0.8259274363517761), out=r2)
    np.add(p, F(-1.3330445289611816), out=p)
    np.multiply(p, q, out=p)
    np.add(p, F(-4.000000476837158), out=p)
    np.multiply(p, s, out=p)
    np.copyto(s, exponent.view(np.int32), casting="unsafe")
    np.multiply(s, F(-1.6525916635146132e-07), out=s)
    np.add(s, p, out=r2)


def normal(w: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Standard normals by Box and Muller with a rational tangent; `w` has an even number of words, from an even element on."""
    n = w.size // 2
    low, high = w[0::2], w[1::2]
    f, r = scratch("f1", n), scratch("f2", n)
    odd = np.bitwise_or(low, np.uint32(1), out=scratch("u1", n, np.uint32))
    np.copyto(f, odd, casting="unsafe")
    _minus_two_log(f, r, scratch)
    np.sqrt(r, out=r)
    sign = np.left_shift(high, np.uint32(31), out=odd)
    np.bitwise_xor(r.view(np.uint32), sign, out=r.view(np.uint32))
    x, y, q = f, scratch("f0", n), scratch("f3", n)
    np.copyto(x, high.view(np.int32), casting="unsafe")
    np.multiply(x, F(2.0**-31), out=x)
    np.multiply(x, x, out=y)
    np.add(y, F(-71.6337890625), out=q)
    np.multiply(q, y, out=q)
    np.add(q, F(270.61944580078125), out=q)
    np.multiply(y, F(-12.55836296081543), out=y)
    np.add(y, F(212.5440216064453), out=y)
    np.multiply(y, x, out=y)
    t = np.divide(y, q, out=y)
    np.multiply(t, t, out=q)
    np.add(q, F(1), out=q)
    np.divide(r, q, out=q)
    h = np.multiply(q, t, out=q)
    z1 = np.add(h, h, out=out[1::2])
    np.multiply(z1, t, out=q)
    np.subtract(r, q, out=out[0::2])


def truncated_normal(
    w: np.ndarray, low_word: int, high_word: int, low: np.float32, high: np.float32, out: np.ndarray, scratch: Scratch
) -> None:
    """Standard normals cut to [low, high] by an inverse distribution function; the words are round(Phi * 2^32) of the bounds."""
    n = w.size
    wide = scratch("u64", n, np.uint64)
    np.copyto(wide, w)
    np.multiply(wide, np.uint64(high_word - low_word), out=wide)
    np.right_shift(wide, np.uint64(32), out=wide)
    np.add(wide, np.uint64((low_word - 2**31) % 2**64), out=wide)
    s = scratch("u1", n, np.uint32)
    np.copyto(s, wide, casting="unsafe")  # modulo 2^32: two's complement of p - 2^31
    flip = np.right_shift(s.view(np.int32), np.int32(31), out=scratch("i0", n, np.int32)).view(np.uint32)
    c = np.bitwise_xor(s, flip, out=s)
    np.left_shift(c, np.uint32(1), out=c)
    np.invert(c, out=c)
    f, r2 = scratch("f1", n), scratch("f2", n)
    np.copyto(f, c, casting="unsafe")
    _minus_two_log(f, r2, scratch)
    r = np.sqrt(r2, out=scratch("f3", n))
    a = _polynomial(r, (1.0026906728744507, 2.793407678604126, 3.3665943145751953, 3.2119736671447754), f)
    np.multiply(a, r2, out=a)
    b = _polynomial(r, (1.0, 2.899179697036743, 5.747257232666016, 5.371740818023682, 5.125574111938477), r2)
    np.divide(a, b, out=out)
    np.bitwise_and(flip, SIGN, out=flip)
    np.bitwise_xor(out.view(np.uint32), flip, out=out.view(np.uint32))
    np.maximum(out, low, out=out)
    np.minimum(out, high, out=out)
    for bound in (low, high):
        if bound == 0:  # which of 0 and -0 is greater is the processor's affair; the bound it is
            np.copyto(out, bound, where=out == bound)


def _polynomial(x: np.ndarray, coefficients: tuple[float, ...], out: np.ndarray) -> np.ndarray:
    """Horner's rule in `out`; a leading coefficient of 1 is not multiplied."""
    first, *rest = coefficients
    if first == 1.0:
        np.add(x, F(rest.pop(0)), out=out)
    else:
        np.multiply(x, F(first), out=out)
        np.add(out, F(rest.pop(0)), out=out)
    for c in rest:
        np.multiply(out, x, out=out)
        np.add(out, F(c), out=out)
    return out
