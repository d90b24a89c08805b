"""The `nd.contrib` namespace: tests for NaN and infinity, masks, index arrays, control flow and
straight-through estimators; boxes and resizing from their own modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from initlab.engine.errors import MXNetError
from initlab.engine.nd.box_coding import bipartite_matching as bipartite_matching
from initlab.engine.nd.box_coding import box_decode as box_decode
from initlab.engine.nd.box_coding import box_encode as box_encode
from initlab.engine.nd.detection import MultiBoxDetection as MultiBoxDetection
from initlab.engine.nd.detection import MultiBoxPrior as MultiBoxPrior
from initlab.engine.nd.detection import MultiBoxTarget as MultiBoxTarget
from initlab.engine.nd.detection import box_iou as box_iou
from initlab.engine.nd.detection import box_nms as box_nms
from initlab.engine.nd.interleaved import (
    interleaved_matmul_encdec_qk as interleaved_matmul_encdec_qk,
)
from initlab.engine.nd.interleaved import (
    interleaved_matmul_encdec_valatt as interleaved_matmul_encdec_valatt,
)
from initlab.engine.nd.interleaved import (
    interleaved_matmul_selfatt_qk as interleaved_matmul_selfatt_qk,
)
from initlab.engine.nd.interleaved import (
    interleaved_matmul_selfatt_valatt as interleaved_matmul_selfatt_valatt,
)
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, checked_axis
from initlab.engine.nd.sequence_loss import CTCLoss as CTCLoss
from initlab.engine.nd.spatial import AdaptiveAvgPooling2D as AdaptiveAvgPooling2D
from initlab.engine.nd.spatial import BilinearResize2D as BilinearResize2D
from initlab.engine.nd.updates import adamw_update as adamw_update
from initlab.engine.nd.updates import mp_adamw_update as mp_adamw_update
from initlab.engine.nd.updates import multi_adamw_update as multi_adamw_update
from initlab.engine.nd.updates import multi_mp_adamw_update as multi_mp_adamw_update
from initlab.engine.nd.warping import ROIAlign as ROIAlign
from initlab.engine.ops import elementwise, indexing, padding, special
from initlab.engine.ops import shape as shape_ops
from initlab.lazy import suggesting

ctc_loss = CTCLoss
box_non_maximum_suppression = box_nms


def isnan(data: NDArray) -> NDArray:
    """Return 1 where an element is NaN, else 0."""
    check_array(data, "data")
    return special.isnan(data)


def isinf(data: NDArray) -> NDArray:
    """Return 1 where an element is infinite, else 0."""
    check_array(data, "data")
    return special.isinf(data)


def isfinite(data: NDArray) -> NDArray:
    """Return 1 where an element is neither infinite nor NaN, else 0."""
    check_array(data, "data")
    return special.isfinite(data)


def boolean_mask(data: NDArray, index: NDArray, axis: int = 0) -> NDArray:
    """Return the slices along `axis` where the mask `index` is not 0.

    `index` has shape (data.shape[axis],). Raises MXNetError if it has another shape.
    """
    check_array(data, "data")
    check_array(index, "index")
    at = checked_axis(axis, data.ndim)
    if index.shape != (data.shape[at],):
        raise MXNetError.checked(
            f"boolean_mask: the mask must have shape ({data.shape[at]},) for axis {axis}, got "
            f"{index.shape}"
        )
    numbers = data._device.use().nonzero(index._raw)[0]
    return indexing.getitem(data, key=(slice(None),) * at + (numbers,))


def arange_like(
    data: NDArray, start: float = 0.0, step: float = 1.0, repeat: int = 1, axis: int | None = None
) -> NDArray:
    """Return start, start + step, … in the dtype of `data`, each number `repeat` times.

    The result has the shape of `data`, or shape (data.shape[axis],) if `axis` is given. It has no
    gradient.
    """
    check_array(data, "data")
    shape = data.shape if axis is None else (data.shape[checked_axis(axis, data.ndim)],)
    xp = data._device.use()
    numbers = xp.floor_divide(xp.arange(math.prod(shape)), repeat)
    return NDArray((numbers * step + start).astype(data._raw.dtype).reshape(shape), data._device)


def index_array(data: NDArray, axes: tuple[int, ...] | None = None) -> NDArray:
    """Return the index of each element along all axes, or along `axes`.

    The result is int64 and has the shape of `data` plus a last axis of length len(axes).
    """
    check_array(data, "data")
    xp = data._device.use()
    wanted = range(data.ndim) if axes is None else axes
    rows = [
        xp.arange(data.shape[a]).reshape(
            tuple(-1 if b == a % data.ndim else 1 for b in range(data.ndim))
        )
        for a in wanted
    ]
    return NDArray(
        xp.stack([xp.broadcast_to(row, data.shape) for row in rows], axis=-1).astype("int64"),
        data._device,
    )


def index_copy(old_tensor: NDArray, index_vector: NDArray, new_tensor: NDArray) -> NDArray:
    """Return a copy of `old_tensor` whose rows `index_vector` are replaced by the rows of
    `new_tensor`.
    """
    for name, value in (
        ("old_tensor", old_tensor),
        ("index_vector", index_vector),
        ("new_tensor", new_tensor),
    ):
        check_array(value, name)
    return indexing.replace(old_tensor, new_tensor, key=index_vector._raw.astype("int64"))


def div_sqrt_dim(data: NDArray) -> NDArray:
    """Return x / sqrt(n), where n is the length of the last axis."""
    check_array(data, "data")
    return elementwise.divide(data, math.sqrt(data.shape[-1]))


def allclose(
    a: NDArray, b: NDArray, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = True
) -> NDArray:
    """Return 1 if |a - b| <= atol + rtol |b| holds for all elements, else 0, as a uint8 array of
    shape (1,).
    """
    check_array(a, "a")
    check_array(b, "b")
    xp = a._device.use()
    close = xp.all(xp.isclose(a._raw, b._raw, rtol=rtol, atol=atol, equal_nan=equal_nan))
    return NDArray(xp.asarray(close).astype("uint8").reshape((1,)), a._device)


def quadratic(data: NDArray, a: float = 0.0, b: float = 0.0, c: float = 0.0) -> NDArray:
    """a x^2 + b x + c."""
    check_array(data, "data")
    return data * data * a + data * b + c


def gradientmultiplier(data: NDArray, scalar: float = 1.0) -> NDArray:
    """Return x unchanged; the backward pass multiplies its gradient by `scalar`.

    A negative `scalar` reverses the gradient (Ganin and Lempitsky 2015).
    """
    check_array(data, "data")
    return special.scale_gradient(data, scalar=scalar)


def round_ste(data: NDArray) -> NDArray:
    """Round to the nearest integer, halves away from zero; the gradient passes unchanged.

    This is the straight-through estimator of Bengio et al. 2013.
    """
    check_array(data, "data")
    return special.round_through(data)


def sign_ste(data: NDArray) -> NDArray:
    """Return the sign of each element; the gradient passes unchanged.

    This is the straight-through estimator of Bengio et al. 2013.
    """
    check_array(data, "data")
    return special.sign_through(data)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def foreach(
    body: Callable[[Any, Any], tuple[Any, Any]], data: Any, init_states: Any
) -> tuple[Any, Any]:
    """Run `body(slice, states) -> (outputs, states)` for each slice along the first axis of `data`.

    Returns the outputs, stacked along a new first axis, and the states of the last step.
    """
    single = isinstance(data, NDArray)
    states = init_states
    rows: list[Any] = []
    for i in range(_listed(data)[0].shape[0]):
        outputs, states = body(data[i] if single else [d[i] for d in data], states)
        rows.append(outputs)
    return _stacked(rows) if rows else [], states


def _stacked(rows: list[Any]) -> Any:
    """Stack the outputs of all steps, in the nested form that a step gave them."""
    if isinstance(rows[0], (list, tuple)):
        return [_stacked([row[i] for row in rows]) for i in range(len(rows[0]))]
    return _stack(rows)


def _stack(arrays: list[NDArray]) -> NDArray:
    return shape_ops.stack(*arrays, axis=0)


def while_loop(
    cond: Callable[..., Any],
    func: Callable[..., tuple[Any, Any]],
    loop_vars: Any,
    max_iterations: int | None = None,
) -> tuple[Any, Any]:
    """Run `func(*variables) -> (outputs, variables)` while `cond(*variables)` is not 0.

    Runs at most `max_iterations` steps. Returns the outputs, stacked along a new first axis of
    length `max_iterations`, and the last variables, both in the form they were given. Rows of steps
    that did not run are zeros, as in MXNet; if no step ran, the list of outputs is empty. Raises
    ValueError if `max_iterations` is missing or `loop_vars` is empty.
    """
    if max_iterations is None:
        raise ValueError("max_iterations should be specified")
    variables = _listed(loop_vars)
    if not variables:
        raise ValueError("loop_vars should contain at least one element")
    rows: list[Any] = []
    while len(rows) < max_iterations and bool(cond(*variables)):
        outputs, changed = func(*variables)
        variables = _listed(changed)
        rows.append([] if outputs is None else outputs)
    missing = max_iterations - len(rows)

    def padded(whole: Any) -> Any:
        if isinstance(whole, list):
            return [padded(part) for part in whole]
        return padding.pad(whole, widths=[(0, missing)] + [(0, 0)] * (whole.ndim - 1))

    stacked = _stacked(rows) if rows else []
    single = not isinstance(loop_vars, (list, tuple))
    return padded(stacked) if missing else stacked, variables[0] if single else variables


def cond(pred: NDArray, then_func: Callable[[], Any], else_func: Callable[[], Any]) -> Any:
    """Return `then_func()` if `pred` is not 0, else `else_func()`."""
    return then_func() if bool(pred) else else_func()


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
