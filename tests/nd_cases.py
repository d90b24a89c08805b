"""Calls of `nd` that `vectors/record_nd.py` records from MXNet once, and that every test run
repeats on the engine.

A case is `(function, arguments, options)`. Arrays among the arguments are passed as they are, so
float64 ones are float64 in both libraries. A failing case also names a part of MXNet's message,
which the engine's message must contain.
"""

from __future__ import annotations

import numpy as np

RNG = np.random.RandomState(0)


def floats(*shape, low=-2.0, high=2.0, dtype="float32"):
    return RNG.uniform(low, high, shape).astype(dtype)


def whole(*values, dtype="float32"):
    return np.array(values, dtype=dtype)


A, B, ROW, COLUMN = floats(3, 4), floats(3, 4), floats(1, 4), floats(3, 1)
CUBE, OTHER, VECTOR = floats(2, 3, 4), floats(2, 3, 4), floats(4)
IMAGE = floats(1, 4, 2, 4)
WIDE = floats(3, 4, dtype="float64")
INTEGERS = whole([7, -7, 2, 0], [3, 5, -1, 9], dtype="int32")
MASK = whole([1, 0, 2, 0], [0, 0, 1, 1], [1, 1, 1, 0])
TIES = whole([3, 1, 3, 2], [1, 1, 2, 2], [0, 4, 0, 4])
NAN = whole([1, np.nan, 3], [np.nan, 2, -2])

CASES: list[tuple[str, tuple, dict]] = []


def case(function, *arguments, **options):
    CASES.append((function, arguments, options))


for name in (
    "abs", "sign", "negative", "square", "exp", "expm1", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh", "floor", "ceil",
    "round", "rint", "fix", "trunc", "degrees", "radians", "relu", "sigmoid", "softsign", "erf", "cbrt", "reciprocal", "logical_not",
    "zeros_like", "ones_like", "identity", "make_loss", "BlockGrad", "stop_gradient", "hard_sigmoid", "smooth_l1", "softmax", "log_softmax",
    "softmin", "flatten", "shape_array", "size_array", "argmax_channel", "rcbrt", "gammaln",
):  # fmt: skip
    case(name, A)
    if name not in (
        "erf",
        "hard_sigmoid",
        "smooth_l1",
        "softmax",
        "log_softmax",
        "softmin",
        "gammaln",
        "rcbrt",
    ):
        case(name, WIDE)
for name in ("sqrt", "rsqrt", "log", "log2", "log10", "log1p", "gamma", "gammaln", "rcbrt"):
    case(name, floats(3, 4, low=0.1, high=5.0))
for name in ("arcsin", "arccos", "arctanh", "erfinv"):
    case(name, floats(3, 4, low=-0.95, high=0.95))
case("arccosh", floats(3, 4, low=1.1, high=5.0))
case("gamma", floats(3, 4, low=-3.9, high=-0.1))
case("rint", whole(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))
case("round", whole(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))
for name in ("exp", "sqrt", "square", "abs", "sigmoid", "log", "tanh"):
    case(name, np.abs(INTEGERS) + 1)
case("hard_sigmoid", A, alpha=0.3, beta=0.4)
case("smooth_l1", A, scalar=0.8)

for name in (
    "add", "subtract", "multiply", "divide", "modulo", "maximum", "minimum", "equal", "not_equal", "greater", "greater_equal", "lesser",
    "lesser_equal", "logical_and", "logical_or", "logical_xor",
):  # fmt: skip
    case(name, A, B)
    case(name, A, ROW)
    case(name, COLUMN, ROW)
    case(name, A, 1.5)
    case(name, 1.5, A)
    case(name, INTEGERS, 2)
    case(name, INTEGERS, 2.7)
    if name not in ("divide", "modulo"):
        case(name, INTEGERS, INTEGERS[::-1].copy())
case("power", np.abs(A) + 0.1, B)
case("power", np.abs(A) + 0.1, ROW)
case("power", A, 2)
case("power", np.abs(A) + 0.1, -1.5)
case("power", 2.5, A)
case("power", INTEGERS, 2)
case("modulo", whole(-5, 5, 5.5, 0), 3)
case("modulo", whole(-5, 5, 5.5, 0), -3)
case("modulo", whole(5, -5), 0)
case("modulo", 5, whole(3, -3, 2))
for name in (
    "add",
    "sub",
    "mul",
    "div",
    "maximum",
    "minimum",
    "hypot",
    "equal",
    "not_equal",
    "greater",
    "greater_equal",
    "lesser",
    "lesser_equal",
):
    case("broadcast_" + name, A, ROW)
    case("broadcast_" + name, COLUMN, B)
