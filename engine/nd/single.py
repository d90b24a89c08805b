"""Host arrays of one element that convert to a number.

MXNet's reductions return arrays of shape (1,), and code for it writes `'%f' % loss.mean().asnumpy()`
or `float(x.asnumpy())`. NumPy 2.4 converts only arrays without axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Single(np.ndarray):
    """A NumPy array of one element, which also is a number where a number is needed.

    What is computed from it, or pickled, is a plain array.
    """

    __array_priority__ = -1.0

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __array_wrap__(
        self, array: np.ndarray, context: object = None, return_scalar: bool = False
    ) -> Any:
        return np.asarray(array)[()] if return_scalar else np.asarray(array)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def convertible(array: np.ndarray) -> np.ndarray:
    """Return an array, as a Single if it has one element and at least one axis."""
    return array.view(Single) if array.size == 1 and array.ndim else array
