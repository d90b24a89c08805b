"""Types of arrays and array libraries, whoever made them: NumPy, CuPy, or the traced values of
higher derivatives.

They exist for a type checker only; nothing here is created or tested at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias, TypeGuard

import numpy as np

Shape: TypeAlias = tuple[int, ...]
"""The length of each axis."""
Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or all of them."""
DType: TypeAlias = str | type | np.dtype | None
"""Any way of writing an element type: a name, a NumPy scalar type, a dtype; None for the default."""


class Array(Protocol):
    """A raw array. Operators broadcast and give arrays; comparisons give arrays of truth values."""

    __hash__: None  # type: ignore[assignment]

    @property
    def shape(self) -> Shape:
        """The length of each axis."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def size(self) -> int:
        """The number of elements."""

    @property
    def dtype(self) -> np.dtype:
        """The element type."""

    @property
    def T(self) -> Array:
        """The axes reversed."""

    def astype(self, dtype: DType, copy: bool = True) -> Array:
        """Return the elements in another dtype."""

    def reshape(self, *shape: int | Sequence[int]) -> Array:
        """Return the elements in another shape, which is given as numbers or as one sequence."""

    def copy(self) -> Array:
        """Return the elements in new memory."""

    def __getitem__(self, key: object) -> Array: ...
    def __setitem__(self, key: object, value: object) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Array]: ...
    def __bool__(self) -> bool: ...
    def __neg__(self) -> Array: ...
    def __invert__(self) -> Array: ...
    def __add__(self, other: Operand) -> Array: ...
    def __radd__(self, other: Operand) -> Array: ...
    def __sub__(self, other: Operand) -> Array: ...
    def __rsub__(self, other: Operand) -> Array: ...
    def __mul__(self, other: Operand) -> Array: ...
    def __rmul__(self, other: Operand) -> Array: ...
    def __truediv__(self, other: Operand) -> Array: ...
    def __rtruediv__(self, other: Operand) -> Array: ...
    def __mod__(self, other: Operand) -> Array: ...
    def __pow__(self, other: Operand) -> Array: ...
    def __and__(self, other: Operand) -> Array: ...
    def __or__(self, other: Operand) -> Array: ...
    def __lt__(self, other: Operand) -> Array: ...
    def __le__(self, other: Operand) -> Array: ...
    def __gt__(self, other: Operand) -> Array: ...
    def __ge__(self, other: Operand) -> Array: ...
    def __eq__(self, other: object) -> Array: ...  # type: ignore[override]
    def __ne__(self, other: object) -> Array: ...  # type: ignore[override]


Operand: TypeAlias = Array | float
"""The other operand of an array in arithmetic."""


def is_array(value: object) -> TypeGuard[Array]:
    """Return whether an operand is an array, not a Python number."""
    return hasattr(value, "dtype")


class Adding(Protocol):
    """`xp.add`."""

    def __call__(self, x: Operand, y: Operand) -> Array: ...
    def at(self, whole: Array, key: object, values: Operand) -> None:
        """Add values to places, as often as these are named."""


class Factorizations(Protocol):
    """`xp.linalg`."""

    def inv(self, x: Array) -> Array: ...
    def solve(self, a: Array, b: Array) -> Array: ...
    def cholesky(self, x: Array) -> Array: ...
    def det(self, x: Array) -> Array: ...
    def slogdet(self, x: Array) -> tuple[Array, Array]: ...
    def qr(self, x: Array) -> tuple[Array, Array]: ...
    def eigh(self, x: Array) -> tuple[Array, Array]: ...


class Library(Protocol):
    """An array library: functions by NumPy's names. Those not listed here give one array."""

    add: Adding

    @property
    def linalg(self) -> Factorizations: ...
    def result_type(self, *arrays: Array) -> np.dtype: ...
    def nonzero(self, x: Array) -> tuple[Array, ...]: ...
    def __getattr__(self, name: str) -> Callable[..., Array]: ...