for name in ("logical_and", "logical_or", "logical_xor"):
    case("broadcast_" + name, MASK, ROW)
for name in (
    "broadcast_plus",
    "broadcast_minus",
    "elemwise_add",
    "elemwise_sub",
    "elemwise_mul",
    "elemwise_div",
):
    case(name, A, B)
case("broadcast_power", np.abs(A) + 0.1, ROW)
case("broadcast_mod", A, np.abs(ROW) + 0.5)
case("add_n", A, B, A)
case("ElementWiseSum", A)
case("where", MASK, A, B)
case("where", whole(1, 0, 2), A, B)
case("where", MASK.astype("int32"), A, B)
case("clip", A, -0.5, 1.0)
case("clip", INTEGERS, -1.5, 2.5)

for name in (
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "nansum",
    "nanprod",
    "sum_axis",
    "max_axis",
    "min_axis",
):
    case(name, A)
    case(name, CUBE, axis=1)
    case(name, CUBE, axis=(0, -1), keepdims=True)
    case(name, CUBE, axis=1, exclude=True)
    case(name, CUBE, axis=())
case("nansum", NAN, axis=1)
case("nanprod", NAN, axis=1)
for name in ("sum", "mean", "prod", "max", "min"):
    case(name, INTEGERS)
for name in ("argmax", "argmin"):
    case(name, A)
    case(name, A, axis=1)
    case(name, CUBE, axis=-2, keepdims=True)
    case(name, TIES, axis=1)
    case(name, INTEGERS, axis=0)
    case(name, WIDE, axis=0)
case("norm", A)
case("norm", A, ord=1)
case("norm", CUBE, ord=2, axis=1)
case("norm", CUBE, ord=1, axis=(1, 2), keepdims=True)
case("moments", CUBE, axes=(0, 2))
case("moments", A, axes=(0,), keepdims=True)
case("cumsum", A)
case("cumsum", CUBE, axis=1)
case("cumsum", A, axis=0, dtype="float64")
case("histogram", A, bins=5, range=(-2, 2))
case("L2Normalization", CUBE)
case("L2Normalization", CUBE, mode="channel")
case("L2Normalization", IMAGE, mode="spatial")

for codes in (
    (4, 0, 2),
    (-1, 0),
    (2, -2),
    (0, -3),
    (-3, 0),
    (-3, -2),
    (0, -4, 3, -1, 0),
    (-4, 1, 2, -2),
    (-4, -1, 2, -2),
    (0, -4, -1, 3, 0),
    (24,),
):
    case("reshape", CUBE, shape=codes)
case("Reshape", CUBE, shape=(-1, 0), reverse=True)
case("reshape", floats(10, 5, 4), shape=(-1, 0), reverse=True)
case("reshape_like", floats(12), A)
case(
    "reshape_like", floats(30, 7), floats(15, 2, 4), lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2
)
case(
    "reshape_like",
    floats(2, 6, 3),
    floats(5, 3, 2, 8),
    lhs_begin=1,
    lhs_end=-1,
    rhs_begin=1,
    rhs_end=3,
)
case("Flatten", CUBE)
case("flatten", VECTOR)
for axis in (0, 1, -1, -3):
    case("expand_dims", A, axis=axis)
case("squeeze", floats(1, 2, 1))
case("squeeze", floats(1, 2, 1), axis=(0,))
case("squeeze", floats(1, 1))
case("transpose", CUBE)
case("transpose", CUBE, axes=(1, 0, 2))
case("swapaxes", CUBE, 0, 2)
case("SwapAxis", CUBE, dim1=-1, dim2=1)
case("moveaxis", CUBE, 0, 2)
case("moveaxis", CUBE, (0, 1), (-1, -2))
case("flip", A, axis=1)
case("reverse", CUBE, axis=(0, 2))
case("depth_to_space", IMAGE, 2)
case("space_to_depth", IMAGE, 2)
case("broadcast_to", ROW, shape=(3, 0))
case("broadcast_axis", floats(1, 2, 1), axis=(0, 2), size=(2, 3))
case("broadcast_axes", ROW, axis=0, size=5)
case("broadcast_like", ROW, A)
case("broadcast_like", floats(1, 9), floats(5), lhs_axes=(0,), rhs_axes=(-1,))
for reps in (2, (2, 2), (2, 1, 1), ()):
    case("tile", A, reps=reps)
