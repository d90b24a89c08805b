"""Cells that modify other cells: dropout of inputs, zoneout, and residual connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initlab.engine import nd
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, RecurrentCell, States
from initlab.engine.gluon.rnn.stacked import BidirectionalCell
from initlab.engine.gluon.rnn.states import Steps, format_sequence, masked
from initlab.engine.nd import NDArray


class DropoutCell(HybridRecurrentCell):
    """Dropout of the inputs; it has no states.

    Each step has a new mask. If `unroll` receives one array, one mask for all steps is drawn at
    once. Raises AssertionError if `rate` is no number.
    """

    def __init__(
        self,
        rate: float,
        axes: tuple[int, ...] = (),
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)):
            raise AssertionError("rate must be a number")
        self._rate, self._axes = rate, axes

    def _alias(self) -> str:
        return "dropout"

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return an empty list: the cell has no states."""
        return []

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the inputs."""
        return shape

    def hybrid_forward(
        self, F: Functions, inputs: NDArray, states: States
    ) -> tuple[NDArray, States]:
        """Return (inputs after dropout, states)."""
        return (
            F.Dropout(inputs, p=self._rate, axes=self._axes) if self._rate > 0 else inputs
        ), states

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Like `RecurrentCell.unroll`; all steps are computed at once if the inputs are one array."""
        self.reset()
        inputs, _, _ = format_sequence(length, inputs, layout, merge_outputs)
        if isinstance(inputs, NDArray):
            return self.hybrid_forward(nd, inputs, begin_state or [])
        return super().unroll(length, inputs, begin_state, layout, merge_outputs, None)

    def __repr__(self) -> str:
        return f"DropoutCell(rate={self._rate}, axes={self._axes})"


class ModifierCell(HybridRecurrentCell):
    """Base class of cells that wrap another cell and share its parameters and states.

    Raises AssertionError if the cell is wrapped already.
    """

    def __init__(self, base_cell: RecurrentCell) -> None:
        if base_cell._modified:
            raise AssertionError(
                f"Cell {base_cell.name} is already modified. One cell cannot be modified twice"
            )
        base_cell._modified = True
        super().__init__(prefix=base_cell.prefix + self._alias(), params=None)
        self.base_cell = base_cell

    @property
    def params(self) -> ParameterDict:
        """The parameters of the base cell."""
        return self.base_cell.params

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the state info of the base cell."""
        return self.base_cell.state_info(batch_size)

    def begin_state(  # type: ignore[override]
        self, func: Callable[..., NDArray] = nd.zeros, **kwargs: Any
    ) -> States:
        """Return the initial states of the base cell."""
        self._check_own("DropoutCell")
        self.base_cell._modified = False
        try:
            return self.base_cell.begin_state(func=func, **kwargs)
        finally:
            self.base_cell._modified = True

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape of the base cell."""
        after: Shape = self.base_cell.output_shape(shape)
        return after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_cell})"


class ZoneoutCell(ModifierCell):
    """While training, keep each element of output and states from the previous step with a
    probability.

    Source: Krueger et al. 2016. Raises AssertionError for a BidirectionalCell, which makes no
    steps.
    """

    def __init__(
        self, base_cell: RecurrentCell, zoneout_outputs: float = 0.0, zoneout_states: float = 0.0
    ) -> None:
        if isinstance(base_cell, BidirectionalCell):
            raise AssertionError(
                "BidirectionalCell doesn't support zoneout since it doesn't support step. Please add "
                "ZoneoutCell to the cells underneath "
                "instead."
            )
        super().__init__(base_cell)
        self.zoneout_outputs, self.zoneout_states = zoneout_outputs, zoneout_states
        self._prev_output: NDArray | None = None

    def _alias(self) -> str:
        return "zoneout"

    def reset(self) -> None:
        """Clear the output of the previous step."""
        super().reset()
        self._prev_output = None

    output_shape = ModifierCell.output_shape

    def hybrid_forward(
        self, F: Functions, inputs: NDArray, states: States
    ) -> tuple[NDArray, States]:
        """Return the base cell's output and states, with elements of the previous step kept at
        random.
        """
        output, after = self.base_cell(inputs, states)

        def mixed(p: float, new: NDArray, old: NDArray) -> NDArray:
            return F.where(F.Dropout(F.ones_like(new), p=p), new, old)

        before = F.zeros_like(output) if self._prev_output is None else self._prev_output
        if self.zoneout_outputs:
            output = mixed(self.zoneout_outputs, output, before)
        if self.zoneout_states:
            after = [
                mixed(self.zoneout_states, new, old) for new, old in zip(after, states, strict=True)
            ]
        self._prev_output = output
        return output, after

    def __repr__(self) -> str:
        return f"ZoneoutCell(p_out={self.zoneout_outputs}, p_state={self.zoneout_states}, {self.base_cell})"


class ResidualCell(ModifierCell):
    """Add the inputs to the base cell's outputs (Wu et al. 2016)."""

    def _alias(self) -> str:
        return "residualcell"

    output_shape = ModifierCell.output_shape

    def hybrid_forward(
        self, F: Functions, inputs: NDArray, states: States
    ) -> tuple[NDArray, States]:
        """Return (output + inputs, states)."""
        output, states = self.base_cell(inputs, states)
        return output + inputs, states

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Unroll the base cell and add the inputs to its outputs."""
        self.reset()
        self.base_cell._modified = False
        try:
            outputs, states = self.base_cell.unroll(
                length, inputs, begin_state, layout, merge_outputs, valid_length
            )
        finally:
            self.base_cell._modified = True
        merge = isinstance(outputs, NDArray) if merge_outputs is None else merge_outputs
        inputs, axis, _ = format_sequence(length, inputs, layout, merge)
        if valid_length is not None:
            inputs = masked(inputs, valid_length, axis, merge)
        return (
            outputs + inputs if merge else [a + b for a, b in zip(outputs, inputs, strict=True)]
        ), states
