"""Recurrent cells: one step of time, and `unroll` over many (MXNet: gluon/rnn/rnn_cell.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import nd
from engine.errors import MXNetError
from engine.gluon.block import Block, HybridBlock, Shape
from engine.gluon.nn import LeakyReLU
from engine.gluon.rnn.states import backwards, format_sequence, made, masked
from engine.nd import NDArray

States = list[NDArray]
MODIFIED = "After applying modifier cells (e.g. {} ) the base cell cannot be called directly. Call the modifier cell instead."
STEPPED = "Bidirectional cannot be stepped. Please use unroll"


class RecurrentCell(Block):
    """Base of all cells: `cell(inputs, states)` gives (output, new states) for inputs (batch, inputs)."""

    def __init__(self, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._modified = False
        self.reset()

    def reset(self) -> None:
        """Forget what was counted and kept since the last sequence."""
        self._init_counter = self._counter = -1
        for cell in self._children.values():
            if isinstance(cell, RecurrentCell):
                cell.reset()

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Shape and layout of each state."""
        raise NotImplementedError

    def _check_own(self, modifier: str) -> None:
        if self._modified:
            raise AssertionError(MODIFIED.format(modifier).replace(" )", ")"))

    def begin_state(self, batch_size: int = 0, func: Callable[..., NDArray] = nd.zeros, **kwargs: Any) -> States:
        """The states that a sequence begins with, made by `func`; `kwargs` (`ctx`, `dtype`) are given to it."""
        self._check_own("ZoneoutCell")
        states = []
        for info in self.state_info(batch_size):
            self._init_counter += 1
            states.append(made(func, f"{self._prefix}begin_state_{self._init_counter}", info | kwargs))
        return states

    def _begin(self, begin_state: States | None, inputs: Any, batch_size: int) -> States:
        if begin_state is not None:
            return begin_state
        first = inputs if isinstance(inputs, NDArray) else inputs[0]
        return self.begin_state(batch_size=batch_size, ctx=first.context, dtype=first.dtype)

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """(outputs, last states) of `length` steps of inputs, one array in `layout` or a list of steps.

        Outputs are one array for `merge_outputs` True, a list for False, and for None whatever costs least. With `valid_length` (batch,)
        outputs beyond a sample's length are 0 and states are those at its length.
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
            nd.SequenceLast(nd.stack(*each, axis=0), sequence_length=valid_length, use_sequence_length=True)
            for each in zip(*all_states, strict=True)
        ]
        whole = masked(outputs, valid_length, axis, True)
        return format_sequence(length, whole, layout, merge_outputs)[0], states

    @staticmethod
    def _activate(F: Any, x: Any, activation: Any) -> Any:
        if isinstance(activation, str):
            return F.Activation(x, act_type=activation)
        if isinstance(activation, LeakyReLU):
            return F.LeakyReLU(x, act_type="leaky", slope=activation._alpha)
        return activation(x)

    def forward(self, inputs: Any, states: Any) -> Any:  # type: ignore[override]
        """One step."""
        self._counter += 1
        return super().forward(inputs, states)


class HybridRecurrentCell(RecurrentCell, HybridBlock):
    """Base of the cells that compute in `hybrid_forward(F, inputs, states, **params)`."""

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The shape of the output for inputs of `shape`."""
        return shape

    def hybrid_forward(self, F: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """One step."""
        raise NotImplementedError


class _GatedCell(HybridRecurrentCell):
    """Base of the cells with weights: gates stacked along axis 0."""

    gates: int
    states: int = 1
    hint: str

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any,
        h2h_weight_initializer: Any,
        i2h_bias_initializer: Any,
        h2h_bias_initializer: Any,
        input_size: int,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        self._hidden_size, self._input_size = hidden_size, input_size
        rows, out = self.gates * hidden_size, "out" if self.gates == 1 else f"out*{self.gates}"
        for name, shape, init, roles in (
            ("i2h_weight", (rows, input_size), i2h_weight_initializer, (out, "in")),
            ("h2h_weight", (rows, hidden_size), h2h_weight_initializer, (out, "in")),
            ("i2h_bias", (rows,), i2h_bias_initializer, (out,)),
            ("h2h_bias", (rows,), h2h_bias_initializer, (out,)),
        ):
            setattr(self, name, self.params.get(name, shape=shape, init=init, allow_deferred_init=True, roles=roles))

    def _alias(self) -> str:
        return self.hint

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """(batch, hidden_size) each."""
        return [{"shape": (batch_size, self._hidden_size), "__layout__": "NC"} for _ in range(self.states)]

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """(batch, hidden_size)."""
        weight = self._reg_params["i2h_weight"]
        if weight.shape[1] not in (0, shape[-1]):
            raise MXNetError(
                f"MXNetError: Error in operator {self.name}_i2h: Shape inconsistent, Provided = [{weight.shape[0]},{weight.shape[1]}], "
                f"inferred shape=({weight.shape[0]},{shape[-1]})"
            )
        weight.shape = (weight.shape[0], shape[-1])
        return (*shape[:-1], self._hidden_size)

    def _products(self, F: Any, inputs: Any, state: Any, i2h_weight: Any, h2h_weight: Any, i2h_bias: Any, h2h_bias: Any) -> tuple[Any, Any]:
        """What the inputs and the state add to each gate."""
        return F.FullyConnected(inputs, i2h_weight, i2h_bias), F.FullyConnected(state, h2h_weight, h2h_bias)

    def _extra(self) -> str:
        return ""

    def __repr__(self) -> str:
        rows, columns = self._reg_params["i2h_weight"].shape
        return f"{type(self).__name__}({columns or None} -> {rows}{self._extra()})"


class RNNCell(_GatedCell):
    """h' = activation(W_i x + b_i + W_h h + b_h) (Elman 1990)."""

    gates = 1
    hint = "rnn"

    def __init__(
        self,
        hidden_size: int,
        activation: Any = "tanh",
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            hidden_size,
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
            input_size,
            prefix,
            params,
        )
        self._activation = activation

    def _extra(self) -> str:
        return f", {self._activation}"

    def hybrid_forward(self, F: Any, inputs: Any, states: Any, **params: Any) -> Any:  # type: ignore[override]
        """(h', [h'])."""
        of_inputs, of_state = self._products(F, inputs, states[0], **params)
        output = self._activate(F, of_inputs + of_state, self._activation)
        return output, [output]


class LSTMCell(_GatedCell):
    """c' = f c + i g, h' = o tanh(c') with input, forget, cell and output gates (Hochreiter and Schmidhuber 1997, Gers et al. 2000)."""

    gates = 4
    states = 2
    hint = "lstm"

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
    ) -> None:
        super().__init__(
            hidden_size,
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
            input_size,
            prefix,
            params,
        )
        self._activation, self._recurrent_activation = activation, recurrent_activation

    def hybrid_forward(self, F: Any, inputs: Any, states: Any, **params: Any) -> Any:  # type: ignore[override]
        """(h', [h', c'])."""
        of_inputs, of_state = self._products(F, inputs, states[0], **params)
        parts = F.split(of_inputs + of_state, num_outputs=4, axis=1)
        i, f, o = (self._activate(F, parts[k], self._recurrent_activation) for k in (0, 1, 3))
        g = self._activate(F, parts[2], self._activation)
        cell = f * states[1] + i * g
        output = o * self._activate(F, cell, self._activation)
        return output, [output, cell]