case("repeat", A, repeats=2)
case("repeat", A, repeats=3, axis=1)
case("repeat", CUBE, repeats=2, axis=-2)
for mode in ("constant", "edge", "reflect"):
    case("pad", IMAGE, mode=mode, pad_width=(0, 0, 0, 0, 1, 1, 0, 3), constant_value=5.0)
    case("Pad", floats(1, 2, 3, 2, 2), mode=mode, pad_width=(0, 0, 0, 0, 2, 1, 1, 0, 0, 1))
for k in (0, 1, -1):
    case("diag", A, k=k)
    case("diag", VECTOR, k=k)
    case("diag", CUBE, k=k, axis1=2, axis2=0)
case("slice", CUBE, begin=(0, 1), end=(2, 3))
case("slice", A, begin=(None, -2), end=(None, None))
case("slice", A, begin=(None, None), end=(None, None), step=(2, -1))
case("slice", A, begin=(2, 0), end=(None, 9), step=(-1, 2))
case("crop", A, begin=(1, 1), end=(3, 2))
case("slice_axis", CUBE, axis=1, begin=1, end=None)
case("slice_axis", CUBE, axis=-1, begin=-3, end=-1)
case("slice_like", CUBE, floats(1, 2, 3))
case("slice_like", CUBE, floats(1, 2, 2), axes=(0, -1))
case("split", A, num_outputs=2)
case("SliceChannel", A, num_outputs=4, squeeze_axis=True)
case("split_v2", A, (1, 3), axis=1)
case("split_v2", A, 3, squeeze_axis=True)
case("concat", A, ROW, dim=0)
case("Concat", CUBE, OTHER, dim=-1)
case("stack", A, B)
case("stack", A, B, axis=-1)

case("take", A, whole([0, 5], [-1, 1]))
case("take", A, whole(0, 5, -1, 1), mode="wrap")
case("take", A, whole(1, 1.7), axis=-1)
case("take", A, whole(0, 2, 2, dtype="int32"), axis=1, mode="raise")
case("batch_take", A, whole(3, 0, 9, dtype="int32"))
case("pick", A, whole(0, 5, -1))
case("pick", A, whole(0, 1, 2, 0), axis=0)
case("pick", A, whole(-1, 5, 9), mode="wrap")
case("pick", A, whole([0], [2], [1]), keepdims=True)
case("choose_element_0index", A, whole(0, 1, 3))
case("fill_element_0index", A, VECTOR[:3].copy(), whole(0, 3, 1))
case("one_hot", whole([0, 3], [5, -1]), 4)
case("one_hot", whole(0, 1, dtype="int32"), 3, on_value=8, off_value=-1, dtype="int32")
case("gather_nd", CUBE, whole([0, 1, 0], [1, 2, 1]))
case("gather_nd", CUBE, whole([[0, 1], [1, 1]], [[2, 1], [0, 0]], [[3, 1], [0, 0]]))
case("scatter_nd", VECTOR[:3].copy(), whole([0, 1, 1], [1, 0, 2]), shape=(2, 3))
case("scatter_nd", A, whole([4, 0, 2]), shape=(5, 4))
case("ravel_multi_index", whole([0, 1], [2, 1]), shape=(2, 3))
case("unravel_index", whole(2, 4, 5), shape=(2, 3))
for name, options in (("sort", {}), ("argsort", {}), ("argsort", {"dtype": "int32"})):
    for axis in (-1, 0):
        for ascending in (True, False):
            if not (name == "sort" and axis == 0):
                case(name, TIES, axis=axis, is_ascend=ascending, **options)
case("argsort", A, axis=None)
for kind in ("value", "indices", "mask", "both"):
    case("topk", A, k=2, ret_typ=kind)
    case("topk", TIES, k=2, axis=0, ret_typ=kind, is_ascend=True)
    case("topk", CUBE, k=3, axis=2, ret_typ=kind, dtype="int32")
    case("topk", TIES, k=0, ret_typ=kind)
