"""The 4096 bins of a float's top 12 bits: the sign, the exponent, and as much of the fraction as
fits.

A bin is found by a shift, without rounding; its edges are floats. float32 and bfloat16 have 8 bins
to a power of two, float16 64, float64 one. Other dtypes are first cast to float32.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from initlab.engine import dtypes

BINS = 4096
NEGATIVE = 2048
"""The first bin of the negative numbers; without this bit, a bin tells the magnitude."""
FRACTION_BITS = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}


def float_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype whose bits are binned: the tensor's own where it is a float, else float32."""
    return dtype if dtype.name in FRACTION_BITS else np.dtype(np.float32)


def as_floats(values: np.ndarray) -> np.ndarray:
    """The elements in C order, flat, in `float_dtype` and native byte order; no copy where none is
    needed.
    """
    return np.ascontiguousarray(values.reshape(-1)).astype(
        float_dtype(values.dtype.newbyteorder("=")), copy=False
    )


def as_bits(floats: np.ndarray) -> np.ndarray:
    """The floats' bits as unsigned integers of their width: a view."""
    return floats.view(f"u{floats.itemsize}")


def from_bits(bits: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The float64 values of bits of a float dtype."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return bits.astype(f"u{dtype.itemsize}").view(dtype).astype(np.float64)


def shift_of(dtype: np.dtype) -> int:
    """How many low bits of a float dtype the bins do not see."""
    return 8 * dtype.itemsize - 12


def _fraction_steps(dtype: np.dtype) -> int:
    """How many bins a power of two has."""
    return 1 << (FRACTION_BITS[dtype.name] - shift_of(dtype))


def smallest(histogram: np.ndarray, dtype: np.dtype) -> int:
    """How many elements are zero or subnormal: those whose exponent has no bit set."""
    steps = _fraction_steps(dtype)
    return int(histogram[:steps].sum() + histogram[NEGATIVE : NEGATIVE + steps].sum())


def nonfinite(histogram: np.ndarray, dtype: np.dtype) -> int:
    """How many elements are infinite or NaN: those whose exponent has every bit set."""
    steps = _fraction_steps(dtype)
    return int(histogram[NEGATIVE - steps : NEGATIVE].sum() + histogram[BINS - steps :].sum())


@lru_cache
def ascending(name: str) -> np.ndarray:
    """The bins of finite numbers in the order of their values, for a float dtype's name."""
    finite = np.arange(NEGATIVE - _fraction_steps(dtypes.resolve(name)))
    return np.concatenate([NEGATIVE + finite[::-1], finite])


@lru_cache
def edges(name: str) -> np.ndarray:
    """The float64 borders of the bins that `ascending` lists: bin i lies between edges i and i + 1.
    The outermost are infinite.
    """
    dtype = dtypes.resolve(name)
    magnitudes = np.arange(NEGATIVE - _fraction_steps(dtype) + 1, dtype=np.uint64)
    upward = from_bits(magnitudes << np.uint64(shift_of(dtype)), dtype)
    return np.concatenate([-upward[:0:-1], upward])


def between(low: float, high: float, part: float) -> float:
    """`part` of the way from low to high, exact at both ends; no overflow on the way."""
    distance = high - low
    if not np.isfinite(distance):
        return low * (1 - part) + high * part
    return high - distance * (1 - part) if part >= 0.5 else low + distance * part
