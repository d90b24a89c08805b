"""Finds the convolutions whose output goes into a pixel shuffle, which `init=icnr` is for.

In a declared network it is known which layer feeds which: layers that follow each other in a list,
with nothing but operations on each channel alone between them.
"""

from __future__ import annotations

from initlab.engine import gluon
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib.nn import (
    HybridConcurrent,
    PixelShuffle1D,
    PixelShuffle2D,
    PixelShuffle3D,
)
from initlab.engine.gluon.nn.containers import SHORTCUT

SHUFFLES = (PixelShuffle1D, PixelShuffle2D, PixelShuffle3D)
EACH_CHANNEL = (
    nn.Activation,
    nn.BatchNorm,
    nn.Dropout,
    nn.ELU,
    nn.GELU,
    nn.InstanceNorm,
    nn.LeakyReLU,
    nn.PReLU,
    nn.SELU,
    nn.Scale,
    nn.Shift,
    nn.Swish,
)
"""Layers that treat equal channels equally, at initialization."""


def note_shuffles(root: gluon.Block) -> None:
    """Set `shuffle` of every parameter: the factors of the pixel shuffle that its layer's output
    goes into, () if it goes into none.
    """
    for parameter in root.structural_params().values():
        parameter.shuffle = ()
    _follow(root, None)


def _follow(block: gluon.Block, weight: gluon.Parameter | None) -> gluon.Parameter | None:
    """Note the shuffles within a block.

    `weight` made the block's input, unchanged but for operations on each channel; None if no single
    convolution did. Returns the weight that made the output in this sense.
    """
    if isinstance(block, SHUFFLES):
        if weight is not None:
            weight.shuffle = block.factors
        return None
    if isinstance(block, EACH_CHANNEL):
        return weight
    if isinstance(block, nn.Residual):
        made = weight
        for name, child in block._children.items():
            if name == SHORTCUT:
                _follow(child, weight)
            else:
                made = _follow(child, made)
        return None
    if isinstance(block, nn.HybridSequential) and not isinstance(block, HybridConcurrent):
        for child in block._children.values():
            weight = _follow(child, weight)
        return weight
    for child in block._children.values():
        _follow(child, weight if isinstance(block, HybridConcurrent) else None)
    own = block._reg_params.get("weight")
    return own if own is not None and "spatial" in (own.roles or ()) else None
