"""Recurrent layers of a config; samples are sequences (time, channels)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Optional

from initlab.engine import gluon
from initlab.engine.errors import OptionError
from initlab.engine.gluon import nn, rnn
from initlab.engine.init import Initializer
from initlab.engine.options import Count, choice
from initlab.runner.layers.base import Context, Layer, Rate, register


class _PlainPaths:
    """Gives parameters their own names (`l0_i2h_weight`) instead of those that MXNet writes into
    files.
    """

    def _collect_params_with_prefix(self, prefix: str = "") -> dict[str, gluon.Parameter]:
        return gluon.Block._collect_params_with_prefix(self, prefix)  # type: ignore[arg-type]


class _RNN(_PlainPaths, rnn.RNN):
    pass


class _LSTM(_PlainPaths, rnn.LSTM):
    pass


class _GRU(_PlainPaths, rnn.GRU):
    pass


@dataclass
class Recurrent(Layer):
    """Base class of recurrent layers: (time, channels) -> (time, hidden_size), twice that if
    `bidirectional`.

    Parameters are `l0_i2h_weight`, `l0_h2h_weight` and their biases; `r0_…` for the backward
    direction, `l1_…` in the next of `num_layers` layers. The initializer options apply to all
    layers. `dropout` is applied between layers.
    """

    tokens: ClassVar[bool | None] = False
    block: ClassVar[Callable[..., gluon.Block]]
    """Gluon's layer."""
    hidden_size: Count
    """The units of each direction of a layer."""
    num_layers: Count = 1
    """How many layers, one on the other."""
    bidirectional: bool = False
    """Whether a second direction reads the sequence backwards; the outputs are joined."""
    dropout: Rate = 0.0
    """The fraction left out between layers while training."""
    i2h_weight_initializer: Optional[Initializer] = None
    """What draws the weights from the input, of all layers; null: the network's initializer."""
    h2h_weight_initializer: Optional[Initializer] = None
    """What draws the weights from the last step, of all layers; null: the network's initializer."""
    i2h_bias_initializer: Optional[Initializer] = None
    """What draws the input's biases; null: zeros, unless a rule names them."""
    h2h_bias_initializer: Optional[Initializer] = None
    """What draws the last step's biases; null: zeros, unless a rule names them."""

    @property
    def copies(self) -> int:
        return self.num_layers

    def options(self) -> dict[str, str | int | None]:
        """Return the options of Gluon's layer that not all kinds have."""
        return {}

    def build(self, context: Context) -> gluon.Block:
        """Gluon's layer; biases are zero unless an option or a rule says otherwise."""
        block = type(self).block(
            self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            layout="NTC",
            dtype=context.dtype,
            **self.options(),
        )
        for name, parameter in block._reg_params.items():
            group = name.partition("_")[2]
            parameter.init = context.initializer(
                name, "zeros" if group.endswith("bias") else None, group
            )
        return block


@register
@dataclass
class Rnn(Recurrent):
    """A recurrent layer without gates: (time, channels) -> (time, hidden_size).

    Parameters are `l0_i2h_weight`, `l0_h2h_weight` and their biases; `r0_…` of the other direction,
    `l1_…` of the next layer.

    Formula: h_t = activation(W_i x_t + b_i + W_h h_(t-1) + b_h)

    Source: Elman, "Finding structure in time", 1990; Gluon, `gluon.rnn.RNN`.

    Example:
        input: [12, 4]
        layers:
          - {kind: rnn, hidden_size: 16, h2h_weight_initializer: orthogonal}
    """

    block: ClassVar[Callable[..., gluon.Block]] = _RNN
    activation: Annotated[str, choice("tanh relu")] = "tanh"
    """The activation of a step."""

    def options(self) -> dict[str, str | int | None]:
        """Return the activation."""
        return {"activation": self.activation}


@register
@dataclass
class Lstm(Recurrent):
    """Long short-term memory: (time, channels) -> (time, hidden_size).

    The gates are packed in the order input, forget, cell, output. Parameters are named as those of
    `rnn`.

    Formula: c_t = f c_(t-1) + i tanh(g), h_t = o tanh(c_t)

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gluon, `gluon.rnn.LSTM`.

    Example:
        input: [12, 4]
        layers:
          - {kind: lstm, hidden_size: 16, i2h_bias_initializer: lstm_bias}
    """

    block: ClassVar[Callable[..., gluon.Block]] = _LSTM
    projection_size: Optional[Count] = None
    """To how many units each output is projected; null: it is not."""
    h2r_weight_initializer: Optional[Initializer] = None
    """What draws the projection; null: the network's initializer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.projection_size is None and self.h2r_weight_initializer is not None:
            raise OptionError("h2r_weight_initializer", "is given, but there is no projection_size")

    def options(self) -> dict[str, str | int | None]:
        """Return the projection."""
        return {"projection_size": self.projection_size}


@register
@dataclass
class Gru(Recurrent):
    """Gated recurrent units: (time, channels) -> (time, hidden_size).

    The gates are packed in the order reset, update, new. Parameters are named as those of `rnn`.

    Formula: h_t = (1 - z) n + z h_(t-1)

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; Gluon,
    `gluon.rnn.GRU`.

    Example:
        input: [12, 4]
        layers:
          - {kind: gru, hidden_size: 16}
    """

    block: ClassVar[Callable[..., gluon.Block]] = _GRU


class _LastStep(nn.HybridLambda):
    def __init__(self) -> None:
        super().__init__(lambda F, x: x[:, -1])
        self._func_name = "last step"

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape without the time axis."""
        return (shape[0], *shape[2:])


@register
@dataclass
class LastStep(Layer):
    """The last step of a sequence: (time, …) -> (…).

    Example:
        input: [12, 4]
        layers:
          - {kind: gru, hidden_size: 16}
          - {kind: last_step}
          - {kind: dense, units: 10}
    """

    def build(self, context: Context) -> gluon.Block:
        """Return a block without parameters."""
        return _LastStep()
