"""The simple, LSTM and GRU cells. The weights of their gates are stacked along axis 0."""

from __future__ import annotations

from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.hybrid_block import Functions
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, States
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray


class _GatedCell(HybridRecurrentCell):
    """Base class of the cells with weights, whose gates are stacked along axis 0."""

    gates: int
    states: int = 1
    hint: str

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
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
            setattr(
                self,
                name,
                self.params.get(
                    name, shape=shape, init=init, allow_deferred_init=True, roles=roles
                ),
            )

    def _alias(self) -> str:
        return self.hint

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the shape of each state, (batch, hidden_size)."""
        return [
            {"shape": (batch_size, self._hidden_size), "__layout__": "NC"}
            for _ in range(self.states)
        ]

    def output_shape(self, shape: Shape) -> Shape:
        """Return (batch, hidden_size). Raises MXNetError if the input does not fit the weight."""
        weight = self._reg_params["i2h_weight"]
        if weight.shape[1] not in (0, shape[-1]):
            raise MXNetError.checked(
                f"Error in operator {self.name}_i2h: Shape inconsistent, Provided = "
                f"[{weight.shape[0]},{weight.shape[1]}], "
                f"inferred shape=({weight.shape[0]},{shape[-1]})"
            )
        weight.shape = (weight.shape[0], shape[-1])
        return (*shape[:-1], self._hidden_size)

    def _products(
        self,
        F: Functions,
        inputs: NDArray,
        state: NDArray,
        i2h_weight: NDArray,
        h2h_weight: NDArray,
        i2h_bias: NDArray,
        h2h_bias: NDArray,
    ) -> tuple[Any, Any]:
        """Return (W_i x + b_i, W_h h + b_h), each (batch, gates * hidden_size)."""
        return F.FullyConnected(inputs, i2h_weight, i2h_bias), F.FullyConnected(
            state, h2h_weight, h2h_bias
        )

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
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
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

    output_shape = _GatedCell.output_shape

    def hybrid_forward(
        self,
        F: Functions,
        inputs: NDArray,
        states: States,
        i2h_weight: NDArray,
        h2h_weight: NDArray,
        i2h_bias: NDArray,
        h2h_bias: NDArray,
    ) -> tuple[NDArray, States]:
        """Return (h', [h'])."""
        of_inputs, of_state = self._products(
            F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias
        )
        output = self._get_activation(F, of_inputs + of_state, self._activation)
        return output, [output]


class LSTMCell(_GatedCell):
    """c' = f c + i g, h' = o tanh(c').

    i, f, g and o are the input, forget, cell and output gates. Source: Hochreiter and Schmidhuber
    1997, Gers et al. 2000.
    """

    gates = 4
    states = 2
    hint = "lstm"

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
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

    output_shape = _GatedCell.output_shape

    def hybrid_forward(
        self,
        F: Functions,
        inputs: NDArray,
        states: States,
        i2h_weight: NDArray,
        h2h_weight: NDArray,
        i2h_bias: NDArray,
        h2h_bias: NDArray,
    ) -> tuple[NDArray, States]:
        """Return (h', [h', c'])."""
        of_inputs, of_state = self._products(
            F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias
        )
        parts = F.split(of_inputs + of_state, num_outputs=4, axis=1)
        i, f, o = (self._get_activation(F, parts[k], self._recurrent_activation) for k in (0, 1, 3))
        g = self._get_activation(F, parts[2], self._activation)
        cell = f * states[1] + i * g
        output = o * self._get_activation(F, cell, self._activation)
        return output, [output, cell]


class GRUCell(_GatedCell):
    """h' = (1 - z) n + z h, with n = tanh(W x + b + r (U h + d)).

    r and z are the reset and update gates. Source: Cho et al. 2014.
    """

    gates = 3
    hint = "gru"

    output_shape = _GatedCell.output_shape

    def hybrid_forward(
        self,
        F: Functions,
        inputs: NDArray,
        states: States,
        i2h_weight: NDArray,
        h2h_weight: NDArray,
        i2h_bias: NDArray,
        h2h_bias: NDArray,
    ) -> tuple[NDArray, States]:
        """Return (h', [h'])."""
        of_inputs, of_state = self._products(
            F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias
        )
        (ir, iz, im), (hr, hz, hm) = (
            F.split(part, num_outputs=3, axis=1) for part in (of_inputs, of_state)
        )
        r, z = F.sigmoid(ir + hr), F.sigmoid(iz + hz)
        new = F.tanh(im + r * hm)
        output = (1 - z) * new + z * states[0]
        return output, [output]
