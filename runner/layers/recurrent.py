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
    num_layers: Count = 1
    bidirectional: bool = False
    dropout: Rate = 0.0
    i2h_weight_initializer: Optional[Initializer] = None
    h2h_weight_initializer: Optional[Initializer] = None
    i2h_bias_initializer: Optional[Initializer] = None
    h2h_bias_initializer: Optional[Initializer] = None

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
    """h_t = activation(W_i x_t + b_i + W_h h_{t-1} + b_h), with activation tanh or relu."""

    block: ClassVar[Callable[..., gluon.Block]] = _RNN
    activation: Annotated[str, choice("tanh relu")] = "tanh"

    def options(self) -> dict[str, str | int | None]:
        """Return the activation."""
        return {"activation": self.activation}


@register
@dataclass
class Lstm(Recurrent):
    """Long short-term memory; `projection_size` projects its outputs to fewer units."""

    block: ClassVar[Callable[..., gluon.Block]] = _LSTM
    projection_size: Optional[Count] = None
    h2r_weight_initializer: Optional[Initializer] = None

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
    """Gated recurrent units."""

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
    """The last step of a sequence: (time, …) -> (…)."""

    def build(self, context: Context) -> gluon.Block:
        """Return a block without parameters."""
        return _LastStep()
