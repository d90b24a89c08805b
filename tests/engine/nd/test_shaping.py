"""`nd`: shapes, parts and joins, against what MXNet 1.9.1 gave and by what must hold."""

from __future__ import annotations

import math

import nd_checks
import numpy as np
import pytest
from directions import check
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import nd

FEW = settings(deadline=None, max_examples=40)

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def values(shape, seed):
    return np.random.default_rng(seed).uniform(0.4, 1.6, shape)


def test_a_function_gives_what_mxnet_gave(number):
    nd_checks.check_recorded(number)


def test_a_function_stays_on_its_device(number):
    nd_checks.check_stays_on_its_device(number)


def test_a_function_runs_on_what_cupy_has(number):
    nd_checks.check_on_what_cupy_has(number)


def test_a_call_fails_as_mxnets_does(failing):
    nd_checks.check_fails(*failing)


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
@given(SHAPES)
def test_reshaping_keeps_the_elements_in_order(shape):
    x = nd.array(values(shape, 4), dtype="float64")
    for wanted in ((-1,), (0, -1) if len(shape) > 1 else (0,), (-2,), (math.prod(shape), 1)):
        assert x.reshape(wanted).asnumpy().ravel().tolist() == x.asnumpy().ravel().tolist()


def test_split_concat_and_stack_undo_each_other():
    x = nd.arange(12).reshape((3, 4))
    assert nd.concat(*nd.split(x, 2, axis=1), dim=1).tolist() == x.tolist()
    assert nd.stack(*x, axis=0).tolist() == x.tolist()
    assert nd.split(x, 4, axis=1, squeeze_axis=True)[1].tolist() == [1, 5, 9]


def test_an_axis_moves_once_and_joining_needs_an_array():
    with pytest.raises(ValueError, match="repeated axis"):
        nd.moveaxis(nd.ones((2, 2)), [0, 0], [0, 1])
    with pytest.raises(AssertionError, match="concatenate needs at least one array"):
        nd.concatenate([])