case("topk", A, axis=None, k=5, dtype="int64")
case("dot", A, B.T.copy())
case("dot", A, B, transpose_b=True)
case("dot", A, B, transpose_a=True)
case("dot", VECTOR, VECTOR)
case("dot", A, VECTOR)
case("dot", WIDE, WIDE, transpose_a=True)
case("batch_dot", CUBE, OTHER, transpose_b=True)
case("batch_dot", CUBE, OTHER, transpose_a=True)
case("batch_dot", CUBE, OTHER.swapaxes(1, 2).copy())
case("batch_dot", floats(2, 2, 3, 4), floats(2, 2, 4, 2))
case("khatri_rao", A, floats(2, 4))

LENGTHS = whole(1, 2, 1)
case("SequenceMask", CUBE, LENGTHS, use_sequence_length=True, value=-1.0)
case("SequenceMask", CUBE, whole(1, 3), True, axis=1)
case("SequenceMask", CUBE)
case("SequenceLast", CUBE, LENGTHS, use_sequence_length=True)
case("SequenceLast", CUBE, whole(1, 3), use_sequence_length=True, axis=1)
case("SequenceReverse", CUBE)
case("SequenceReverse", floats(4, 3, 2), whole(1, 4, 3), use_sequence_length=True)
case("softmax", CUBE, axis=1, temperature=2.5)
case("log_softmax", CUBE, axis=0, temperature=0.5)
case("softmin", CUBE, axis=1)
case("softmax", A, whole(1, 4, 2, dtype="int32"), use_length=True)
case(
    "softmax",
    CUBE,
    whole([1, 2, 0, 1], [2, 2, 1, 0], [3, 1, 2, 3], dtype="int32")[:2],
    axis=1,
    use_length=True,
    temperature=2.0,
)
case("softmax", A, whole(0, 2, 1, dtype="int64"), use_length=True)
case("softmax_cross_entropy", A, whole(0, 3, 1))
case("SoftmaxActivation", A)
case("SoftmaxActivation", CUBE, mode="channel")
case("cast", A * 10, dtype="int32")
case("Cast", A, dtype="float64")
case("amp_cast", A, dtype="float16")
case("contrib.isnan", NAN)
case("contrib.isinf", whole(1, np.inf, -np.inf))
case("contrib.isfinite", whole(1, np.inf, np.nan))
case("contrib.arange_like", A)
case("contrib.arange_like", A, start=1, step=2, repeat=2)
case("contrib.arange_like", A, axis=1)
case("contrib.boolean_mask", A, whole(1, 0, 1))
case("contrib.index_array", A)
case("contrib.index_array", CUBE, axes=(2, 0))
case("contrib.index_copy", A, whole(2, 0), floats(2, 4))
case("contrib.div_sqrt_dim", A)
case("contrib.quadratic", A, a=1.0, b=2.0, c=3.0)
case("contrib.gradientmultiplier", A, scalar=-2.0)
case("contrib.round_ste", A)
case("contrib.sign_ste", A)

case("linalg.gemm2", A, B, transpose_b=True)
case("linalg.gemm2", CUBE, OTHER, transpose_a=True, alpha=2.0)
case("linalg.gemm", A, B, floats(4, 4), transpose_a=True, alpha=2.0, beta=-1.0)
case("linalg.syrk", A)
case("linalg.syrk", CUBE, transpose=True, alpha=0.5)
case("linalg.extractdiag", floats(2, 3, 3))
case("linalg.extractdiag", floats(3, 3), offset=1)
case("linalg.makediag", A)
case("linalg.makediag", VECTOR, offset=-1)
case("linalg.sumlogdiag", np.abs(floats(2, 3, 3)) + 0.1)

ROWS_APART = [
    np.random.RandomState(1).uniform(-2, 2, shape).astype("float32")
    for shape in ((2, 3, 2, 4), (2, 4, 2, 3), (2, 3, 2, 3))
]
"""Drawn apart, so that what is drawn below stays as it was recorded."""
case("linalg.gemm2", *ROWS_APART[:2], axis=1)
case("linalg.gemm2", ROWS_APART[1], ROWS_APART[0], transpose_a=True, transpose_b=True, axis=1)
case("linalg.gemm", *ROWS_APART, alpha=2.0, beta=-1.0, axis=1)
case("linalg.gemm2", A, B, transpose_b=True, axis=-2)
case("broadcast_mul", A, ROW, axis=-1)
case("unravel_index", whole(5, 0, 11), shape=(-1, 3))
case("MAERegressionOutput", A, A)