class GRUCell(_GatedCell):
    """h' = (1 - z) n + z h, n = tanh(W x + b + r (U h + d)), with reset and update gates r and z (Cho et al. 2014)."""

    gates = 3
    hint = "gru"

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            hidden_size,
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
            input_size,
            prefix,
            params,
        )

    def hybrid_forward(self, F: Any, inputs: Any, states: Any, **params: Any) -> Any:  # type: ignore[override]
        """(h', [h'])."""
        of_inputs, of_state = self._products(F, inputs, states[0], **params)
        (ir, iz, im), (hr, hz, hm) = (F.split(part, num_outputs=3, axis=1) for part in (of_inputs, of_state))
        r, z = F.sigmoid(ir + hr), F.sigmoid(iz + hz)
        new = F.tanh(im + r * hm)
        output = (1 - z) * new + z * states[0]
        return output, [output]


# --- several cells ----------------------------------------------------------------------------------------------------------------


class _Stacked(RecurrentCell):
    """What both kinds of stacked cells have in common."""

    def add(self, cell: RecurrentCell) -> None:
        """Put a cell on top."""
        self.register_child(cell)

    def _cells(self) -> list[Any]:
        return list(self._children.values())

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Those of all cells, from the bottom up."""
        return [info for cell in self._cells() for info in cell.state_info(batch_size)]

    def begin_state(self, **kwargs: Any) -> States:  # type: ignore[override]
        """Those of all cells, from the bottom up."""
        self._check_own("ZoneoutCell")
        return [state for cell in self._cells() for state in cell.begin_state(**kwargs)]

    def __call__(self, inputs: Any, states: Any) -> Any:  # type: ignore[override]
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
        inputs: Any,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """As `RecurrentCell.unroll`, one cell after the other over the whole sequence."""
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

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The shape after all cells."""
        for cell in self._cells():
            shape = cell.infer_shape(shape)
        return shape

    def __getitem__(self, i: int) -> Any:
        return self._children[str(i)]

    def __len__(self) -> int:
        return len(self._children)

    def __repr__(self) -> str:
        lines = [f"({key}): " + repr(cell).replace("\n", "\n  ") for key, cell in self._children.items()]
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


