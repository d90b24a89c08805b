"""Recurrent layers: several layers, in one or both directions, over whole sequences (MXNet:
gluon/rnn/rnn_layer.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from initlab.engine import nd
from initlab.engine.arrays import DType
from initlab.engine.errors import MXNetError
from initlab.engine.gluon.block import Shape
from initlab.engine.gluon.flow import Chain, Layer, Part
from initlab.engine.gluon.hybrid_block import Functions, HybridBlock
from initlab.engine.gluon.parameter import Parameter
from initlab.engine.gluon.parameter_dict import ParameterDict
from initlab.engine.gluon.rnn.cell import States
from initlab.engine.gluon.rnn.gated import GRUCell, LSTMCell, RNNCell
from initlab.engine.gluon.rnn.modifiers import DropoutCell
from initlab.engine.gluon.rnn.stacked import BidirectionalCell, HybridSequentialRNNCell
from initlab.engine.gluon.rnn.states import make_state
from initlab.engine.gluon.state import InitLike
from initlab.engine.nd import NDArray
from initlab.engine.ops import recurrent
from initlab.engine.ops.recurrent import GATES
from initlab.engine.registry import advice

OLD_NAME = re.compile(r"(l|r)(\d+)_(i2h|h2h|h2r)_(weight|bias)\Z")


class _RNNLayer(HybridBlock):
    """Base class of the layers.

    `layer(inputs)` returns the outputs, `layer(inputs, states)` (outputs, new states). Inputs and
    outputs are (time, batch, channels) for layout TNC; states are (layers * directions, batch,
    channels).
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int,
        layout: str,
        dropout: float,
        bidirectional: bool,
        input_size: int,
        initializers: dict[str, InitLike],
        mode: str,
        projection_size: int | None,
        dtype: DType,
        use_sequence_length: bool,
        prefix: str | None,
        params: ParameterDict | None,
    ) -> None:
        super().__init__(prefix, params)
        if use_sequence_length:  # on a CPU MXNet accepts it and ignores the lengths
            raise MXNetError.checked(
                "use_sequence_length is not supported - unroll a cell with valid_length instead"
            )
        if layout not in ("TNC", "NTC"):
            raise AssertionError(f"Invalid layout {layout}; must be one of ['TNC' or 'NTC']")
        if mode not in GATES:
            raise ValueError(
                f"RNN: no activation '{mode.removeprefix('rnn_')}' - "
                f"{advice(mode.removeprefix('rnn_'), ('relu', 'tanh'))}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"{type(self).__name__}: dropout must lie in [0, 1), got {dropout!r}")
        self._hidden_size, self._num_layers, self._layout, self._dropout = (
            hidden_size,
            num_layers,
            layout,
            dropout,
        )
        self._dir, self._input_size, self._mode, self._dtype = (
            2 if bidirectional else 1,
            input_size,
            mode,
            dtype,
        )
        self._projection_size = projection_size or None
        self._initializers = initializers
        self._skip_states = False
        self._gates = GATES[mode]
        rows, state = self._gates * hidden_size, projection_size or hidden_size
        out = "out" if self._gates == 1 else f"out*{self._gates}"
        width = input_size
        for layer in range(num_layers):
            for side in self._sides:
                self._register(f"{side}{layer}_i2h_weight", (rows, width), (out, "in"))
                self._register(f"{side}{layer}_h2h_weight", (rows, state), (out, "in"))
                self._register(f"{side}{layer}_i2h_bias", (rows,), (out,))
                self._register(f"{side}{layer}_h2h_bias", (rows,), (out,))
                if self._projection_size:
                    self._register(f"{side}{layer}_h2r_weight", (state, hidden_size), ("out", "in"))
            width = state * self._dir

    def data_flow(self) -> Part:
        """For each of its layers, the weights of both directions; h2h and h2r receive its output."""
        return Chain(
            [
                Layer(names, inner=[name for name in names if "_i2h_" not in name])
                for names in (
                    [name for name in self._reg_params if name[1:].startswith(f"{layer}_")]
                    for layer in range(self._num_layers)
                )
            ]
        )

    @property
    def _sides(self) -> tuple[str, ...]:
        return ("l", "r")[: self._dir]

    def _register(self, name: str, shape: Shape, roles: tuple[str, ...]) -> None:
        init = self._initializers[name.partition("_")[2]]
        made_ = self.params.get(
            name, shape=shape, init=init, allow_deferred_init=True, dtype=self._dtype, roles=roles
        )
        setattr(self, name, made_)

    def __repr__(self) -> str:
        rows, columns = self._reg_params["l0_i2h_weight"].shape
        parts = [f"{columns or None} -> {rows // self._gates}", self._layout]
        parts += [f"num_layers={self._num_layers}"] if self._num_layers != 1 else []
        parts += [f"dropout={self._dropout}"] if self._dropout != 0 else []
        parts += ["bidirectional"] if self._dir == 2 else []
        return f"{type(self).__name__}({', '.join(parts)})"

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, Parameter]:
        """Return parameters under the paths that MXNet writes into files, like
        `_unfused.0.i2h_weight`.

        MXNet keeps these names so that older files can be read.
        """
        start = prefix + "." if prefix else ""
        found = {}
        for key, parameter in self._reg_params.items():
            match = OLD_NAME.match(key)
            assert match is not None
            side, layer, source, kind = match.groups()
            cell = f"{side}_cell." if self._dir == 2 else ""
            found[f"{start}_unfused.{layer}.{cell}{source}_{kind}"] = parameter
        return found

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return shape, layout and dtype of each state."""
        shape = (
            self._num_layers * self._dir,
            batch_size,
            self._projection_size or self._hidden_size,
        )
        return [{"shape": shape, "__layout__": "LNC", "dtype": self._dtype}]

    def begin_state(
        self, batch_size: int = 0, func: Callable[..., NDArray] = nd.zeros, **kwargs: Any
    ) -> list[NDArray]:
        """Return the initial states of a sequence, created by `func`.

        `kwargs`, for example `ctx` and `dtype`, are passed to `func`.
        """
        return [
            make_state(func, f"{self.prefix}h0_{i}", info | kwargs)
            for i, info in enumerate(self.state_info(batch_size))
        ]

    def cast(self, dtype: DType) -> None:
        """Change the element type of the parameters and of the states that the layer creates."""
        super().cast(dtype)
        self._dtype = dtype

    def output_shape(self, shape: Shape, *states: Shape) -> Shape:
        """Return the outputs' shape. Raises MXNetError if the input has not 3 axes or does not fit
        the weight.
        """
        if len(shape) != 3:
            raise MXNetError.checked(
                f"{type(self).__name__} needs an input of 3 axes, {self._layout}, got {shape}"
            )
        for side in self._sides:
            weight = self._reg_params[f"{side}0_i2h_weight"]
            if weight.shape[1] not in (0, shape[2]):
                raise MXNetError.checked(
                    f"Error in operator {self.name}: Shape inconsistent, Provided = "
                    f"[{weight.shape[0]},{weight.shape[1]}], "
                    f"inferred shape=({weight.shape[0]},{shape[2]})"
                )
            weight.shape = (weight.shape[0], shape[2])
        return (*shape[:2], (self._projection_size or self._hidden_size) * self._dir)

    def __call__(self, inputs: NDArray, states: Any = None) -> Any:
        self._skip_states = states is None
        if states is None and isinstance(inputs, NDArray) and inputs.ndim == 3:
            states = self.begin_state(
                inputs.shape[self._layout.find("N")], ctx=inputs.context, dtype=inputs.dtype
            )
        return super().__call__(inputs, [states] if isinstance(states, NDArray) else states)

    def hybrid_forward(
        self, F: Functions, inputs: NDArray, states: States, **params: NDArray
    ) -> NDArray | tuple[NDArray, States]:
        """Return (outputs, new states), or only the outputs if no states were given.

        Raises ValueError if the number or a shape of the states is wrong.
        """
        self.output_shape(inputs.shape)
        infos = self.state_info(inputs.shape[self._layout.find("N")])
        if len(states) != len(infos):
            raise ValueError(f"{type(self).__name__} has {len(infos)} states, got {len(states)}")
        for state, info in zip(states, infos, strict=True):
            if state.shape != info["shape"]:
                raise ValueError(
                    f"Invalid recurrent state shape. Expecting {info['shape']}, got {state.shape}."
                )
        x = inputs if self._layout == "TNC" else F.swapaxes(inputs, dim1=0, dim2=1)
        after: list[list[NDArray]] = []
        for layer in range(self._num_layers):
            if layer and self._dropout:
                x = F.Dropout(x, p=self._dropout)
            sides = []
            for number, side in enumerate(self._sides):
                own = [value for key, value in params.items() if key.startswith(f"{side}{layer}_")]
                first = [state[layer * self._dir + number] for state in states]
                output, last = self._sequence(F.flip(x, axis=0) if number else x, first, own)
                sides.append(F.flip(output, axis=0) if number else output)
                after.append(last)
            x = sides[0] if self._dir == 1 else F.concat(*sides, dim=2)
        outputs = x if self._layout == "TNC" else F.swapaxes(x, dim1=0, dim2=1)
        if self._skip_states:
            return outputs
        return outputs, [F.stack(*each, axis=0) for each in zip(*after, strict=True)]

    def _sequence(
        self, x: NDArray, states: list[NDArray], weights: list[NDArray]
    ) -> tuple[NDArray, list[NDArray]]:
        """Run one layer in one direction; return (outputs, [last states])."""
        raise NotImplementedError

    def _cell(self, **options: Any) -> Any:
        """Return the cell that computes one step of the layer."""
        raise NotImplementedError

    def _unfuse(self) -> HybridSequentialRNNCell:
        """Return the same network made of cells that share its parameters.

        Raises AssertionError for a layer with projection.
        """
        if self._projection_size:
            raise AssertionError("_unfuse does not support projection layer yet!")
        stack = HybridSequentialRNNCell(prefix=self.prefix, params=self.params)
        options = {
            f"{name}_initializer": self._initializers[name]
            for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
        }
        width = self._input_size
        with stack.name_scope():
            for layer in range(self._num_layers):
                cells = [
                    self._cell(prefix=f"{side}{layer}_", input_size=width, **options)
                    for side in self._sides
                ]
                stack.add(BidirectionalCell(*cells) if self._dir == 2 else cells[0])
                if self._dropout > 0 and layer != self._num_layers - 1:
                    stack.add(DropoutCell(self._dropout))
                width = self._hidden_size * self._dir
        return stack


def _by_parameter(
    i2h_weight: InitLike,
    h2h_weight: InitLike,
    i2h_bias: InitLike,
    h2h_bias: InitLike,
    h2r_weight: InitLike = None,
) -> dict[str, InitLike]:
    """Return the initializers by the end of the parameter's name."""
    return {
        "i2h_weight": i2h_weight,
        "h2h_weight": h2h_weight,
        "i2h_bias": i2h_bias,
        "h2h_bias": h2h_bias,
        "h2r_weight": h2r_weight,
    }