KEYS = [
    0, -1, (0, 1), (0, 1, 2), slice(None, None, -1), (slice(None), slice(2, 0, -1)), (Ellipsis, 1), (None, 0), (0, None), None,
    (slice(0, 2), None, 1), [0, 1, 0], ([0, 1], [1, 2]), whole(1, 0), (whole(1, 0), whole(2, 1)), (slice(None), [0, 2]),
    ([0, 1], slice(None), [0, 3]), (0, slice(None), [0, 3]), (0, [0, 1], slice(1, 3)), whole([0, 1], [1, 0], dtype="int64"),
    slice(5, 9), True, (), Ellipsis, (slice(None, None, 2), slice(None, None, -2)), ([0, 1], None, [0, 1]), (None, [0, 1]), range(2),
    (slice(-10, 10), 0), (1, -1, -1), (slice(1, None), slice(None), slice(1, 3)), (slice(None), 1, slice(3, None, -2)),
]  # fmt: skip
"""Taken from CUBE."""

ASSIGNMENTS = [
    (0, 1.5), ((0, 1), 7), (slice(None), VECTOR), (slice(None), COLUMN), ((slice(None), 1), whole(1, 2, 3)), ((slice(None), 1), [1, 2, 3]),
    (([0, 1], [1, 2]), 5), (([0, 1], [1, 2]), whole(5, 6)), ([0, 2], floats(2, 4)), (slice(None, None, -1), B), ((Ellipsis, 0), -1), (None, 3),
    (whole(0, 2), 9), (slice(None), WIDE), ((slice(None), slice(1, 3)), floats(1, 3, 2)), ((0, 0), whole(5)), (slice(0, 0), 1),
    ((1, [0, 2]), whole(5, 6)), (slice(None, None, 2), floats(2, 4)), ((), 1), ((0, None), 5), (slice(None), (1, 2, 3, 4)),
]  # fmt: skip
"""(key, value) written into A."""

