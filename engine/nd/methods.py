"""Methods of NDArray: those that call the function of `nd` with the same name, and those that differ
from it in MXNet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initlab.engine.nd import (
    arithmetic,
    gathering,
    ordering,
    reduction,
    shaping,
    softmax_family,
    unary,
)
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import OPERATORS, axes_tuple
from initlab.engine.ops import shape as shapes

METHODS = {
    unary: (*unary.UNARY, "zeros_like", "ones_like", "hard_sigmoid", "smooth_l1"),
    arithmetic: ("clip",),
    reduction: (
        "sum",
        "mean",
        "prod",
        "max",
        "min",
        "nansum",
        "nanprod",
        "norm",
        "argmax",
        "argmin",
        "argmax_channel",
        "cumsum",
    ),
    softmax_family: ("softmax", "log_softmax", "softmin"),
    shaping: (
        "reshape_like",
        "shape_array",
        "size_array",
        "swapaxes",
        "flip",
        "depth_to_space",
        "space_to_depth",
        "broadcast_axes",
        "broadcast_like",
        "tile",
        "repeat",
        "pad",
        "diag",
        "slice",
        "slice_axis",
        "slice_like",
        "split",
        "split_v2",
    ),
    gathering: ("take", "pick", "one_hot", "dot", "batch_dot"),
    ordering: ("sort", "argsort", "topk"),
}
"""Module -> names of its functions that are methods."""

for _names in METHODS.values():
    for _name in _names:
        setattr(NDArray, _name, OPERATORS[_name])


# --- methods that differ from the function: `inplace` gives a view of the same memory, and other
# exceptions.


def _axis_of(data: NDArray, axis: int, ndim: int) -> int:
    """Return an axis as a number >= 0. Raises AssertionError if there is none."""
    if not -ndim <= axis < ndim:
        raise AssertionError(f"axis {axis} is out of range for {data.ndim}d array")
    return axis % ndim


def expand_dims(self: NDArray, axis: int, inplace: bool = False) -> NDArray:
    """Insert an axis of length 1, like `nd.expand_dims`.

    With `inplace`, returns a view, and raises AssertionError if the axis is out of range.
    """
    if not inplace:
        return shaping.expand_dims(self, axis)
    at = _axis_of(self, axis, self.ndim + 1)
    return shapes.reshape(self, shape=(*self.shape[:at], 1, *self.shape[at:]))


def flatten(self: NDArray, inplace: bool = False) -> NDArray:
    """Join all axes but the first, like `nd.flatten`; with `inplace`, as a view."""
    return shapes.reshape(self, shape=(0, -1)) if inplace else shaping.flatten(self)


def squeeze(
    self: NDArray, axis: int | Sequence[int] | None = None, inplace: bool = False
) -> NDArray:
    """Remove axes of length 1, like `nd.squeeze`.

    With `inplace`, returns a view, and raises AssertionError if an axis is out of range, longer, or
    given twice.
    """
    if not inplace:
        return shaping.squeeze(self, axis)
    axes = [a for a, n in enumerate(self.shape) if n == 1]
    if axis is not None:
        axes = [_axis_of(self, a, self.ndim) for a in axes_tuple(axis)]
        if len(set(axes)) < len(axes):
            raise AssertionError(f"axis {axis} contains duplicate which is not allowed.")
        for a in axes:
            if self.shape[a] != 1:
                raise AssertionError(
                    f"Squeeze target axis {a} must be size 1, got {self.shape[a]}."
                )
    kept = tuple(n for a, n in enumerate(self.shape) if a not in axes)
    return shapes.reshape(self, shape=kept or (1,))


def broadcast_to(self: NDArray, shape: int | Sequence[int]) -> NDArray:
    """Stretch axes of length 1, and new axes in front, to `shape`; 0 keeps an axis.

    Raises ValueError if another axis would be stretched, or `shape` has fewer axes.
    """
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    lacking = len(wanted) - self.ndim
    own = (1,) * lacking + self.shape
    if lacking < 0 or any(n not in (1, w) and w for n, w in zip(own, wanted, strict=True)):
        raise ValueError(
            "operands could not be broadcast together with remapped shapes[original->remapped]: "
            f"{self.shape} and requested shape {wanted}"
        )
    return shapes.broadcast_to(shapes.reshape(self, shape=own) if lacking else self, shape=wanted)


def slice_assign(self: NDArray, rhs: NDArray, begin: Any, end: Any, step: Any = ()) -> NDArray:
    """Write `rhs` into the slice from `begin` to before `end`, and return the array."""
    self[_slices(begin, end, step)] = rhs
    return self


def slice_assign_scalar(
    self: NDArray, value: float, begin: Any, end: Any, step: Any = ()
) -> NDArray:
    """Write a number into the slice from `begin` to before `end`, and return the array."""
    self[_slices(begin, end, step)] = value
    return self


def _slices(begin: Any, end: Any, step: Any) -> tuple[slice, ...]:
    steps = tuple(step) or (None,) * len(begin)
    return tuple(slice(*bounds) for bounds in zip(begin, end, steps, strict=True))


for _method in (
    expand_dims, flatten, squeeze, broadcast_to, slice_assign, slice_assign_scalar,
):  # fmt: skip
    setattr(NDArray, _method.__name__, _method)
