"""Dropout with one mask for all steps of a sequence (MXNet: gluon/contrib/rnn/rnn_cell.py)."""

from __future__ import annotations

from typing import Any

from initlab.engine import nd
from initlab.engine.gluon.hybrid_block import Functions
from initlab.engine.gluon.rnn.cell import RecurrentCell, States
from initlab.engine.gluon.rnn.modifiers import ModifierCell
from initlab.engine.gluon.rnn.stacked import BidirectionalCell
from initlab.engine.gluon.rnn.states import Steps, format_sequence, masked
from initlab.engine.nd import NDArray


class VariationalDropoutCell(ModifierCell):
    """Drop elements of a cell's inputs, first state and outputs, the same ones at every step.

    The masks of the three are drawn at the first step and kept until `reset`, which `unroll` calls.
    Source: Gal and Ghahramani 2016. Raises AssertionError for states of a BidirectionalCell, which
    makes no steps.
    """

    def __init__(
        self,
        base_cell: RecurrentCell,
        drop_inputs: float = 0.0,
        drop_states: float = 0.0,
        drop_outputs: float = 0.0,
    ) -> None:
        if drop_states and isinstance(base_cell, BidirectionalCell):
            raise AssertionError(
                "BidirectionalCell doesn't support variational state dropout. Please add "
                "VariationalDropoutCell to the cells underneath instead."
            )
        super().__init__(base_cell)
        self.drop_inputs, self.drop_states = drop_inputs, drop_states
        self.drop_outputs = drop_outputs

    def _alias(self) -> str:
        return "vardrop"

    def reset(self) -> None:
        """Forget the masks."""
        super().reset()
        self._masks: dict[str, NDArray] = {}

    def _masked(self, F: Functions, what: str, rate: float, value: NDArray) -> NDArray:
        """Return the value times the sequence's mask, which is drawn if there is none yet."""
        if not rate:
            return value
        if what not in self._masks:
            self._masks[what] = F.Dropout(F.ones_like(value), p=rate)
        return value * self._masks[what]

    output_shape = ModifierCell.output_shape

    def hybrid_forward(
        self, F: Functions, inputs: NDArray, states: States
    ) -> tuple[NDArray, States]:
        """Return the base cell's output, and its states, for masked inputs."""
        if self.drop_states:
            states = [self._masked(F, "states", self.drop_states, states[0]), *states[1:]]
        inputs = self._masked(F, "inputs", self.drop_inputs, inputs)
        output, after = self.base_cell(inputs, states)
        return self._masked(F, "outputs", self.drop_outputs, output), after

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Like `RecurrentCell.unroll`; unless states are dropped, each mask is applied to the whole
        sequence at once.
        """
        if self.drop_states:
            return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        self.reset()
        whole, axis, batch = format_sequence(length, inputs, layout, True)
        states = self._begin(begin_state, whole, batch)
        if self.drop_inputs:
            whole = nd.Dropout(whole, p=self.drop_inputs, axes=(axis,))
        self.base_cell._modified = False
        try:
            outputs, states = self.base_cell.unroll(
                length, whole, states, layout, True, valid_length
            )
        finally:
            self.base_cell._modified = True
        if self.drop_outputs:
            outputs = nd.Dropout(outputs, p=self.drop_outputs, axes=(axis,))
        merge = True if merge_outputs is None else merge_outputs
        if valid_length is not None:
            return masked(outputs, valid_length, axis, merge), states
        return format_sequence(length, outputs, layout, merge)[0], states

    def __repr__(self) -> str:
        return f"VariationalDropoutCell(p_out = {self.drop_outputs}, p_state = {self.drop_states})"
