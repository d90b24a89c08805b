"""Exact quantiles of a tensor of any size by radix selection, in passes over its blocks.

The bits of a float become a key: an unsigned integer in the order of the values. The summary's
histogram counts the first 12 bits of the keys. Each pass counts the next 12 bits of the keys that
start like a wanted order statistic, until few enough keys are left to collect and sort.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from initlab.runner.stats.onepass import bins
from initlab.runner.stats.onepass.lanes import BLOCK
from initlab.runner.stats.onepass.summary import Summary

GATHERED = 1 << 20
"""Keys collected in memory at most."""
DIGIT = 12
"""Bits counted in each pass."""

Wanted = dict[int, list[tuple[int, int]]]
"""First bits of keys -> the wanted ranks among these keys: (rank among all, rank among these).
"""


def quantiles(
    values: np.ndarray, summary: Summary, probabilities: Sequence[float]
) -> list[float | None]:
    """Return the quantiles of the finite elements, or None if there are none.

    They are interpolated linearly between the two order statistics nearest to probability * (N -
    1), like `numpy.quantile`'s default. `summary` is that of `values`, which may be mapped from a
    file.
    """
    if not summary.finite:
        return [None] * len(probabilities)
    last = summary.finite - 1
    places = [last * probability for probability in probabilities]
    ranks = {rank for place in places for rank in (math.floor(place), math.ceil(place))}
    found = _order_statistics(values, summary, sorted(ranks))
    return [
        bins.between(found[math.floor(p)], found[math.ceil(p)], p - math.floor(p)) for p in places
    ]


def _order_statistics(values: np.ndarray, summary: Summary, ranks: list[int]) -> dict[int, float]:
    """Return {rank among the finite elements: the element}."""
    dtype = summary.binned
    flat = values.reshape(-1)
    counts = np.concatenate(
        [summary.histogram[: bins.NEGATIVE - 1 : -1], summary.histogram[: bins.NEGATIVE]]
    )
    order = bins.ascending(dtype.name)
    below = int(counts[: (bins.BINS - order.size) // 2].sum())  # negative infinities and NaN
    wanted, left = _descend({0: [(rank, rank + below) for rank in ranks]}, {0: counts}, DIGIT)
    shift = bins.shift_of(dtype)
    while shift and left > GATHERED:
        digit = min(DIGIT, shift)
        shift -= digit
        wanted, left = _descend(wanted, _count(flat, wanted, shift, digit), digit)
    keys = (
        _gather(flat, wanted, shift)
        if shift
        else {rank: prefix for prefix, pairs in wanted.items() for rank, _ in pairs}
    )
    return {rank: _value(key, dtype) for rank, key in keys.items()}


def _keys(flat: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the keys of each block."""
    for start in range(0, flat.size, BLOCK):
        bits = bins.as_bits(bins.as_floats(flat[start : start + BLOCK]))
        sign = bits.dtype.type(1 << (8 * bits.itemsize - 1))
        yield np.where(bits & sign, ~bits, bits | sign)


def _value(key: int, dtype: np.dtype) -> float:
    """Return the number of a key; zero has no sign."""
    width = 8 * dtype.itemsize
    bits = key - (1 << (width - 1)) if key >> (width - 1) else key ^ ((1 << width) - 1)
    return float(bins.from_bits(np.array([bits], np.uint64), dtype)[0]) + 0.0


def _count(flat: np.ndarray, wanted: Wanted, shift: int, digit: int) -> dict[int, np.ndarray]:
    """Count, for each of the wanted first bits, the keys by their next `digit` bits above `shift`."""
    counts = {prefix: np.zeros(1 << digit, np.int64) for prefix in wanted}
    for keys in _keys(flat):
        heads = keys >> keys.dtype.type(shift)
        prefixes = heads >> keys.dtype.type(digit)
        for prefix, found in counts.items():
            found += np.bincount(
                (heads[prefixes == prefix] & ((1 << digit) - 1)).astype(np.intp),
                minlength=1 << digit,
            )
    return counts


def _descend(wanted: Wanted, counts: dict[int, np.ndarray], digit: int) -> tuple[Wanted, int]:
    """Return (the ranks wanted, with `digit` more bits known; how many keys share those bits)."""
    deeper: Wanted = {}
    left = 0
    for prefix, pairs in wanted.items():
        upto = np.cumsum(counts[prefix])
        for rank, within in pairs:
            bits = int(np.searchsorted(upto, within, side="right"))
            longer = (prefix << digit) | bits
            if longer not in deeper:
                left += int(counts[prefix][bits])
            deeper.setdefault(longer, []).append(
                (rank, within - int(upto[bits] - counts[prefix][bits]))
            )
    return deeper, left


def _gather(flat: np.ndarray, wanted: Wanted, shift: int) -> dict[int, int]:
    """Return {rank: key}, from all keys with the wanted first bits."""
    held: dict[int, list[np.ndarray]] = {prefix: [] for prefix in wanted}
    for keys in _keys(flat):
        prefixes = keys >> keys.dtype.type(shift)
        for prefix, pieces in held.items():
            pieces.append(keys[prefixes == prefix])
    found: dict[int, int] = {}
    for prefix, pairs in wanted.items():
        ordered = np.sort(np.concatenate(held[prefix]))
        found |= {rank: int(ordered[within]) for rank, within in pairs}
    return found