class SequentialRNNCell(_Stacked):
    """Cells on top of each other."""


class HybridSequentialRNNCell(_Stacked, HybridRecurrentCell):
    """Hybrid cells on top of each other."""


class DropoutCell(HybridRecurrentCell):
    """Dropout of its inputs, a new mask each step (one for all steps when unrolled over one array); no states."""

    def __init__(self, rate: float, axes: tuple[int, ...] = (), prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)):
            raise AssertionError("rate must be a number")
        self._rate, self._axes = rate, axes

    def _alias(self) -> str:
        return "dropout"

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """None."""
        return []

    def hybrid_forward(self, F: Any, inputs: Any, states: Any) -> Any:  # type: ignore[override]
        """(inputs with elements dropped, states)."""
        return (F.Dropout(inputs, p=self._rate, axes=self._axes) if self._rate > 0 else inputs), states

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """All steps at once where the inputs are one array."""
        self.reset()
        inputs, _, _ = format_sequence(length, inputs, layout, merge_outputs)
        if isinstance(inputs, NDArray):
            return self.hybrid_forward(nd, inputs, begin_state or [])
        return super().unroll(length, inputs, begin_state, layout, merge_outputs, None)

    def __repr__(self) -> str:
        return f"DropoutCell(rate={self._rate}, axes={self._axes})"


class ModifierCell(HybridRecurrentCell):
    """Base of the cells around another cell, whose parameters and states they have."""

    def __init__(self, base_cell: Any) -> None:
        if base_cell._modified:
            raise AssertionError(f"Cell {base_cell.name} is already modified. One cell cannot be modified twice")
        base_cell._modified = True
        super().__init__(prefix=base_cell.prefix + self._alias(), params=None)
        self.base_cell = base_cell

    @property
    def params(self) -> Any:
        """The base cell's."""
        return self.base_cell.params

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """The base cell's."""
        return self.base_cell.state_info(batch_size)

    def begin_state(self, func: Callable[..., NDArray] = nd.zeros, **kwargs: Any) -> States:  # type: ignore[override]
        """The base cell's."""
        self._check_own("DropoutCell")
        self.base_cell._modified = False
        try:
            return self.base_cell.begin_state(func=func, **kwargs)
        finally:
            self.base_cell._modified = True

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """The base cell's."""
        return self.base_cell.infer_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_cell})"


class ZoneoutCell(ModifierCell):
    """Keeps each output and state of the step before with a probability, while training (Krueger et al. 2016)."""

    def __init__(self, base_cell: Any, zoneout_outputs: float = 0.0, zoneout_states: float = 0.0) -> None:
        if isinstance(base_cell, BidirectionalCell):
            raise AssertionError(
                "BidirectionalCell doesn't support zoneout since it doesn't support step. Please add ZoneoutCell to the cells underneath "
                "instead."
            )
        super().__init__(base_cell)
        self.zoneout_outputs, self.zoneout_states = zoneout_outputs, zoneout_states
        self._prev_output: Any = None

    def _alias(self) -> str:
        return "zoneout"

    def reset(self) -> None:
        """Forget the output of the last sequence's last step."""
        super().reset()
        self._prev_output = None

    def hybrid_forward(self, F: Any, inputs: Any, states: Any) -> Any:  # type: ignore[override]
        """The base cell's step, or parts of the one before."""
        output, after = self.base_cell(inputs, states)

        def mixed(p: float, new: Any, old: Any) -> Any:
            return F.where(F.Dropout(F.ones_like(new), p=p), new, old)

        before = F.zeros_like(output) if self._prev_output is None else self._prev_output
        if self.zoneout_outputs:
            output = mixed(self.zoneout_outputs, output, before)
        if self.zoneout_states:
            after = [mixed(self.zoneout_states, new, old) for new, old in zip(after, states, strict=True)]
        self._prev_output = output
        return output, after

    def __repr__(self) -> str:
        return f"ZoneoutCell(p_out={self.zoneout_outputs}, p_state={self.zoneout_states}, {self.base_cell})"


