"""What the constructors of torch.nn's layers write into their parameters, in their order.

    Linear, convolutions   weight: kaiming_uniform_(a=sqrt(5)); bias: U(-b, b), b = 1 / sqrt(fan_in)
    Embedding              N(0, 1)
    RNN, LSTM, GRU         U(-b, b), b = 1 / sqrt(hidden_size), for all
    MultiheadAttention     the outputs' projection as Linear, then xavier_uniform_ of the packed weight;
                           zero biases, that of the projection after a Linear's

The numbers are computed in the order of torch's operations, so that they are its own to the bit. Layers
that are not here draw nothing in torch, and have the same constants. Source: torch 2.13 torch/nn/modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from initlab.engine import gluon, init
from initlab.engine.gluon import nn, rnn

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
Writes: TypeAlias = list[tuple[str, init.Initializer]]
"""(parameter, how it is filled), in order; of one that is filled twice, the second counts."""
LEAKY_GAIN = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))


def _linear(shapes: Shapes, weight: str = "weight", bias: str = "bias") -> Writes:
    """The fan is what the axes of the weight after the first have, for transposed convolutions too."""
    fan_in = math.prod(shapes[weight][1:])
    found: Writes = [(weight, init.Uniform(math.sqrt(3.0) * (LEAKY_GAIN / math.sqrt(fan_in))))]
    if bias in shapes:
        found.append((bias, init.Uniform(1 / math.sqrt(fan_in))))
    return found


def _embedding(shapes: Shapes) -> Writes:
    return [(name, init.Normal(1.0)) for name in shapes]


def _recurrent(shapes: Shapes) -> Writes:
    """A projection, h2r, has as many inputs as the layer has hidden units."""
    hidden = shapes["l0_h2r_weight" if "l0_h2r_weight" in shapes else "l0_h2h_weight"][1]
    return [(name, init.Uniform(1 / math.sqrt(hidden))) for name in shapes]


def _attention(shapes: Shapes) -> Writes:
    """The fans of the packed weight are those of its whole shape."""
    spread = math.sqrt(2.0 / float(sum(shapes["qkv_weight"])))
    biases = [name for name in ("qkv_bias", "projection_bias") if name in shapes]
    return [
        *_linear(shapes, "projection_weight", "projection_bias"),
        ("qkv_weight", init.Uniform(math.sqrt(3.0) * spread)),
        *((name, init.Zero()) for name in biases),
    ]


LAYERS: dict[type[gluon.Block], tuple[str, Callable[[Shapes], Writes]]] = {
    nn.Dense: ("Linear", _linear),
    nn.Conv1D: ("Conv1d", _linear),
    nn.Conv2D: ("Conv2d", _linear),
    nn.Conv3D: ("Conv3d", _linear),
    nn.Conv1DTranspose: ("ConvTranspose1d", _linear),
    nn.Conv2DTranspose: ("ConvTranspose2d", _linear),
    nn.Conv3DTranspose: ("ConvTranspose3d", _linear),
    nn.Embedding: ("Embedding", _embedding),
    nn.PositionEmbedding: ("Embedding", _embedding),
    rnn.RNN: ("RNN", _recurrent),
    rnn.LSTM: ("LSTM", _recurrent),
    rnn.GRU: ("GRU", _recurrent),
    nn.MultiHeadAttention: ("MultiheadAttention", _attention),
}
"""Block -> (torch's name of the layer, what its constructor writes)."""


def constructor_of(block: gluon.Block) -> tuple[str, Writes]:
    """Return torch's name of the layer, and what its constructor writes into the parameters, whose
    shapes must be known; nothing for layers that draw nothing.
    """
    for kind, (name, writes) in LAYERS.items():
        if isinstance(block, kind):
            own = {key: tuple(parameter.shape) for key, parameter in block._reg_params.items()}
            return name, writes(own)
    return "", []
