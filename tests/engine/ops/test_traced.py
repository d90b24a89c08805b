"""Boxes that stand for raw arrays: what a primitive's gradient computes with them is on the tape."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, nd
from initlab.engine.ops.traced import Traced, raw


def test_a_traced_value_has_the_shape_and_type_of_its_array():
    x = Traced(nd.arange(6).reshape((2, 3)))
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert x.dtype == np.float32 and x.T.shape == (3, 2)
    assert raw(x).tolist() == [[0, 1, 2], [3, 4, 5]] and raw(3) == 3


def test_a_type_that_it_has_makes_no_other_value():
    x = Traced(nd.ones((2,)))
    assert x.astype(np.float32) is x
    assert x.astype("float64").dtype == np.float64


def test_what_is_computed_with_traced_values_has_gradients():
    box = nd.array([1.0, 2.0])
    box.attach_grad()
    with autograd.record():
        y = (Traced(box) * Traced(box) + 1.0).reshape(2).box
    y.backward()
    assert box.grad.tolist() == [2, 4]


def test_a_second_gradient_goes_through_a_first():
    x = nd.array([2.0])
    x.attach_grad()
    with autograd.record():
        first = autograd.grad(x**3, [x], create_graph=True)[0]
    first.backward()
    assert first.tolist() == [12] and x.grad.tolist() == [12]


def test_numpy_is_refused():
    with pytest.raises(TypeError):
        np.exp(Traced(nd.ones((2,))))