class ResidualCell(ModifierCell):
    """Adds its inputs to the base cell's outputs (Wu et al. 2016)."""

    def _alias(self) -> str:
        return "residualcell"

    def hybrid_forward(self, F: Any, inputs: Any, states: Any) -> Any:  # type: ignore[override]
        """(output + inputs, states)."""
        output, states = self.base_cell(inputs, states)
        return output + inputs, states

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """The base cell's, and its inputs added."""
        self.reset()
        self.base_cell._modified = False
        try:
            outputs, states = self.base_cell.unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        finally:
            self.base_cell._modified = True
        merge = isinstance(outputs, NDArray) if merge_outputs is None else merge_outputs
        inputs, axis, _ = format_sequence(length, inputs, layout, merge)
        if valid_length is not None:
            inputs = masked(inputs, valid_length, axis, merge)
        return (outputs + inputs if merge else [a + b for a, b in zip(outputs, inputs, strict=True)]), states


class BidirectionalCell(HybridRecurrentCell):
    """One cell from first to last and one from last to first, their outputs side by side (Schuster and Paliwal 1997)."""

    def __init__(self, l_cell: Any, r_cell: Any, output_prefix: str = "bi_") -> None:
        super().__init__(prefix="", params=None)
        self.register_child(l_cell, "l_cell")
        self.register_child(r_cell, "r_cell")
        self._output_prefix = output_prefix

    def __call__(self, inputs: Any, states: Any) -> Any:  # type: ignore[override]
        raise NotImplementedError(STEPPED)

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Those of the forward cell, then the other's."""
        return [info for cell in self._children.values() for info in cell.state_info(batch_size)]  # type: ignore[attr-defined]

    def begin_state(self, **kwargs: Any) -> States:  # type: ignore[override]
        """Those of the forward cell, then the other's."""
        self._check_own("DropoutCell")
        return [state for cell in self._children.values() for state in cell.begin_state(**kwargs)]  # type: ignore[attr-defined]

    def infer_shape(self, shape: Shape) -> Shape:  # type: ignore[override]
        """Both outputs side by side."""
        left, right = (cell.infer_shape(shape) for cell in self._children.values())
        return (*left[:-1], left[-1] + right[-1])

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: States | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
        valid_length: NDArray | None = None,
    ) -> tuple[Any, States]:
        """As `RecurrentCell.unroll`; with lengths, the backward cell begins at each sample's last step."""
        self.reset()
        steps, axis, batch = format_sequence(length, inputs, layout, False)
        states = self._begin(begin_state, steps, batch)
        left, right = self._children.values()
        count = len(left.state_info(batch))  # type: ignore[attr-defined]
        l_out, l_states = left.unroll(length, steps, states[:count], layout, merge_outputs, valid_length)  # type: ignore[attr-defined]
        r_out, r_states = right.unroll(length, backwards(steps, valid_length), states[count:], layout, False, valid_length)  # type: ignore[attr-defined]
        r_out = backwards(r_out, valid_length)
        if merge_outputs is None:
            merge_outputs = isinstance(l_out, NDArray)
        if merge_outputs:
            outputs: Any = nd.concat(format_sequence(None, l_out, layout, True)[0], nd.stack(*r_out, axis=axis), dim=2)
        else:
            outputs = [nd.concat(a, b, dim=1) for a, b in zip(l_out, r_out, strict=True)]
        if valid_length is not None:
            outputs = masked(outputs, valid_length, axis, merge_outputs)
        return outputs, l_states + r_states

    def __repr__(self) -> str:
        return f"BidirectionalCell(forward={self._children['l_cell']}, backward={self._children['r_cell']})"
