"""MXNet's module of recurrent cells, for code that imports from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initlab.engine import nd
from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, RecurrentCell, States
from initlab.engine.gluon.rnn.gated import GRUCell, LSTMCell, RNNCell
from initlab.engine.gluon.rnn.modifiers import DropoutCell, ModifierCell, ResidualCell, ZoneoutCell
from initlab.engine.gluon.rnn.stacked import (
    BidirectionalCell,
    HybridSequentialRNNCell,
    SequentialRNNCell,
)
from initlab.engine.gluon.rnn.states import Steps, backwards, format_sequence, masked
from initlab.engine.nd import NDArray

__all__ = [
    "BidirectionalCell",
    "DropoutCell",
    "GRUCell",
    "HybridRecurrentCell",
    "HybridSequentialRNNCell",
    "LSTMCell",
    "ModifierCell",
    "RNNCell",
    "RecurrentCell",
    "ResidualCell",
    "SequentialRNNCell",
    "ZoneoutCell",
]


def _cells_state_info(cells: Sequence[RecurrentCell], batch_size: int) -> list[dict[str, Any]]:
    """Return the state info of all cells, in order."""
    return [info for cell in cells for info in cell.state_info(batch_size)]


def _cells_begin_state(cells: Sequence[RecurrentCell], **kwargs: Any) -> States:
    """Return the initial states of all cells, in order."""
    return [state for cell in cells for state in cell.begin_state(**kwargs)]


def _get_begin_state(
    cell: RecurrentCell, F: Any, begin_state: States | None, inputs: Steps, batch_size: int
) -> States:
    """Return `begin_state`, or the cell's own on the device of the inputs if it is None."""
    return cell._begin(begin_state, inputs, batch_size)


def _format_sequence(
    length: int | None,
    inputs: Steps,
    layout: str,
    merge: bool | None,
    in_layout: str | None = None,
) -> tuple[Any, int, Any, int]:
    """Return (sequence, time axis, nd, batch size); see `states.format_sequence`.

    `in_layout` is the layout of the inputs if it is not `layout`.
    """
    sequence, axis, batch = format_sequence(length, inputs, in_layout or layout, merge)
    wanted = layout.find("T")
    if axis != wanted and isinstance(sequence, NDArray):
        sequence = nd.swapaxes(sequence, dim1=axis, dim2=wanted)
    return sequence, wanted, nd, batch


def _mask_sequence_variable_length(
    F: Any, data: Any, length: int, valid_length: NDArray, time_axis: int, merge: bool | None
) -> Any:
    """Return the sequence with zeros after each sample's length."""
    return masked(data, valid_length, time_axis, merge)


def _reverse_sequences(
    sequences: list[NDArray], unroll_step: int, valid_length: NDArray | None = None
) -> list[NDArray]:
    """Return the steps in reverse order, each sample within its own length."""
    return backwards(sequences, valid_length)