FAILURES = [
    ("exp", (np.ones(2),), {}, "AssertionError", "Argument data must have NDArray type, but got"),
    ("elemwise_add", (A, ROW), {}, "MXNetError", "at 1-th input: expected [3,4], got [1,4]"),
    ("add_n", (A, ROW), {}, "MXNetError", "at 1-th input: expected [3,4], got [1,4]"),
    ("add_n", (), {}, "MXNetError", "value 0 for Parameter num_args should be greater equal to 1"),
    ("add", (A, WIDE), {}, "MXNetError", "at 1-th input: expected float32, got float64"),
    ("add", (A, CUBE[:, :2]), {}, "MXNetError", "operands could not be broadcast together with shapes [3,4] [2,2,4]"),
    ("sum", (A,), {"axis": 5}, "MXNetError", "Exceeds input dimensions [3,4]"),
    ("sum", (A,), {"axis": (0, 0)}, "MXNetError", "Reduction axes have duplicates [0,0]"),
    ("norm", (A,), {"ord": 3}, "MXNetError", "norm only supports ord=1 and ord=2"),
    ("moments", (A,), {}, "MXNetError", "Empty axes is not supported"),
    ("L2Normalization", (A,), {"mode": "channel"}, "MXNetError", "3 dimensions required in channel mode"),
    ("L2Normalization", (A,), {"mode": "x"}, "MXNetError", "Invalid Input: 'x', valid values are: {'channel', 'instance', 'spatial'}"),
    ("softmax", (A,), {"axis": 3}, "MXNetError", "axis 3 exceeds the input dimension of 2"),
    ("softmax", (INTEGERS,), {}, "MXNetError", "This operation only support floating point types, not int32"),
    ("softmax", (A, whole(1, 2, 3)), {"use_length": True}, "MXNetError", "This operation only support integer types, not float32"),
    ("softmax", (A,), {"use_length": True}, "MXNetError", "Operator softmax expects 2 inputs, but got 1 instead."),
    ("softmax", (A, whole(1, 2, 3, dtype="int32")), {}, "MXNetError", "Operator softmax expects 1 inputs, but got 2 instead."),
    ("reshape", (CUBE,), {"shape": (-1, -1)}, "MXNetError", "One and only one dim can be inferred"),
    ("reshape", (CUBE,), {"shape": (-4, 2, 3, 0, 0)}, "MXNetError", "Split dims 2, 3 do not divide original dim 2"),
    ("reshape", (CUBE,), {"shape": (-4, -1, -1, 12)}, "MXNetError", "Split dims cannot both be -1."),
    ("reshape", (CUBE,), {"shape": (0, 0, 0, 0)}, "MXNetError", "Check failed: src_idx < dshape_len (3 vs. 3)"),
    ("reshape", (CUBE,), {"shape": (-5,)}, "MXNetError", "shape dim size must be >= -1, while received -5"),
    ("squeeze", (CUBE,), {"axis": 0}, "MXNetError", "cannot select an axis to squeeze out which has size=2 not equal to one"),
    ("squeeze", (CUBE,), {"axis": 3}, "MXNetError", "axis 3 is out of bounds for array of dimension 3"),
    ("expand_dims", (A,), {"axis": 4}, "MXNetError", "axis must be in the range [-2, 2] (4 provided)"),
    ("swapaxes", (CUBE, 0, 7), {}, "MXNetError", "axis 7 is out of bounds for array of ndim 3"),
    ("moveaxis", (CUBE, 5, 0), {}, "ValueError", "Source should verify 0 <= source < tensor.ndimGot 5"),
    ("repeat", (A,), {"repeats": -1}, "MXNetError", "repeats cannot be a negative number"),
    ("repeat", (A,), {"repeats": 2, "axis": 3}, "MXNetError", "axis = 3 out of bounds"),
    ("pad", (A,), {"mode": "constant", "pad_width": (0, 0, 1, 1)}, "MXNetError", "only supports 4-D or 5-D input."),
    ("pad", (IMAGE,), {"mode": "constant", "pad_width": (1, 0, 0, 0, 1, 1, 0, 1)}, "MXNetError", "expects padding on the first two axes to be zero."),
    ("pad", (IMAGE,), {"mode": "constant", "pad_width": (0, 0, 0, 0)}, "MXNetError", "Input shape vs padding spec mismatch."),
    ("pad", (IMAGE,), {"mode": "wrap", "pad_width": (0,) * 8}, "MXNetError", "valid values are: {'constant', 'edge', 'reflect'}"),
    ("pad", (IMAGE,), {"mode": "reflect", "pad_width": (0, 0, 0, 0, 3, 1, 0, 1)}, "MXNetError", "padding sizes smaller than the input size."),
    ("depth_to_space", (floats(1, 3, 2, 2), 2), {}, "MXNetError", "should be a multiple of 'block^2'"),
    ("space_to_depth", (floats(1, 3, 3, 2), 2), {}, "MXNetError", "Dimension:2(1st Space dimension) should be a multiple of 'block'"),
    ("depth_to_space", (A, 2), {}, "MXNetError", "requires exactly 4D tensor"),
    ("diag", (A,), {"k": 5}, "MXNetError", "Diagonal does not exist."),
    ("diag", (CUBE,), {"axis1": 0, "axis2": 0}, "MXNetError", "axis1 and axis2 cannot refer to the same axis 0"),
    ("slice", (A,), {"begin": (0,), "end": (1,), "step": (0,)}, "MXNetError", "slice op step[0] cannot be 0"),
    ("slice_axis", (A,), {"axis": 1, "begin": 2, "end": 1}, "MXNetError", "Invalid begin, end, get begin=2, end=1"),
    ("slice_axis", (A,), {"axis": 1, "begin": 0, "end": 9}, "MXNetError", "Invalid end for end=9 as axis_size is 4"),
    ("slice_axis", (A,), {"axis": 1, "begin": -9, "end": 1}, "MXNetError", "Invalid begin for begin=-"),
    ("slice_axis", (A,), {"axis": 4, "begin": 0, "end": 1}, "MXNetError", "Transformed axis must be smaller than the source ndim"),
    ("slice_like", (CUBE, A), {}, "MXNetError", "ndim mismatch for inputs: 3 vs. 2"),
    ("slice_like", (CUBE, floats(5, 2, 1)), {}, "MXNetError", "Slice axis 0 with size 5exceeds limit of input with size 2"),
    ("split", (A,), {"num_outputs": 3}, "MXNetError", "into num_outputs=3 evenly sized chunks, but this is not possible because 3 does not evenly divide 4"),
    ("split", (A,), {"num_outputs": 2, "squeeze_axis": True}, "MXNetError", "If squeeze axis is True, the size of the sliced axis must be the same as num_outputs."),
    ("split_v2", (A, 3), {"axis": 1}, "ValueError", "array split does not result in an equal division"),
    ("concat", (A, CUBE[0, :2]), {"dim": 1}, "MXNetError", "Incompatible input shape: expected [3,-1], got [2,4]"),
    ("concat", (A, A.astype("int32")), {"dim": 0}, "MXNetError", "expected data type float32, got data type int32 for input 1"),
    ("concat", (A, A), {"dim": 4}, "MXNetError", "axis 4 exceeds the input dimension of 2"),
    ("concat", (), {}, "MXNetError", "value 0 for Parameter num_args should be greater equal to 1"),
    ("stack", (A, A), {"axis": 5}, "MXNetError", "axis 5 exceeds the input dimension of 3"),
    ("concat", ([A, A],), {}, "AssertionError", "Positional arguments must have NDArray type, but got ["),
    ("broadcast_to", (A,), {"shape": (5, 4)}, "MXNetError", "Array cannot be broadcasted from [3,4] to [5,4]"),
    ("broadcast_to", (VECTOR,), {"shape": (5, 4)}, "MXNetError", "Operand of shape [4] cannot be broadcasted to [5,4]"),
    ("broadcast_axis", (A,), {"axis": 0, "size": 4}, "MXNetError", "Broadcasting axis must have size 1"),
    ("broadcast_like", (A, floats(5, 4)), {}, "MXNetError", "Array cannot be broadcasted from [3,4] to [5,4]"),
    ("broadcast_like", (VECTOR, A), {}, "MXNetError", "Operand of shape [4] cannot be broadcasted to [3,4]"),
    ("take", (A, whole(0, 5)), {"mode": "raise"}, "MXNetError", "take operator contains indices out of bound"),
    ("take", (A, whole(0)), {"mode": "x"}, "MXNetError", "Invalid Input: 'x', valid values are: {'clip', 'raise', 'wrap'}, in operator take"),
    ("take", (A, whole(0)), {"axis": 2}, "MXNetError", "Axis should be in the range of [-r, r-1] where r is the rank of input tensor"),
    ("take", (A, 1), {}, "AssertionError", "Argument indices must have NDArray type, but got 1"),
    ("batch_take", (A, whole(0, 1, 2)), {}, "MXNetError", "Type inconsistent, Provided = float32, inferred type = int32"),
    ("pick", (A, whole(0, 1)), {}, "MXNetError", "Shape inconsistent, Provided = [2], inferred shape=[3]"),
    ("pick", (A, whole(4)), {"axis": None}, "MXNetError", "axis=None is not supported by pick yet. Must specify an axis."),
    ("gather_nd", (A, whole([0, 1], [1, 9])), {}, "IndexError", "index 9 is out of bounds for axis 1 with size 4"),
    ("gather_nd", (A, whole([0], [1], [0])), {}, "MXNetError", "Number of indices exceeds data dimension"),
    ("scatter_nd", (VECTOR, whole([0, 1])), {"shape": (2,)}, "MXNetError", "Invalid data, indices, and output shape combination for scatter_nd: [4], [1,2], [2]"),
    ("sort", (A,), {"axis": 3}, "MXNetError", "Invalid axis! axis should be between 0 and 2, found axis=3"),
    ("argsort", (A,), {"dtype": "int8"}, "MXNetError", "Invalid Input: 'int8', valid values are: {'float16', 'float32', 'float64', 'int32', 'int64', 'uint8'}"),
    ("topk", (A,), {"k": 9}, "MXNetError", "k must be smaller than 4, get k = 9"),
    ("topk", (A,), {"ret_typ": "x"}, "MXNetError", "valid values are: {'both', 'indices', 'mask', 'value'}"),
    ("batch_dot", (CUBE, OTHER), {}, "MXNetError", "batch_dot shape error (shape mismatch): [2,3,4] X [2,3,4] trans_a=0 trans_b=0"),
    ("batch_dot", (CUBE, floats(3, 4, 2)), {}, "MXNetError", "(the leading batch dimensions must be equal): [2,3,4] X [3,4,2]"),
    ("batch_dot", (A, A), {}, "MXNetError", "batch_dot currently only support N-D*N-D array (N >= 3)[3,4] v.s. [3,4]"),
    ("dot", (CUBE, OTHER), {}, "MXNetError", "dot shape error: [2,3,4] X [2,3,4]"),
    ("dot", (INTEGERS, INTEGERS), {"transpose_b": True}, "MXNetError", "dot only supports"),
    ("SequenceMask", (CUBE, whole(1, 2)), {"use_sequence_length": True}, "MXNetError", "Shape inconsistent, Provided = [2], inferred shape=(3,)"),
    ("SequenceMask", (CUBE, whole(1, 2, 1)), {}, "MXNetError", "Operator SequenceMask expects 1 inputs, but got 2 instead."),
    ("SequenceMask", (CUBE, whole(1, 2)), {"use_sequence_length": True, "axis": 2}, "MXNetError", "Current implementation expects axis to be 0 or 1."),
    ("SequenceMask", (VECTOR, whole(1)), {"use_sequence_length": True}, "MXNetError", "The data array must be of rank 2 or greater."),
    ("SequenceReverse", (CUBE, whole(1, 2)), {"use_sequence_length": True, "axis": 1}, "MXNetError", "Current implementation expects axis to be 0."),
    ("where", (whole(1, 0, 1), CUBE, OTHER), {}, "MXNetError", ""),
    ("arange", (3, 1), {}, "MXNetError", "Invalid range (start, stop, step) = (3,1,1)"),
]  # fmt: skip
"""(function, arguments, options, class, a piece of the message)."""

