"""Arguments and attributes to test every primitive with, by its name."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.autograd import PRIMITIVES

RNG = np.random.default_rng(0)
A = RNG.uniform(0.2, 2.0, (3, 4)) * np.where(RNG.random((3, 4)) < 0.5, -1, 1)
B = RNG.uniform(0.3, 2.0, (3, 4)) * np.where(RNG.random((3, 4)) < 0.5, -1, 1)
ROW = RNG.uniform(0.3, 2.0, (1, 4))
POSITIVE = np.abs(A) + 0.1
MATRIX = RNG.normal(size=(5, 4))
BIAS = RNG.normal(size=5)
MASK = (RNG.random((3, 4)) < 0.5) * 2.0
INDEX = np.array([2, 0, 3])
ORDER = np.array([[1, 0, 2, 2], [0, 1, 1, 2], [2, 2, 0, 1]])
CUBE = RNG.normal(size=(2, 3, 4))
IMAGE = RNG.normal(size=(2, 2, 5, 4))
KERNEL = RNG.normal(size=(4, 1, 3, 2))
FULL = RNG.normal(size=(3, 2, 2, 3))
WIDE = RNG.normal(size=(2, 8, 7))
WIDE_KERNEL = RNG.normal(size=(8, 4, 2))
MANY = RNG.normal(size=(24, 2, 2, 3))
"""So many units that gradients by the input are folded."""
ONE = RNG.normal(size=(3, 8, 1))
RAW = ("mask", "mean", "variance")
"""Attributes that are raw arrays."""

CASES: dict[str, list[tuple[tuple, dict]]] = {
    "add": [((A, B), {}), ((A, ROW), {}), ((A, 2.5), {}), ((2.5, A), {})],
    "subtract": [((A, B), {}), ((ROW, A), {}), ((2.5, A), {})],
    "multiply": [((A, B), {}), ((A, ROW), {}), ((A, 2.5), {})],
    "divide": [((A, B), {}), ((A, ROW), {}), ((2.5, A), {}), ((A, 2.5), {})],
    "modulo": [((POSITIVE, 0.73), {}), ((POSITIVE, np.full((3, 4), 0.73)), {})],
    "power": [((POSITIVE, B), {}), ((POSITIVE, 1.7), {}), ((1.7, B), {})],
    "maximum": [((A, B), {}), ((A, 0.1), {})],
    "minimum": [((A, B), {}), ((A, ROW), {})],
    "where": [((MASK, A, B), {}), ((MASK[:, 0], A, B), {})],
    "equal": [((A, B), {})],
    "not_equal": [((A, B), {})],
    "greater": [((A, B), {})],
    "greater_equal": [((A, 0.0), {})],
    "less": [((A, B), {})],
    "less_equal": [((A, B), {})],
    "hypot": [((A, B), {}), ((A, ROW), {}), ((A, 2.5), {})],
    "logical_and": [((A, MASK), {})],
    "logical_or": [((A, MASK), {})],
    "logical_xor": [((A, MASK), {})],
    **{name: [((POSITIVE,), {})] for name in ("sqrt", "rsqrt", "log", "log1p", "log2", "log10")},
    **{name: [((A / 2.2,), {})] for name in ("arcsin", "arccos", "arctanh", "erfinv")},
    "arccosh": [((POSITIVE + 1,), {})],
    "gamma": [((A + 0.05,), {}), ((POSITIVE * 3,), {})],
    "gammaln": [((A + 0.05,), {}), ((POSITIVE * 9,), {})],
    "hard_sigmoid": [((A,), {"alpha": 0.4, "beta": 0.5})],
    "smooth_l1": [((A,), {"scalar": 0.9})],
    "clip": [((A,), {"a_min": -0.7, "a_max": 0.8})],
    "cast": [((A,), {"dtype": "float64"})],
    "masked": [((A,), {"mask": MASK})],
    "softmax": [((A,), {}), ((A,), {"axis": 0})],
    "log_softmax": [((A,), {}), ((A,), {"axis": 0})],
    "sum": [
        ((A,), {}),
        ((A,), {"axis": 1}),
        ((A,), {"axis": (0, 1), "keepdims": True}),
        ((A,), {"axis": 0, "exclude": True}),
    ],
    "mean": [((A,), {}), ((A,), {"axis": -1}), ((A,), {"axis": 0, "keepdims": True})],
    "max": [((A,), {}), ((A,), {"axis": 1}), ((A,), {"axis": 0, "keepdims": True})],
    "min": [((A,), {}), ((A,), {"axis": 1})],
    "prod": [
        ((A,), {}),
        ((A,), {"axis": 1}),
        ((A * (MASK > 0),), {"axis": 0}),
        ((A,), {"axis": (0, 1), "keepdims": True}),
    ],
    "norm": [((A,), {}), ((A,), {"axis": 1}), ((A,), {"axis": 0, "ord": 1})],
    "cumsum": [((A,), {"axis": 0}), ((A,), {"axis": 1})],
    "argmax": [((A,), {}), ((A,), {"axis": 1})],
    "argmin": [((A,), {"axis": 1})],
    "reshape": [
        ((A,), {"shape": (4, 3)}),
        ((A,), {"shape": (-1, 0), "reverse": True, "view": False}),
        ((A,), {"shape": (0, -1)}),
        ((A,), {"shape": (-3,)}),
    ],
    "transpose": [((A,), {}), ((A,), {"axes": (1, 0)})],
    "broadcast_to": [((ROW,), {"shape": (3, 4)})],
    "flip": [((A,), {"axes": (1,)}), ((A,), {"axes": (0, 1)})],
    "tile": [((A,), {"reps": (2, 3)}), ((A,), {"reps": (2,)}), ((A,), {"reps": (2, 1, 2)})],
    "repeat": [((A,), {"repeats": 2, "axis": 1}), ((A,), {"repeats": 3, "axis": 0})],
    "concat": [((A, B), {"dim": 1}), ((A, MATRIX), {"dim": 0})],
    "stack": [((A, B), {"axis": 0}), ((A, B), {"axis": -1})],
    "getitem": [
        ((A,), {"key": 1}),
        ((A,), {"key": (slice(0, 2), slice(None, None, 2))}),
        ((A,), {"key": (1, 2)}),
        ((A,), {"key": (slice(None), None, slice(None, None, -2)), "view": False}),
        ((A,), {"key": (Ellipsis, INDEX)}),
        ((A,), {"key": (INDEX[::2] - 1, INDEX[::2])}),
        ((A,), {"key": (INDEX * 0,)}),
    ],
    "take_along_axis": [
        ((A,), {"numbers": ORDER, "axis": 1}),
        ((A,), {"numbers": ORDER[:2], "axis": 0}),
    ],
    "scatter": [
        ((A,), {"key": (INDEX, INDEX[::-1]), "shape": (4, 5, 4)}),
        ((A,), {"key": (INDEX * 0,), "shape": (2, 4)}),
    ],
    "replace": [
        ((A, B[:2]), {"key": (slice(1, 3),)}),
        ((A, BIAS[:3]), {"key": (slice(None), 1)}),
        ((A, ROW[0, :3]), {"key": (slice(None), INDEX)}),
    ],
    "take": [
        ((A, INDEX), {"axis": 1}),
        ((A, INDEX + 3), {"axis": 1, "mode": "wrap"}),
        ((A, INDEX[:2]), {"axis": 0}),
    ],
    "pick": [((A, INDEX), {}), ((A, INDEX), {"keepdims": True})],
    "convolution": [
        (
            (IMAGE, KERNEL, BIAS[:4]),
            {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2},
        ),
        ((IMAGE, FULL), {"stride": (1, 1), "pad": (0, 1), "dilate": (1, 1)}),
        ((IMAGE, FULL), {"stride": (3, 2), "pad": (2, 3), "dilate": (1, 1)}),
        ((WIDE, WIDE_KERNEL), {"stride": (2,), "pad": (1,), "dilate": (2,), "groups": 2}),
        ((IMAGE, MANY), {"stride": (2, 3), "pad": (1, 2), "dilate": (2, 1)}),
        ((IMAGE, MANY), {"stride": (1, 1), "pad": (2, 0), "dilate": (1, 1)}),
        ((WIDE, ONE), {"stride": (1,), "pad": (0,), "dilate": (1,)}),
        ((WIDE, ONE), {"stride": (2,), "pad": (0,), "dilate": (1,)}),
    ],
    "deconvolution": [
        (
            (IMAGE, KERNEL[:2], BIAS[:2]),
            {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "adjust": (1, 0), "groups": 2},
        ),
        ((IMAGE, FULL[:2]), {"stride": (3, 2), "pad": (0, 1), "dilate": (1, 1), "adjust": (2, 1)}),
        (
            (MANY[:1].reshape(1, 2, 6), RNG.normal(size=(2, 1, 3))),
            {"stride": (3,), "pad": (0,), "dilate": (1,), "adjust": (2,)},
        ),
        (
            (WIDE, WIDE_KERNEL[:, :2]),
            {"stride": (2,), "pad": (1,), "dilate": (2,), "adjust": (0,), "groups": 2},
        ),
    ],
    "batch_norm": [
        ((A, BIAS[:4], ROW[0]), {}),
        ((IMAGE, BIAS[:2], ROW[0][:2]), {}),
        ((IMAGE, BIAS[:4], ROW[0]), {"axis": -1, "epsilon": 0.1}),
    ],
    "fixed_norm": [
        (
            (IMAGE, BIAS[:2], ROW[0][:2]),
            {"mean": np.array([0.3, -1]), "variance": np.array([0.5, 2.0])},
        )
    ],
    "layer_norm": [((A, BIAS[:4], ROW[0]), {}), ((IMAGE, BIAS[:2], ROW[0][:2]), {"axis": 1})],
    "instance_norm": [((IMAGE, BIAS[:2], ROW[0][:2]), {})],
    "group_norm": [
        ((WIDE, BIAS[:2], ROW[0][:2]), {"groups": 2}),
        ((IMAGE, BIAS[:1], ROW[0][:1]), {}),
    ],
    "elu": [((A,), {}), ((A,), {"alpha": 0.3})],
    "leaky": [((A,), {}), ((A,), {"slope": 0.3})],
    "prelu": [
        ((A, BIAS[:4]), {}),
        ((A, BIAS[:1]), {}),
        ((IMAGE, BIAS[:2]), {}),
        ((A[0], BIAS[:4]), {}),
    ],
    "pad": [
        ((IMAGE,), {"widths": ((0, 0), (0, 0), (2, 1), (0, 3)), "mode": mode})
        for mode in ("constant", "edge", "reflect", "wrap")
    ],
    "max_pool": [
        ((IMAGE,), {"kernel": (5, 4), "stride": (1, 1), "pad": (0, 0)}),
        ((IMAGE,), {"kernel": (1, 1), "stride": (2, 3), "pad": (0, 0)}),
        ((IMAGE,), {"kernel": (3, 2), "stride": (2, 2), "pad": (1, 1)}),
        ((IMAGE,), {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0), "ceil": True}),
    ],
    "avg_pool": [
        ((IMAGE,), {"kernel": (5, 4), "stride": (1, 1), "pad": (0, 0)}),
        ((IMAGE,), {"kernel": (2, 3), "stride": (3, 1), "pad": (1, 1), "divide": False}),
        ((IMAGE,), {"kernel": (3, 2), "stride": (2, 2), "pad": (1, 1)}),
        (
            (IMAGE,),
            {
                "kernel": (3, 2),
                "stride": (2, 2),
                "pad": (1, 1),
                "ceil": True,
                "count_include_pad": False,
            },
        ),
    ],
    "one_hot": [((INDEX,), {"depth": 4})],
    "dot": [
        ((A, MATRIX.T), {}),
        ((A, MATRIX), {"transpose_b": True}),
        ((A.T, B), {}),
        ((A, B), {"transpose_a": True}),
        ((BIAS, BIAS), {}),
        ((MATRIX, ROW[0]), {}),
        ((CUBE, MATRIX), {"transpose_b": True}),
        ((CUBE, CUBE[:, :, 1]), {"transpose_a": True}),
        ((CUBE, CUBE), {"transpose_b": True}),
        ((BIAS[:2], CUBE), {}),
    ],
    "batch_dot": [
        ((CUBE, CUBE), {"transpose_b": True}),
        ((CUBE, CUBE[:, ::-1]), {"transpose_a": True}),
        ((CUBE, CUBE.swapaxes(1, 2)), {}),
        ((CUBE[None], CUBE[None].swapaxes(2, 3)), {"transpose_a": True, "transpose_b": True}),
    ],
    "fully_connected": [
        ((A, MATRIX, BIAS), {}),
        ((A, MATRIX), {}),
        ((A.reshape(3, 2, 2), MATRIX, BIAS), {}),
        ((A[None], MATRIX, BIAS), {"flatten": False}),
    ],
}
PATHS = RNG.normal(size=(5, 3, 4))
SEQUENCE, STATE, CELL = (RNG.normal(size=shape) for shape in ((4, 2, 3), (2, 3), (2, 3)))


def recurrent_weights(gates: int, state: int = 3) -> tuple:
    return tuple(
        RNG.normal(size=shape)
        for shape in ((3 * gates, 3), (3 * gates, state), (3 * gates,), (3 * gates,))
    )


LABELS, STEPS, COUNTS = np.array([[0, 1], [2, 2], [1, 0]]), np.array([5, 4, 3]), np.array([2, 2, 1])
CASES |= {
    "simple_recurrence": [
        ((SEQUENCE, STATE, *recurrent_weights(1)), {"mode": mode})
        for mode in ("rnn_tanh", "rnn_relu")
    ],
    "gru": [((SEQUENCE, STATE, *recurrent_weights(3)), {})],
    "lstm": [
        ((SEQUENCE, STATE, CELL, *recurrent_weights(4)), {}),
        ((SEQUENCE, STATE[:, :2], CELL, *recurrent_weights(4, 2), RNG.normal(size=(2, 3))), {}),
        ((SEQUENCE[:2], STATE, CELL, *recurrent_weights(4)), {"low": -0.4, "high": 0.5}),
    ],
    "attention": [
        ((IMAGE, IMAGE[:, :, ::-1].copy() + 1, IMAGE[..., :3].copy()), {"scale": 0.7}),
        (
            (IMAGE, IMAGE[:, :, :3] * 2, IMAGE[:, :, 1:4]),
            {"scale": 0.5, "allowed": RNG.random((2, 1, 5, 3)) < 0.6},
        ),
        ((IMAGE, IMAGE + 1, IMAGE), {"scale": 0.5, "drop": (RNG.random((2, 2, 5, 5)) < 0.5) * 2.0}),
    ],
    "ctc_loss": [
        ((PATHS, LABELS, STEPS, COUNTS), {"blank": 3}),
        ((PATHS, LABELS[:, :1] + 1, STEPS, COUNTS * 0 + 1), {"blank": 0}),
        ((PATHS, LABELS, STEPS, COUNTS), {"blank": int(LABELS[0, 0])}),
    ],
    "log1p": [((POSITIVE,), {})],
    "total": [
        ((A,), {"axis": (1,), "keepdims": False}),
        ((A,), {"axis": (0, 1), "keepdims": True}),
    ],
    "spread": [((ROW,), {"shape": (2, 3, 4)})],
    "matmul": [((A, MATRIX.T), {}), ((IMAGE, np.swapaxes(IMAGE[:1, :, :3], -1, -2).copy()), {})],
    "part": [((A,), {"key": 1}), ((A,), {"key": (slice(None), np.array([0, 0, 2]))})],
}
MATRICES = RNG.normal(size=(2, 3, 3)) + 2 * np.eye(3)
DEFINITE = MATRICES @ MATRICES.swapaxes(1, 2)
CASES |= {
    "inverse": [((MATRICES,), {}), ((MATRICES[0],), {})],
    "solve": [((MATRICES, CUBE), {}), ((MATRICES[0], MATRIX.T[:3]), {})],
    "cholesky": [((DEFINITE,), {}), ((DEFINITE[0],), {})],
    "determinant": [((MATRICES,), {}), ((MATRICES[0],), {})],
    "log_determinant": [((MATRICES,), {}), ((MATRICES[0],), {})],
    "lq": [((CUBE,), {}), ((MATRIX.T,), {})],
    "eigen": [((DEFINITE,), {}), ((DEFINITE[0],), {})],
}
SYMMETRIC = {"cholesky", "eigen"}
"""Primitives of symmetric matrices: the tests give them the symmetric part of their argument."""
UNARY = [((A,), {})]
NOT_ITS_OWN = {"round_through": 1.0, "sign_through": 1.0, "make_loss": 1.0, "scale_gradient": 3.0}
"""Primitives whose gradient is that of something else: a number."""
CASES |= {
    "scale_gradient": [((A,), {"scalar": 3.0})],
    "constant": [((A, B), {"value": np.ones(3)})],
}
NO_GRADIENT = {
    "equal",
    "not_equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "sign",
    "floor",
    "ceil",
    "round",
    "argmax",
    "argmin",
    "one_hot",
    "block_grad",
    "constant",
    "trunc",
    "rint",
    "isnan",
    "isinf",
    "isfinite",
    "logical_not",
    "logical_and",
    "logical_or",
    "logical_xor",
}
NOT_DIFFERENTIATED = {"ctc_loss": {1, 2, 3}, "take": {1}, "pick": {1}, "where": {0}}
"""Positions of arguments that are indices or conditions."""


def cases(module: str = "") -> list:
    """Return the cases of the primitives of a module, e.g. "linear" of `engine.ops`; without one,
    all cases.
    """
    return [
        pytest.param(name, *case, id=f"{name}-{i}")
        for name in sorted(PRIMITIVES)
        if not module or PRIMITIVES[name].__module__.rpartition(".")[2] == module
        for i, case in enumerate(CASES.get(name, UNARY))
    ]


def joined(name):
    """Return a primitive with one result: several results are concatenated."""

    def applied(*args, **attributes):
        if name in SYMMETRIC:
            args = [(args[0] + args[0].swapaxes(dim1=args[0].ndim - 2, dim2=args[0].ndim - 1)) / 2]
        out = PRIMITIVES[name](*args, **attributes)
        return (
            nd.concat(*(part.reshape((-1,)) for part in out), dim=0)
            if isinstance(out, tuple)
            else out
        )

    return applied