class RNN(_RNNLayer):
    """h_t = activation(W_i x_t + b_i + W_h h_{t-1} + b_h) in `num_layers` layers.

    `activation` is relu or tanh; raises ValueError for another.
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        activation: str = "relu",
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        input_size: int = 0,
        dtype: DType = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        initializers = _by_parameter(
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
        )
        super().__init__(
            hidden_size,
            num_layers,
            layout,
            dropout,
            bidirectional,
            input_size,
            initializers,
            f"rnn_{activation}",
            None,
            dtype,
            use_sequence_length,
            prefix,
            params,
        )

    def _sequence(
        self, x: NDArray, states: list[NDArray], weights: list[NDArray]
    ) -> tuple[NDArray, list[NDArray]]:
        outputs = recurrent.simple_recurrence(x, *states, *weights, mode=self._mode)
        return outputs, [outputs[-1]]

    def _cell(self, **options: Any) -> Any:
        return RNNCell(self._hidden_size, activation=self._mode.removeprefix("rnn_"), **options)


class LSTM(_RNNLayer):
    """Long short-term memory in `num_layers` layers.

    `projection_size` projects the outputs to fewer units (Sak et al. 2014). `state_clip_min` and
    `state_clip_max` limit the cell state after each step. Raises ValueError for `state_clip_nan`,
    which is not supported.
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        input_size: int = 0,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        projection_size: int | None = None,
        h2r_weight_initializer: InitLike = None,
        state_clip_min: float | None = None,
        state_clip_max: float | None = None,
        state_clip_nan: bool = False,
        dtype: DType = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        if state_clip_nan:
            raise ValueError("LSTM: state_clip_nan is not supported - NaN stays NaN")
        initializers = _by_parameter(
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
            h2r_weight_initializer,
        )
        self._clip = {"low": state_clip_min, "high": state_clip_max}
        super().__init__(
            hidden_size,
            num_layers,
            layout,
            dropout,
            bidirectional,
            input_size,
            initializers,
            "lstm",
            projection_size,
            dtype,
            use_sequence_length,
            prefix,
            params,
        )

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Return the shapes of h, which is projected, and of c."""
        shape = (self._num_layers * self._dir, batch_size, self._hidden_size)
        return [
            *super().state_info(batch_size),
            {"shape": shape, "__layout__": "LNC", "dtype": self._dtype},
        ]

    def _sequence(
        self, x: NDArray, states: list[NDArray], weights: list[NDArray]
    ) -> tuple[NDArray, list[NDArray]]:
        outputs, cell = recurrent.lstm(x, *states, *weights, **self._clip)
        return outputs, [outputs[-1], cell]

    def _unfuse(self) -> HybridSequentialRNNCell:
        if any(bound is not None for bound in self._clip.values()):
            raise AssertionError("_unfuse does not support state clipping yet!")
        return super()._unfuse()

    def _cell(self, **options: Any) -> Any:
        return LSTMCell(self._hidden_size, **options)


class GRU(_RNNLayer):
    """Gated recurrent units in `num_layers` layers.

    As in cuDNN, the reset gate is applied after the product with the recurrent weight.
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        input_size: int = 0,
        i2h_weight_initializer: InitLike = None,
        h2h_weight_initializer: InitLike = None,
        i2h_bias_initializer: InitLike = "zeros",
        h2h_bias_initializer: InitLike = "zeros",
        dtype: DType = "float32",
        use_sequence_length: bool = False,
        prefix: str | None = None,
        params: ParameterDict | None = None,
    ) -> None:
        initializers = _by_parameter(
            i2h_weight_initializer,
            h2h_weight_initializer,
            i2h_bias_initializer,
            h2h_bias_initializer,
        )
        super().__init__(
            hidden_size,
            num_layers,
            layout,
            dropout,
            bidirectional,
            input_size,
            initializers,
            "gru",
            None,
            dtype,
            use_sequence_length,
            prefix,
            params,
        )

    def _sequence(
        self, x: NDArray, states: list[NDArray], weights: list[NDArray]
    ) -> tuple[NDArray, list[NDArray]]:
        outputs = recurrent.gru(x, *states, *weights)
        return outputs, [outputs[-1]]

    def _cell(self, **options: Any) -> Any:
        return GRUCell(self._hidden_size, **options)
