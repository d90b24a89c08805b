"""Methods of NDArray that call the function of `nd` with the same name, as in MXNet."""

from __future__ import annotations

from initlab.engine.nd import (
    arithmetic,
    gathering,
    ordering,
    reduction,
    shaping,
    softmax_family,
    unary,
)
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import OPERATORS

METHODS = {
    unary: (*unary.UNARY, "zeros_like", "ones_like", "hard_sigmoid", "smooth_l1"),
    arithmetic: ("clip",),
    reduction: (
        "sum",
        "mean",
        "prod",
        "max",
        "min",
        "nansum",
        "nanprod",
        "norm",
        "argmax",
        "argmin",
        "argmax_channel",
        "cumsum",
    ),
    softmax_family: ("softmax", "log_softmax", "softmin"),
    shaping: (
        "reshape_like",
        "flatten",
        "expand_dims",
        "squeeze",
        "shape_array",
        "size_array",
        "swapaxes",
        "flip",
        "depth_to_space",
        "space_to_depth",
        "broadcast_axes",
        "broadcast_like",
        "tile",
        "repeat",
        "pad",
        "diag",
        "slice",
        "slice_axis",
        "slice_like",
        "split",
        "split_v2",
    ),
    gathering: ("take", "pick", "one_hot", "dot", "batch_dot"),
    ordering: ("sort", "argsort", "topk"),
}
"""Module -> names of its functions that are methods."""

for _names in METHODS.values():
    for _name in _names:
        setattr(NDArray, _name, OPERATORS[_name])
