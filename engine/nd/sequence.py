"""Functions of batches of sequences of different lengths: mask, last step, reverse.

Arrays are (steps, batch, …), or with `axis=1` (batch, steps, …). Lengths have shape (batch,) and
are used only with `use_sequence_length`; without it, every sequence has all steps. The functions
raise MXNetError if the lengths do not fit.
"""

from __future__ import annotations

from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.ops import elementwise, indexing, shape


def _lengths(name: str, data: NDArray, lengths: NDArray | None, used: bool, axis: int) -> Any:
    """Return the raw lengths as int64, or None if they are not used.

    Raises MXNetError if lengths and `use_sequence_length` are not given together, or if the axis or
    a shape does not fit.
    """
    if used != (lengths is not None):
        expected, got = (2, 1) if used else (1, 2)
        raise MXNetError.checked(
            f"Check failed: num_inputs == infered_num_inputs ({got} vs. {expected}) : Operator "
            f"{name} expects {expected} inputs, "
            f"but got {got} instead. Lengths and use_sequence_length=True belong together."
        )
    if axis not in (0, 1):
        raise MXNetError.checked(
            "Check failed: (param_.axis == 0) || (param_.axis == 1): Current implementation "
            "expects axis to be 0 or 1."
        )
    if data.ndim < 2:
        raise MXNetError.checked(
            f"Check failed: dshape.ndim() > 1U ({data.ndim} vs. 1) : The data array must be of "
            "rank 2 or greater."
        )
    if lengths is None:
        return None
    if lengths.shape != (data.shape[1 - axis],):
        provided = ",".join(str(n) for n in lengths.shape)
        raise MXNetError.checked(
            f"Shape inconsistent, Provided = [{provided}], inferred shape=({data.shape[1 - axis]},)"
        )
    return lengths._raw.astype("int64")


@operator("SequenceMask", "sequence_mask")
def sequence_mask(
    data: NDArray,
    sequence_length: NDArray | None = None,
    use_sequence_length: bool = False,
    value: float = 0.0,
    axis: int = 0,
) -> NDArray:
    """Replace the steps after the end of each sequence by `value`."""
    lengths = _lengths("SequenceMask", data, sequence_length, bool(use_sequence_length), axis)
    if lengths is None:
        return elementwise.identity(data)
    xp = data._device.use()
    steps = xp.arange(data.shape[axis])
    inside = steps.reshape((-1, 1)) < lengths if axis == 0 else steps < lengths.reshape((-1, 1))
    inside = inside.reshape((*inside.shape, *(1,) * (data.ndim - 2)))
    return elementwise.where(
        NDArray(inside, data._device), data, NDArray(xp.full_like(data._raw, value), data._device)
    )


@operator("SequenceLast", "sequence_last")
def sequence_last(
    data: NDArray,
    sequence_length: NDArray | None = None,
    use_sequence_length: bool = False,
    axis: int = 0,
) -> NDArray:
    """Return the last step of each sequence, without the axis of steps. Lengths must be at least 1."""
    lengths = _lengths("SequenceLast", data, sequence_length, bool(use_sequence_length), axis)
    if lengths is None:
        return indexing.getitem(data, key=(slice(None),) * axis + (-1,), view=False)
    rows = data._device.use().arange(data.shape[1 - axis])
    return indexing.getitem(data, key=(lengths - 1, rows) if axis == 0 else (rows, lengths - 1))


@operator("SequenceReverse", "sequence_reverse")
def sequence_reverse(
    data: NDArray,
    sequence_length: NDArray | None = None,
    use_sequence_length: bool = False,
    axis: int = 0,
) -> NDArray:
    """Reverse the steps of each sequence; the steps after its end stay where they are.

    `axis` must be 0, as in MXNet.
    """
    lengths = _lengths("SequenceReverse", data, sequence_length, bool(use_sequence_length), axis)
    if axis != 0:
        raise MXNetError.checked(
            f"Check failed: param_.axis == 0 ({axis} vs. 0) : Current implementation expects "
            "axis to be 0."
        )
    if lengths is None:
        return shape.flip(data, axes=(0,))
    xp = data._device.use()
    steps = xp.arange(data.shape[0]).reshape((-1, 1))
    numbers = xp.where(steps < lengths, lengths - 1 - steps, steps)
    return indexing.getitem(data, key=(numbers, xp.arange(data.shape[1]).reshape((1, -1))))
