"""Element by element: gradients, what is asked of the array library, and values."""

from __future__ import annotations

import numpy as np
import op_checks
from directions import check, drawn, few, seeds, shapes
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import autograd, nd


def test_a_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_first_gradient(*primitive)


def test_a_gradients_gradient_is_that_of_finite_differences(primitive):
    op_checks.check_second_gradient(*primitive)


def test_numpy_is_called_through_xp_only(primitive):
    op_checks.check_calls_only_xp(*primitive)


def test_a_primitive_runs_on_what_cupy_has(primitive):
    op_checks.check_on_what_cupy_has(*primitive)


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
