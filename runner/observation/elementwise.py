"""Activations of one's own: whether a layer is a function of single numbers, and its mean square."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine import autograd, gluon, nd
from initlab.runner.measures.base import activation_name, is_activation
from initlab.runner.observation.tree import Node
from initlab.runner.theory.gaussian import line

SMALL = 1e-5
"""Parts of the largest value by which a function on a line may differ from the line, in float32."""


def own_power(node: Node) -> float | None:
    """Return E[f(z)^2] of a layer that is an activation with a class of its own; None for any other."""
    known, floats = is_activation(node.block), np.dtype(node.entered.dtype).kind == "f"
    if activation_name(node.block) or not (node.leaf and node.alone and floats):
        return None
    own = known or not node.block.structural_params()
    return power_of(node.block, node.entered.shape) if own else None


def power_of(block: gluon.Block, shape: tuple[int, ...]) -> float | None:
    """Return E[f(z)^2] for z ~ N(0, 1) of a layer that applies a function f to each number.

    `shape` is that of an input, whose first axis is the batch. None for any other layer: one that
    mixes numbers, or whose function is a line, like a multiplication. The mean is by quadrature, with
    the layer's own values of f.
    """
    width = math.prod(shape[1:])
    if len(shape) < 2 or width == 0:
        return None
    z, weights = line()
    rows = -(-2 * z.size // width)
    draw = np.random.Generator(np.random.Philox(0))
    places = draw.permutation(rows * width)[: z.size]
    found = []
    for _ in range(2):
        x = draw.normal(size=rows * width)
        x[places] = z
        with autograd.pause(train_mode=False):
            y = block(nd.array(x.reshape(rows, *shape[1:]), dtype="float32"))
        if not isinstance(y, nd.NDArray) or y.shape != (rows, *shape[1:]):
            return None
        found.append(np.asarray(y.asnumpy(), np.float64).ravel()[places])
    values, others = found
    if not np.array_equal(values, others) or _is_line(z, values):
        return None
    return float(weights @ values**2)


def _is_line(z: np.ndarray, values: np.ndarray) -> bool:
    """Return whether values at the nodes z are those of a + b z."""
    basis = np.stack([np.ones_like(z), z])
    nearest = np.linalg.lstsq(basis.T, values, rcond=None)[0] @ basis
    return bool(np.abs(values - nearest).max() <= SMALL * np.abs(values).max(initial=0.0))
