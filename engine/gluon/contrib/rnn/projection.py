"""The LSTM cell with a projection (MXNet: gluon/contrib/rnn/rnn_cell.py)."""

from __future__ import annotations

from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.gluon.hybrid_block import Functions
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.rnn.cell import HybridRecurrentCell, States
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray

Shape = tuple[int, ...]


class LSTMPCell(HybridRecurrentCell):
    """An LSTM cell whose output is r' = W_r h', which it also feeds back: c' = f c + i g, h' = o
    tanh(c').

    The states are r (batch, projection_size) and c (batch, hidden_size). Source: Sak et al. 2014.
    """

    def __init__(
        self,
        hidden_size: int,
        projection_size: int,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        h2r_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        super().__init__(prefix, params)
        self._hidden_size, self._projection_size = hidden_size, projection_size
        self._input_size, rows = input_size, 4 * hidden_size
        for name, shape, init, roles in (
            ("i2h_weight", (rows, input_size), i2h_weight_initializer, ("out*4", "in")),
            ("h2h_weight", (rows, projection_size), h2h_weight_initializer, ("out*4", "in")),
            ("h2r_weight", (projection_size, hidden_size), h2r_weight_initializer, ("out", "in")),
            ("i2h_bias", (rows,), i2h_bias_initializer, ("out*4",)),
            ("h2h_bias", (rows,), h2h_bias_initializer, ("out*4",)),
        ):
            parameter = self.params.get(
                name, shape=shape, init=init, allow_deferred_init=True, roles=roles
            )
            setattr(self, name, parameter)

    def _alias(self) -> str:
        return "lstmp"

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the shapes of r and c."""
        sizes = (self._projection_size, self._hidden_size)
        return [{"shape": (batch_size, size), "__layout__": "NC"} for size in sizes]

    def output_shape(self, shape: Shape) -> Shape:
        """Return (batch, projection_size). Raises MXNetError if the input does not fit the weight."""
        weight = self._reg_params["i2h_weight"]
        if weight.shape[1] not in (0, shape[-1]):
            raise MXNetError.checked(
                f"Error in operator {self.name}_i2h: Shape inconsistent, Provided = "
                f"[{weight.shape[0]},{weight.shape[1]}], "
                f"inferred shape=({weight.shape[0]},{shape[-1]})"
            )
        weight.shape = (weight.shape[0], shape[-1])
        return (*shape[:-1], self._projection_size)

    def hybrid_forward(
        self,
        F: Functions,
        inputs: NDArray,
        states: States,
        i2h_weight: NDArray,
        h2h_weight: NDArray,
        h2r_weight: NDArray,
        i2h_bias: NDArray,
        h2h_bias: NDArray,
    ) -> tuple[NDArray, States]:
        """Return (r', [r', c'])."""
        of_inputs = F.FullyConnected(inputs, i2h_weight, i2h_bias)
        gates: Any = of_inputs + F.FullyConnected(states[0], h2h_weight, h2h_bias)
        i, f, g, o = F.split(gates, num_outputs=4, axis=1)
        cell = F.sigmoid(f) * states[1] + F.sigmoid(i) * F.tanh(g)
        hidden = F.sigmoid(o) * F.tanh(cell)
        output = F.FullyConnected(hidden, h2r_weight, no_bias=True)
        return output, [output, cell]

    def __repr__(self) -> str:
        rows, columns = self._reg_params["i2h_weight"].shape
        return f"LSTMPCell({columns or None} -> {rows} -> {self._projection_size})"
