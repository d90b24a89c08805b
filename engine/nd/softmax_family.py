"""Softmax, log-softmax, softmin and the cross entropy of softmax."""

from __future__ import annotations

from initlab.engine import dtypes
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import checked_axis, operator
from initlab.engine.ops import activation, elementwise, indexing, reduce


def _prepared(
    data: NDArray, axis: int, temperature: float | None, dtype: DType
) -> tuple[NDArray, int]:
    """Return the array in the dtype to compute in, divided by the temperature, and the axis as a
    number >= 0.

    Raises MXNetError for an integer array.
    """
    if data._raw.dtype.kind in "iub":
        raise MXNetError.checked(
            f"This operation only support floating point types, not {data._raw.dtype}"
        )
    wide = data if dtype is None else elementwise.cast(data, dtype=dtypes.resolve(dtype))
    return (
        wide if temperature in (None, 1) else elementwise.divide(wide, temperature)
    ), checked_axis(axis, data.ndim)


@operator("softmax")
def softmax(
    data: NDArray,
    length: NDArray | None = None,
    axis: int = -1,
    temperature: float | None = None,
    dtype: DType = None,
    use_length: bool = False,
) -> NDArray:
    """Return e^(x/t) / sum e^(x/t) along `axis`, with the temperature t (1 if None).

    With `use_length`, the sum runs over the first `length` elements, and the others become 0.
    `length` holds whole numbers in the shape of `data` without `axis`. Raises MXNetError if
    `length` does not fit or the data are integers.
    """
    if bool(use_length) != (length is not None):
        expected, got = (2, 1) if use_length else (1, 2)
        raise MXNetError.checked(
            f"Check failed: num_inputs == infered_num_inputs ({got} vs. {expected}) : Operator "
            f"softmax expects {expected} inputs, "
            f"but got {got} instead. A length and use_length=True belong together."
        )
    x, at = _prepared(data, axis, temperature, dtype)
    if length is None:
        return activation.softmax(x, axis=at)
    if length._raw.dtype.kind not in "iu":
        raise MXNetError.checked(
            f"This operation only support integer types, not {length._raw.dtype}"
        )
    rest = tuple(n for a, n in enumerate(x.shape) if a != at)
    if length.shape != rest:
        raise MXNetError.checked(
            f"softmax: length must have the data's shape without axis {axis}, {rest}, got "
            f"{length.shape}"
        )
    xp = x._device.use()
    places = xp.arange(x.shape[at]).reshape(tuple(-1 if a == at else 1 for a in range(x.ndim)))
    inside = NDArray((places < xp.expand_dims(length._raw, at)).astype(x._raw.dtype), x._device)
    lowest = NDArray(
        xp.full_like(x._raw, -6.0e4 if x._raw.dtype == "float16" else -1.0e30), x._device
    )
    return elementwise.multiply(
        activation.softmax(elementwise.where(inside, x, lowest), axis=at), inside
    )


@operator("log_softmax")
def log_softmax(
    data: NDArray,
    axis: int = -1,
    temperature: float | None = None,
    dtype: DType = None,
    use_length: bool = False,
) -> NDArray:
    """Return log softmax(x / t) along `axis`, computed without overflow.

    Raises MXNetError if `use_length` is true: as in MXNet, lengths are not supported.
    """
    if use_length:
        raise MXNetError.checked(
            "log_softmax takes no length - use log(softmax(…, use_length=True))"
        )
    x, at = _prepared(data, axis, temperature, dtype)
    return activation.log_softmax(x, axis=at)


@operator("softmin")
def softmin(
    data: NDArray,
    axis: int = -1,
    temperature: float | None = None,
    dtype: DType = None,
    use_length: bool = False,
) -> NDArray:
    """Return softmax(-x / t) along `axis`.

    Raises MXNetError if `use_length` is true: as in MXNet, lengths are not supported.
    """
    if use_length:
        raise MXNetError.checked(
            "softmin takes no length - use softmax(-x, length, use_length=True)"
        )
    x, at = _prepared(data, axis, temperature, dtype)
    return activation.softmax(elementwise.negative(x), axis=at)


@operator("SoftmaxActivation")
def softmax_activation(data: NDArray, mode: str = "instance") -> NDArray:
    """Return softmax over the last axis (mode `instance`) or over axis 1 (`channel`).

    Raises MXNetError for another mode.
    """
    if mode not in ("instance", "channel"):
        raise MXNetError.checked(
            f"Invalid Input: '{mode}', valid values are: {{'channel', 'instance'}}, in "
            "operator SoftmaxActivation"
        )
    return activation.softmax(data, axis=checked_axis(1 if mode == "channel" else -1, data.ndim))


@operator("softmax_cross_entropy")
def softmax_cross_entropy(data: NDArray, label: NDArray) -> NDArray:
    """Return the sum over rows of -log softmax(row)[label].

    `data` is (batch, classes), `label` (batch,). Raises MXNetError for other shapes.
    """
    if data.ndim != 2 or label.shape != data.shape[:1]:
        raise MXNetError.checked(
            "softmax_cross_entropy needs data (batch, classes) and labels (batch,), got "
            f"{data.shape}, {label.shape}"
        )
    return elementwise.negative(
        reduce.sum(indexing.pick(activation.log_softmax(data, axis=1), label, axis=1))
    )
