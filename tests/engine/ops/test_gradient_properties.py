"""For any shape, axis, element type and grad_req: a gradient's product with a direction is the
derivative along that direction.
"""

from __future__ import annotations

import numpy as np
from directions import check
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import autograd, nd

few = settings(max_examples=40, deadline=None)
sides = st.integers(1, 4)
shapes = st.lists(sides, min_size=1, max_size=4).map(tuple)
seeds = st.integers(0, 2**32 - 1)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "broadcast_hypot")
UNARY = (
    "exp",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softrelu",
    "softsign",
    "gelu",
    "silu",
    "erf",
    "square",
    "elu",
    "selu",
    "leaky",
    "relu",
    "abs",
)
REDUCTIONS = ("sum", "mean", "norm", "max", "min", "prod", "nansum")


def drawn(seed: int, *shape: int) -> np.ndarray:
    """Values of 0.3 … 1.7 of either sign: far from the kinks and poles of what is tested."""
    random = np.random.default_rng(seed)
    return random.uniform(0.3, 1.7, shape) * random.choice([-1, 1], shape)


@st.composite
def broadcast_pairs(draw):
    """Two shapes that broadcast."""
    whole = draw(shapes)
    cut = [tuple(n if draw(st.booleans()) else 1 for n in whole) for _ in range(2)]
    return tuple(
        c[draw(st.integers(0, len(c) - 1)) if i == draw(st.integers(0, 1)) else 0 :]
        for i, c in enumerate(cut)
    )


@few
@given(broadcast_pairs(), st.sampled_from(BINARY), st.sampled_from(["write", "add"]), seeds)
def test_arithmetic_with_broadcasting(pair, name, grad_req, seed):
    x, y = drawn(seed, *pair[0]), drawn(seed + 9, *pair[1])
    check(getattr(nd, name), np.abs(x) if name == "power" else x, y, seed=seed, grad_req=grad_req)


@few
@given(shapes, st.sampled_from(UNARY), seeds)
def test_functions_of_one_argument(shape, name, seed):
    check(getattr(nd, name), drawn(seed, *shape), seed=seed)


@st.composite
def axes_of_a_shape(draw):
    """(shape, an axis, several axes, or None)."""
    shape = draw(shapes)
    some = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple)
    return shape, draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1), some))


@few
@given(axes_of_a_shape(), st.sampled_from(REDUCTIONS), st.booleans(), seeds)
def test_reductions_over_any_axes(case, name, keepdims, seed):
    shape, axis = case
    check(
        lambda x: getattr(nd, name)(x, axis=axis, keepdims=keepdims), drawn(seed, *shape), seed=seed
    )


@few
@given(axes_of_a_shape(), st.sampled_from(["softmax", "log_softmax"]), seeds)
def test_softmax_over_any_axis(case, name, seed):
    shape, axis = case
    check(
        lambda x: getattr(nd, name)(x, axis=axis if isinstance(axis, int) else -1),
        drawn(seed, *shape),
        seed=seed,
    )


@few
@given(
    st.lists(sides, min_size=1, max_size=3),
    st.integers(0, 2),
    st.lists(sides, min_size=1, max_size=3),
    seeds,
)
def test_arrays_end_to_end(shape, axis, lengths, seed):
    axis %= len(shape)
    parts = [drawn(seed + i, *shape[:axis], n, *shape[axis + 1 :]) for i, n in enumerate(lengths)]
    check(lambda *xs: nd.concat(*xs, dim=axis), *parts, seed=seed)


@few
@given(sides, sides, sides, st.booleans(), st.booleans(), seeds)
def test_matrix_products(n, m, k, transpose_a, transpose_b, seed):
    a, b = (
        drawn(seed, *((m, n) if transpose_a else (n, m))),
        drawn(seed + 1, *((k, m) if transpose_b else (m, k))),
    )
    check(lambda x, y: nd.dot(x, y, transpose_a, transpose_b), a, b, seed=seed)


@st.composite
def convolutions(draw):
    """(input shape, weight shape, options) of a convolution over 1 to 3 axes that fits."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    kernel, stride, pad, dilate = each(1, 3), each(1, 2), each(0, 2), each(1, 2)
    space = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 2))
        for k, p, d in zip(kernel, pad, dilate, strict=True)
    )
    channels, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    options = {
        "kernel": kernel,
        "stride": stride,
        "pad": pad,
        "dilate": dilate,
        "num_group": groups,
        "num_filter": filters * groups,
    }
    return (
        (draw(st.integers(1, 2)), channels * groups, *space),
        (filters * groups, channels, *kernel),
        options,
    )


@few
@given(convolutions(), seeds)
def test_convolutions(case, seed):
    x, weight, options = case
    check(
        lambda x, w, b: nd.Convolution(x, w, b, **options),
        drawn(seed, *x),
        drawn(seed + 1, *weight),
        drawn(seed + 2, weight[0]),
        seed=seed,
    )


@few
@given(
    convolutions(),
    st.sampled_from(["max", "avg"]),
    st.sampled_from(["valid", "full"]),
    st.booleans(),
    seeds,
)
def test_pooling(case, pool_type, convention, count_include_pad, seed):
    shape, _, options = case
    kernel = options["kernel"]
    pad = tuple(
        min(p, k - 1) for p, k in zip(options["pad"], kernel, strict=True)
    )  # a window must hold something
    space = tuple(max(n, k) for n, k in zip(shape[2:], kernel, strict=True))
    given_options = {
        "stride": options["stride"],
        "pad": pad,
        "pooling_convention": convention,
        "count_include_pad": count_include_pad,
    }
    distinct = (
        np.random.default_rng(seed)
        .permutation(np.prod((*shape[:2], *space)))
        .reshape(*shape[:2], *space)
        / 7.0
    )
    check(lambda x: nd.Pooling(x, kernel, pool_type, **given_options), distinct, seed=seed)


@few
@given(
    shapes,
    st.sampled_from(["float16", "float32", "float64"]),
    st.sampled_from(UNARY[:8] + ("add",)),
    seeds,
)
def test_a_gradient_has_the_type_and_shape_of_its_array(shape, dtype, name, seed):
    x = nd.array(drawn(seed, *shape), dtype=dtype)
    x.attach_grad()
    with autograd.record():
        y = x + x if name == "add" else getattr(nd, name)(x)
    y.backward()
    assert (x.grad.shape, str(x.grad.asnumpy().dtype), str(y.asnumpy().dtype)) == (
        shape,
        dtype,
        dtype,
    )
    assert np.isfinite(x.grad.asnumpy()).all()
