"""Conversion between sequences as one array and as a list of steps, and creation of initial states."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from initlab.engine import nd
from initlab.engine.errors import MXNetError
from initlab.engine.nd import NDArray

Steps = NDArray | list[NDArray]


def make_state(func: Callable[..., NDArray], name: str, info: dict[str, Any]) -> NDArray:
    """Create a state with a function like `nd.zeros`.

    `name` and `__layout__` are passed only to a function that accepts them. Raises MXNetError for a
    batch of 0: MXNet reads the default batch_size=0 as unknown, which is not supported here.
    """
    if 0 in info["shape"]:
        raise MXNetError.checked(
            f"{name}: a state of shape {info['shape']} cannot be made - give begin_state the "
            "batch_size"
        )
    options = {"name": name, **info}
    parameters = inspect.signature(func).parameters.values()
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        known = {p.name for p in parameters}
        options = {
            key: value
            for key, value in options.items()
            if key in known or key not in ("name", "__layout__")
        }
    return func(**options)


def format_sequence(
    length: int | None, inputs: Steps, layout: str, merge: bool | None
) -> tuple[Any, int, int]:
    """Return (sequence, time axis, batch size).

    The sequence is a list if `merge` is False, one array if True, and unchanged if None. Raises
    AssertionError if it does not have `length` steps.
    """
    if inputs is None:
        raise AssertionError(
            "unroll(inputs=None) has been deprecated. Please create input variables outside unroll."
        )
    axis = layout.find("T")
    if isinstance(inputs, NDArray):
        if length is not None and length != inputs.shape[axis]:
            raise AssertionError(
                f"unroll: length is {length}, but axis {axis} of inputs {inputs.shape} (layout {layout}) "
                f"has {inputs.shape[axis]}"
            )
        batch = inputs.shape[layout.find("N")]
        return (steps_of(inputs, axis) if merge is False else inputs), axis, batch
    if length is not None and len(inputs) != length:
        raise AssertionError(f"unroll: length is {length}, but there are {len(inputs)} inputs")
    return (nd.stack(*inputs, axis=axis) if merge else inputs), axis, inputs[0].shape[0]


def steps_of(data: NDArray, axis: int) -> list[NDArray]:
    """Split a sequence into a list of steps, without the time axis."""
    parts = nd.split(data, num_outputs=data.shape[axis], axis=axis, squeeze_axis=True)
    return list(parts) if isinstance(parts, (list, tuple)) else [parts]


def masked(data: Any, valid_length: NDArray, axis: int, merge: bool | None) -> Any:
    """Set the steps after each sample's length to zero."""
    whole = data if isinstance(data, NDArray) else nd.stack(*data, axis=axis)
    whole = nd.SequenceMask(
        _time_first(whole, axis), sequence_length=valid_length, use_sequence_length=True
    )
    whole = _time_first(whole, axis)
    return whole if merge else steps_of(whole, axis)


def _time_first(data: NDArray, axis: int) -> NDArray:
    return data if axis == 0 else nd.swapaxes(data, dim1=0, dim2=axis)


def backwards(steps: list[NDArray], valid_length: NDArray | None) -> list[NDArray]:
    """Return the steps in reverse order, each sample within its own length."""
    if valid_length is None:
        return steps[::-1]
    return steps_of(
        nd.SequenceReverse(
            nd.stack(*steps, axis=0), sequence_length=valid_length, use_sequence_length=True
        ),
        0,
    )
