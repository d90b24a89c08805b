"""Cells combined into one: stacked on top of each other, and in both directions."""

from __future__ import annotations

from typing import Any, cast

from initlab.engine import nd
from initlab.engine.gluon.block import Block, Shape
from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, RecurrentCell, States
from initlab.engine.gluon.rnn.states import Steps, backwards, format_sequence, masked
from initlab.engine.nd import NDArray

STEPPED = "Bidirectional cannot be stepped. Please use unroll"


def _cells_of(block: Block) -> list[RecurrentCell]:
    """Return the cells that a block contains."""
    return cast(list[RecurrentCell], list(block._children.values()))


class _Stacked(RecurrentCell):
    """Base class of both kinds of stacked cells."""

    def add(self, cell: RecurrentCell) -> None:
        """Add a cell on top."""
        self.register_child(cell)

    def _cells(self) -> list[RecurrentCell]:
        return _cells_of(self)

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the state info of all cells, from the bottom up."""
        return [info for cell in self._cells() for info in cell.state_info(batch_size)]

    def begin_state(self, **kwargs: Any) -> States:  # type: ignore[override]
        """Return the initial states of all cells, from the bottom up."""
        self._check_own("ZoneoutCell")
        return [state for cell in self._cells() for state in cell.begin_state(**kwargs)]

    def __call__(self, inputs: NDArray, states: States) -> Any:
        self._counter += 1
        if any(isinstance(cell, BidirectionalCell) for cell in self._cells()):
            raise AssertionError(STEPPED)
        after: States = []
        for cell in self._cells():
            count = len(cell.state_info())
            own, states = states[:count], states[count:]
            inputs, own = cell(inputs, own)
            after += own
        return inputs, after

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Like `RecurrentCell.unroll`; each cell runs over the whole sequence before the next one."""
        self.reset()
        inputs, _, batch = format_sequence(length, inputs, layout, None)
        states, after = self._begin(begin_state, inputs, batch), []
        cells = self._cells()
        for number, cell in enumerate(cells):
            count = len(cell.state_info())
            own, states = states[:count], states[count:]
            merge = merge_outputs if number == len(cells) - 1 else None
            inputs, own = cell.unroll(length, inputs, own, layout, merge, valid_length)
            after += own
        return inputs, after

    def output_shape(self, shape: Shape) -> Shape:
        """Return the output shape of the top cell."""
        for cell in self._cells():
            shape = cell.output_shape(shape)
        return shape

    def __getitem__(self, i: int) -> Block:
        return self._children[str(i)]

    def __len__(self) -> int:
        return len(self._children)

    def __repr__(self) -> str:
        lines = [
            f"({key}): " + repr(cell).replace("\n", "\n  ") for key, cell in self._children.items()
        ]
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


class SequentialRNNCell(_Stacked):
    """Cells on top of each other."""


class HybridSequentialRNNCell(_Stacked, HybridRecurrentCell):
    """Hybrid cells on top of each other."""


class BidirectionalCell(HybridRecurrentCell):
    """One cell that runs forward and one that runs backward; their outputs are concatenated.

    Source: Schuster and Paliwal 1997.
    """

    def __init__(
        self, l_cell: RecurrentCell, r_cell: RecurrentCell, output_prefix: str = "bi_"
    ) -> None:
        super().__init__(prefix="", params=None)
        self.register_child(l_cell, "l_cell")
        self.register_child(r_cell, "r_cell")
        self._output_prefix = output_prefix

    def _cells(self) -> list[RecurrentCell]:
        return _cells_of(self)

    def __call__(self, inputs: NDArray, states: States) -> Any:
        raise NotImplementedError(STEPPED)

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the state info of the forward cell, then of the backward cell."""
        return [info for cell in self._cells() for info in cell.state_info(batch_size)]

    def begin_state(self, **kwargs: Any) -> States:  # type: ignore[override]
        """Return the initial states of the forward cell, then of the backward cell."""
        self._check_own("DropoutCell")
        return [state for cell in self._cells() for state in cell.begin_state(**kwargs)]

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of both outputs concatenated."""
        left, right = (cell.output_shape(shape) for cell in self._cells())
        return (*left[:-1], left[-1] + right[-1])

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Like `RecurrentCell.unroll`; with `valid_length` the backward cell starts at a sample's
        last step.
        """
        self.reset()
        steps, axis, batch = format_sequence(length, inputs, layout, False)
        states = self._begin(begin_state, steps, batch)
        left, right = self._cells()
        count = len(left.state_info(batch))
        l_out, l_states = left.unroll(
            length, steps, states[:count], layout, merge_outputs, valid_length
        )
        r_out, r_states = right.unroll(
            length, backwards(steps, valid_length), states[count:], layout, False, valid_length
        )
        r_out = backwards(r_out, valid_length)
        if merge_outputs is None:
            merge_outputs = isinstance(l_out, NDArray)
        if merge_outputs:
            outputs: Any = nd.concat(
                format_sequence(None, l_out, layout, True)[0], nd.stack(*r_out, axis=axis), dim=2
            )
        else:
            outputs = [nd.concat(a, b, dim=1) for a, b in zip(l_out, r_out, strict=True)]
        if valid_length is not None:
            outputs = masked(outputs, valid_length, axis, merge_outputs)
        return outputs, l_states + r_states

    def __repr__(self) -> str:
        return f"BidirectionalCell(forward={self._children['l_cell']}, backward={self._children['r_cell']})"