BAD_KEYS = [
    (5, "IndexError", "index 5 is out of bounds for axis 0 with size 2"),
    ((0, 5), "IndexError", "index 5 is out of bounds for axis 1 with size 3"),
    ((0, 1, 2, 3), "IndexError", "too many indices (4) for array with 3 dimensions"),
    ([5], "IndexError", "index 5 is out of bounds for axis 0 with size 2"),
    ((-3,), "IndexError", "index -3 is out of bounds for axis 0 with size 2"),
    ((Ellipsis, Ellipsis), "IndexError", "Cannot use more than one ellipsis (`...`) for indexing"),
    (slice(None, None, 0), "ValueError", "slice step cannot be zero"),
    (1.0, "ValueError", "NDArray does not support slicing with key 1.0 of type <class 'float'>."),
    ("a", "ValueError", "NDArray does not support slicing with key a of type <class 'str'>."),
]
"""(key, class, a piece of the message) of CUBE."""


def head(shape, dtype):
    """Return the gradient that is passed backward into a result."""
    n = int(np.prod(shape))
    return (np.arange(n) % 7 - 2.5).reshape(shape).astype(dtype)


def run(nd, autograd, function, arguments, options):
    """Return {name: array} of a call's results and of its gradients by every float array, for
    either library.
    """
    target = nd
    for part in function.split("."):
        target = getattr(target, part)
    boxes = [nd.array(a, dtype=a.dtype) if isinstance(a, np.ndarray) else a for a in arguments]
    variables = [b for b in boxes if hasattr(b, "attach_grad") and np.dtype(b.dtype).kind == "f"]
    if function == "softmax_cross_entropy":  # MXNet refuses a gradient by the labels
        variables = variables[:1]
    for box in variables:
        box.attach_grad()
    with autograd.record():
        out = target(*boxes, **options)
    results = list(out) if isinstance(out, (list, tuple)) else [out]
    found = {f"out{i}": r.asnumpy() for i, r in enumerate(results)}
    heads = [r for r in results if np.dtype(r.dtype).kind == "f"]
    if (
        function in NO_GRADIENT
        or not heads
        or (function == "topk" and options.get("ret_typ") in (None, "indices", "mask"))
    ):
        return found
    autograd.backward(
        heads[:1], [nd.array(head(heads[0].shape, heads[0].dtype), dtype=heads[0].dtype)]
    )
    return found | {f"grad{i}": box.grad.asnumpy() for i, box in enumerate(variables)}


NO_GRADIENT = {
    "argmax", "argmin", "argmax_channel", "argsort", "shape_array", "size_array", "one_hot", "ravel_multi_index", "unravel_index", "histogram",
    "contrib.isnan", "contrib.isinf", "contrib.isfinite", "contrib.arange_like", "contrib.index_array", "logical_not", "khatri_rao",
    "fill_element_0index", "batch_take", "zeros_like", "ones_like", "contrib.index_copy",
}  # fmt: skip
"""Results that no gradient is asked of: MXNet has none, or refuses."""
