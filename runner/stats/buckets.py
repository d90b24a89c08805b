"""The elements of a tensor in equal parts of their range, counted and picked by a core of
`engine.native`, or by NumPy with the same results.
"""

from __future__ import annotations

import numpy as np

from initlab.engine import native, streams


class Buckets:
    """`number` equal parts of the range from `low` to `high`, and which element lies in which.

    The elements are flat, contiguous, aligned float32 or float64 in native byte order, all from `low`
    to `high`. Element x is in
    bucket (x - low) / width, rounded down, computed in its dtype. `implementation` is a name of
    `streams.implementation`, by default the one that draws.
    """

    def __init__(
        self,
        elements: np.ndarray,
        low: float,
        high: float,
        number: int,
        implementation: str | None = None,
    ) -> None:
        self.low, self.width, self.number = low, (high - low) / number, number
        self._elements = elements
        name = streams.core(implementation)
        self._core = None if name == "numpy" else native.core(name)
        self._given = (
            elements.ctypes.data,
            elements.size,
            int(elements.dtype == np.float64),
            low,
            1 / self.width,
            number - 1,
        )

    def edges(self, numbers: np.ndarray) -> np.ndarray:
        """Return the lower edges of the buckets of these numbers, float64; the last bucket's upper edge
        has the number of buckets.
        """
        found: np.ndarray = self.low + self.width * numbers
        return found

    def count(self) -> np.ndarray:
        """Return the number of elements in each bucket."""
        if self._core is None:
            counted: np.ndarray = np.bincount(self._places(), minlength=self.number)
            return counted
        counts = np.zeros(self.number, np.int32)
        self._core.tally(*self._given, counts.ctypes.data)
        return counts

    def pick(self, wanted: np.ndarray, count: int) -> np.ndarray:
        """Return the elements, `count` in number, of the buckets that are `wanted`, booleans."""
        if self._core is None:
            found: np.ndarray = self._elements[wanted[self._places()]]
            return found
        picked = np.empty(count + 1, self._elements.dtype)
        self._core.pick(*self._given, wanted.ctypes.data, picked.ctypes.data)
        return picked[:count]

    def _places(self) -> np.ndarray:
        to_dtype = self._elements.dtype.type
        places = (self._elements - to_dtype(self.low)) * to_dtype(1 / self.width)
        whole: np.ndarray = np.clip(places.astype(np.int32), 0, self.number - 1)
        return whole
