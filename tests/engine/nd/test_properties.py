"""What holds for every shape, axis and key of what moves elements: it is NumPy's, has its gradient,
and undoes its inverse.
"""

from __future__ import annotations

import math

import numpy as np
from directions import check
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import autograd, nd

FEW = settings(deadline=None, max_examples=40)

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def values(shape, seed):
    return np.random.default_rng(seed).uniform(0.4, 1.6, shape)


@st.composite
def shapes_and_keys(draw):
    """A shape and a key of numbers, slices, None, an Ellipsis, and perhaps one list."""
    shape = draw(SHAPES)
    parts: list = []
    lists = 0
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["number", "slice", "list", "new"]))
        if kind == "new":
            parts.append(None)
        if kind == "number":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "list" and not lists:
            lists += 1
            parts.append(draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=3)))
        else:
            step = draw(st.sampled_from([1, 2, -1, None]))
            start = draw(st.integers(0, n - 1))
            parts.append(slice(start, None, step))
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return shape, tuple(parts)


@FEW
@given(shapes_and_keys())
def test_a_part_is_numpys_part_and_its_gradient_counts_how_often_it_was_taken(shape_key):
    shape, key = shape_key
    array = values(shape, 5)
    x = nd.array(array, dtype="float64")
    x.attach_grad()
    with autograd.record():
        y = x[key]
    expected = array[key]
    assert y.shape == (expected.shape or (1,))
    np.testing.assert_array_equal(y.asnumpy(), np.reshape(expected, y.shape))
    y.backward()
    counts = np.zeros(shape)
    np.add.at(counts, key, 1)
    np.testing.assert_array_equal(x.grad.asnumpy(), counts)


@FEW
@given(shapes_and_keys())
def test_what_is_written_into_a_part_is_what_numpy_writes(shape_key):
    shape, key = shape_key
    array = values(shape, 6)
    x = nd.array(array, dtype="float64")
    array[key] = 7
    x[key] = 7
    np.testing.assert_array_equal(x.asnumpy(), array)


@FEW
@given(SHAPES, st.randoms(use_true_random=False))
def test_transposing_by_an_order_and_its_inverse_gives_the_array_back(shape, rng):
    order = list(range(len(shape)))
    rng.shuffle(order)
    x = nd.array(values(shape, 7), dtype="float64")
    y = nd.transpose(x, axes=tuple(order))
    assert nd.transpose(y, axes=tuple(np.argsort(order))).tolist() == x.tolist()
    check(lambda v: nd.transpose(v, axes=tuple(order)), values(shape, 7))


@FEW
@given(SHAPES, st.data())
def test_moving_parts_around_has_the_gradient_of_finite_differences(shape, data):
    array = values(shape, 8)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    repeats = data.draw(st.integers(1, 3))
    reps = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=len(shape) + 1)))
    for function in (
        lambda v: nd.repeat(v, repeats=repeats, axis=axis),
        lambda v: nd.tile(v, reps=reps),
        lambda v: nd.flip(v, axis=axis),
        lambda v: nd.sort(v, axis=axis, is_ascend=False),
        lambda v: nd.cumsum(v, axis=axis),
        lambda v: nd.concat(v, v * 2, dim=axis),
        lambda v: nd.stack(v, v * 2, axis=axis),
        lambda v: nd.expand_dims(v, axis=axis),
    ):
        check(function, array)


@FEW
@given(SHAPES, st.booleans())
def test_splitting_undoes_joining(shape, squeeze):
    x = nd.array(values(shape, 9), dtype="float64")
    parts = nd.split(nd.stack(x, x, x, axis=0), num_outputs=3, axis=0, squeeze_axis=squeeze)
    assert [nd.reshape(p, shape).tolist() for p in parts] == [x.tolist()] * 3


@FEW
@given(SHAPES, st.data())
def test_sorting_agrees_with_numpy_and_ranks_with_the_order(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    array = np.random.default_rng(3).integers(0, 4, shape).astype("float64")
    x = nd.array(array, dtype="float64")
    np.testing.assert_array_equal(nd.sort(x, axis=axis).asnumpy(), np.sort(array, axis=axis))
    np.testing.assert_array_equal(
        nd.argsort(x, axis=axis, dtype="int64").asnumpy(),
        np.argsort(array, axis=axis, kind="stable"),
    )
    k = data.draw(st.integers(1, shape[axis]))
    mask = nd.topk(x, axis=axis, k=k, ret_typ="mask").asnumpy()
    assert (mask.sum(axis=axis) == k).all()
    values_, _ = nd.topk(x, axis=axis, k=k, ret_typ="both")
    np.testing.assert_array_equal(
        np.sort(values_.asnumpy(), axis=axis),
        np.take(np.sort(array, axis=axis), range(shape[axis] - k, shape[axis]), axis),
    )


@FEW
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=2),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_products_of_matrices_are_numpys_and_have_their_gradient(
    batch, n, k, m, transpose_a, transpose_b
):
    a = values((*batch, *((k, n) if transpose_a else (n, k))), 1)
    b = values((*batch, *((m, k) if transpose_b else (k, m))), 2)
    out = nd.batch_dot(
        nd.array(a, dtype="float64"), nd.array(b, dtype="float64"), transpose_a, transpose_b
    )
    expected = np.matmul(
        a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b
    )
    np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-12)
    check(lambda x, y: nd.batch_dot(x, y, transpose_a, transpose_b), a, b)
    check(lambda x, y: nd.dot(x, y), values((2, n, k), 3), values((k, m), 4))


@FEW
@given(SHAPES)
def test_reshaping_keeps_the_elements_in_order(shape):
    x = nd.array(values(shape, 4), dtype="float64")
    for wanted in ((-1,), (0, -1) if len(shape) > 1 else (0,), (-2,), (math.prod(shape), 1)):
        assert x.reshape(wanted).asnumpy().ravel().tolist() == x.asnumpy().ravel().tolist()
