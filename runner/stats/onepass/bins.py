"""The 4096 bins of a float's top 12 bits: sign, exponent, and the first bits of the fraction.

A bin is found by a shift, without rounding, and its edges are floats. float32 and bfloat16 have 8
bins for each power of two, float16 64, float64 one. Other dtypes are cast to float32 first.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from initlab.engine import dtypes

BINS = 4096
NEGATIVE = 2048
"""The first bin of the negative numbers. Without this bit, a bin is that of the magnitude."""
FRACTION_BITS = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}


def float_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype whose bits are binned: the tensor's own if it is a float, else float32."""
    return dtype if dtype.name in FRACTION_BITS else np.dtype(np.float32)


def as_floats(values: np.ndarray) -> np.ndarray:
    """Return the elements flat, in C order, in `float_dtype` and native byte order; copy only if
    needed.
    """
    return np.ascontiguousarray(values.reshape(-1)).astype(
        float_dtype(values.dtype.newbyteorder("=")), copy=False
    )


def as_bits(floats: np.ndarray) -> np.ndarray:
    """Return a view of the floats' bits as unsigned integers."""
    return floats.view(f"u{floats.itemsize}")


def from_bits(bits: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the float64 values of the bits of a float dtype."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return bits.astype(f"u{dtype.itemsize}").view(dtype).astype(np.float64)


def shift_of(dtype: np.dtype) -> int:
    """Return the number of low bits of a float dtype that the bins ignore."""
    return 8 * dtype.itemsize - 12


def _fraction_steps(dtype: np.dtype) -> int:
    """Return the number of bins for each power of two."""
    return 1 << (FRACTION_BITS[dtype.name] - shift_of(dtype))


def smallest(histogram: np.ndarray, dtype: np.dtype) -> int:
    """Return the number of zero and subnormal elements: those with no bit of the exponent set."""
    steps = _fraction_steps(dtype)
    return int(histogram[:steps].sum() + histogram[NEGATIVE : NEGATIVE + steps].sum())


def nonfinite(histogram: np.ndarray, dtype: np.dtype) -> int:
    """Return the number of infinite and NaN elements: those with all bits of the exponent set."""
    steps = _fraction_steps(dtype)
    return int(histogram[NEGATIVE - steps : NEGATIVE].sum() + histogram[BINS - steps :].sum())


@lru_cache
def ascending(name: str) -> np.ndarray:
    """Return the bins of finite numbers in ascending order of value, for a float dtype's name."""
    finite = np.arange(NEGATIVE - _fraction_steps(dtypes.resolve(name)))
    return np.concatenate([NEGATIVE + finite[::-1], finite])


@lru_cache
def edges(name: str) -> np.ndarray:
    """Return the float64 edges of the bins in `ascending` order: bin i lies between edges i and i +
    1.

    The outermost edges are infinite.
    """
    dtype = dtypes.resolve(name)
    magnitudes = np.arange(NEGATIVE - _fraction_steps(dtype) + 1, dtype=np.uint64)
    upward = from_bits(magnitudes << np.uint64(shift_of(dtype)), dtype)
    return np.concatenate([-upward[:0:-1], upward])


def between(low: float, high: float, part: float) -> float:
    """Return low + part (high - low), exact at both ends and without overflow."""
    distance = high - low
    if not np.isfinite(distance):
        return low * (1 - part) + high * part
    return high - distance * (1 - part) if part >= 0.5 else low + distance * part
