"""Base classes of recurrent cells: one step of time, and `unroll` over many (MXNet:
gluon/rnn/rnn_cell.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initlab.engine import nd
from initlab.engine.gluon.block import Block
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.nn import LeakyReLU
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.rnn.states import Steps, format_sequence, make_state, masked
from initlab.engine.nd import NDArray

States = list[NDArray]
MODIFIED = (
    "After applying modifier cells (e.g. {} ) the base cell cannot be called directly. Call the "
    "modifier cell instead."
)


class RecurrentCell(Block):
    """Base class of cells.

    `cell(inputs, states)` returns (output, new states) for inputs (batch, channels).
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        super().__init__(prefix, params)
        self._modified = False
        self.reset()

    def reset(self) -> None:
        """Clear the counters and whatever the cell keeps between steps, before a new sequence."""
        self._init_counter = self._counter = -1
        for cell in self._children.values():
            if isinstance(cell, RecurrentCell):
                cell.reset()

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return shape and layout of each state."""
        raise NotImplementedError

    def _check_own(self, modifier: str) -> None:
        if self._modified:
            raise AssertionError(MODIFIED.format(modifier).replace(" )", ")"))

    def begin_state(
        self, batch_size: int = 0, func: Callable[..., NDArray] = nd.zeros, **kwargs: Any
    ) -> States:
        """Return the initial states of a sequence, created by `func`.

        `kwargs`, for example `ctx` and `dtype`, are passed to `func`.
        """
        self._check_own("ZoneoutCell")
        states = []
        for info in self.state_info(batch_size):
            self._init_counter += 1
            states.append(
                make_state(func, f"{self._prefix}begin_state_{self._init_counter}", info | kwargs)
            )
        return states

    def _begin(self, begin_state: States | None, inputs: Steps, batch_size: int) -> States:
        if begin_state is not None:
            return begin_state
        first = inputs if isinstance(inputs, NDArray) else inputs[0]
        return self.begin_state(batch_size=batch_size, ctx=first.context, dtype=first.dtype)

    def unroll(
        self,
        length: int,
        inputs: Steps,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """Run `length` steps and return (outputs, last states).

        `inputs` is one array in `layout`, or a list of steps (batch, channels). With
        `merge_outputs` True the outputs are one array, with False a list, with None whichever costs
        less. With `valid_length` (batch,), outputs after the end of a sample are 0, and its states
        are those at its last step. Raises AssertionError if the inputs do not have `length` steps.
        """
        self.reset()
        steps, axis, batch = format_sequence(length, inputs, layout, False)
        states = self._begin(begin_state, steps, batch)
        outputs, all_states = [], []
        for step in steps:
            output, states = self(step, states)
            outputs.append(output)
            all_states.append(states)
        if valid_length is None:
            return format_sequence(length, outputs, layout, merge_outputs)[0], states
        states = [
            nd.SequenceLast(
                nd.stack(*each, axis=0), sequence_length=valid_length, use_sequence_length=True
            )
            for each in zip(*all_states, strict=True)
        ]
        whole = masked(outputs, valid_length, axis, True)
        return format_sequence(length, whole, layout, merge_outputs)[0], states

    def _get_activation(self, F: Functions, inputs: Any, activation: Any, **kwargs: Any) -> Any:
        """Return the activation of `inputs`: by name, by a LeakyReLU layer, or by a function."""
        if isinstance(activation, str):
            return F.Activation(inputs, act_type=activation, **kwargs)
        if isinstance(activation, LeakyReLU):
            return F.LeakyReLU(inputs, act_type="leaky", slope=activation._alpha, **kwargs)
        return activation(inputs, **kwargs)

    def forward(self, inputs: NDArray, states: Any) -> Any:
        """Compute one step."""
        self._counter += 1
        return super().forward(inputs, states)


class HybridRecurrentCell(RecurrentCell, HybridBlock):
    """Base class of cells that compute in `hybrid_forward(F, inputs, states, **params)`."""
