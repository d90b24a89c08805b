"""Initializers of recurrent layers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from initlab.engine import laws, nd
from initlab.engine.errors import OptionError
from initlab.engine.init.base import InitDesc, Initializer, create, register
from initlab.engine.init.description import Description
from initlab.engine.options import Finite, choice

GATES = {
    "rnn_relu": ("",),
    "rnn_tanh": ("",),
    "lstm": ("_i", "_f", "_c", "_o"),
    "gru": ("_r", "_z", "_o"),
}
"""The gates that a mode stacks, in order."""


@register
@dataclass(eq=False, repr=False)
class LSTMBias(Initializer):
    """A number for the forget gate, the second of four gates, and 0 for the others: for the biases
    of an LSTM. MXNet: `LSTMBias`, which fills anything.

    Source: Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
    architectures", 2015, recommend 1.

    Example:
        input: [12, 4]
        layers:
          - {kind: lstm, hidden_size: 16, i2h_bias_initializer: lstm_bias}
    """

    forget_bias: Finite = 1.0
    """The bias of the forget gate."""

    def law(self, description: Description) -> laws.Law:
        """Return ForgetGate(forget_bias).

        Raises ValueError if the axis roles say that the parameter is no bias of four gates.
        """
        if description.roles is not None and description.roles != ("out*4",):
            raise ValueError(
                f"{description.name}: lstm_bias fills biases of an LSTM's four gates only, this is "
                f"{description.shape} of {', '.join(description.roles)} - choose it for the layer's "
                "own biases (i2h_bias_initializer), or in a rule of mixed"
            )
        return laws.ForgetGate(self.forget_bias)


@register
class FusedRNN(Initializer):
    """An initializer for a vector that packs all weights and then all biases of a recurrent
    network. MXNet: `FusedRNN`.

    `init` (an initializer or its `dumps`), or the network's initializer if `init` is None, fills
    the weights. Biases are filled by their names; both biases of an LSTM's forget gate are
    `forget_bias`. Since it only works with a packed vector, configs cannot choose it.
    """

    kind: ClassVar[str] = ""

    def __init__(
        self,
        init: Initializer | str | None,
        num_hidden: int,
        num_layers: int,
        mode: str,
        bidirectional: bool = False,
        forget_bias: float = 1.0,
    ) -> None:
        made = create(init) if isinstance(init, str) else init
        super().__init__(
            init=None if made is None else made.dumps(),
            num_hidden=num_hidden,
            num_layers=num_layers,
            mode=mode,
            bidirectional=bidirectional,
            forget_bias=forget_bias,
        )
        self._init = made
        self._num_hidden, self._num_layers = num_hidden, num_layers
        self._mode = choice(GATES)("mode", mode)
        self._directions = ("l", "r") if bidirectional else ("l",)
        self._forget_bias = forget_bias

    def _inputs(self, size: int) -> int:
        """Return the number of inputs of the first layer, given the length of the vector.

        Raises OptionError if no number fits.
        """
        hidden, gates, sides = self._num_hidden, len(GATES[self._mode]), len(self._directions)
        inputs = (
            size / sides / hidden / gates
            - (self._num_layers - 1) * (hidden + sides * hidden + 2)
            - hidden
            - 2
        )
        if inputs < 1 or inputs != int(inputs):
            raise OptionError(
                "num_hidden",
                f"does not fit a packed vector of {size} elements: {self._num_layers} layers of {hidden} "
                f"leave {inputs:g} inputs",
            )
        return int(inputs)

    def pieces(self, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """(name, shape) of what is packed, in order: `l0_i2h_f_weight`."""
        hidden, inputs = self._num_hidden, self._inputs(size)
        for kind in ("weight", "bias"):
            for layer in range(self._num_layers):
                below = inputs if layer == 0 else hidden * len(self._directions)
                for side in self._directions:
                    for source, width in (("i2h", below), ("h2h", hidden)):
                        for gate in GATES[self._mode]:
                            yield (
                                f"{side}{layer}_{source}{gate}_{kind}",
                                (hidden, width) if kind == "weight" else (hidden,),
                            )

    def _init_weight(self, desc: Any, arr: nd.NDArray) -> None:
        network = self._init or getattr(desc, "global_init", None)
        start = 0
        for name, shape in self.pieces(arr.size):
            size = math.prod(shape)
            piece = nd.zeros(shape, ctx=arr.context, dtype=arr.dtype)
            if self._mode == "lstm" and name.endswith("_f_bias"):
                piece[:] = self._forget_bias
            elif network is None or network is self:
                raise OptionError(
                    "init", "is missing: there is no network's initializer to take its place"
                )
            else:
                network(InitDesc(name, global_init=getattr(desc, "global_init", None)), piece)
            arr[start : start + size] = piece.reshape((-1,))
            start += size

    def dumps(self) -> str:
        """As MXNet writes it."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])
