"""Declared functions: what is checked, `out=`, methods, numbers in the place of arrays, copies and
views.
"""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from initlab.engine import autograd, cpu, nd
from initlab.engine.errors import MXNetError
from initlab.engine.nd.methods import METHODS


def grad_of(function, *values):
    boxes = [nd.array(v) for v in values]
    for box in boxes:
        box.attach_grad()
    with autograd.record():
        y = function(*boxes)
    y.backward()
    return [box.grad.tolist() for box in boxes]


def test_results_are_written_into_out_on_and_off_the_tape():
    x, out = nd.array([1.0, 2.0]), nd.zeros((2,))
    assert nd.square(x, out=out) is out
    assert out.tolist() == [1, 4]
    assert nd.square(x, out=x).tolist() == [1, 4]
    y, z = nd.array([1.0, 2.0]), nd.zeros((2,))
    y.attach_grad()
    with autograd.record():
        nd.square(y, out=z)
        w = (z * 3).sum()
    w.backward()
    assert y.grad.tolist() == [6, 12]
    values, numbers = nd.zeros((2, 1)), nd.zeros((2, 1))
    nd.topk(nd.array([[1, 3], [5, 2]]), ret_typ="both", out=[values, numbers])
    assert (values.tolist(), numbers.tolist()) == ([[3], [5]], [[1], [0]])
    assert nd.full((2,), 7, out=z) is z
    assert z.tolist() == [7, 7]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: nd.exp(x, out=nd.zeros((3, 3))),
            MXNetError,
            r"at 0-th output: expected \[2\], got \[3,3\]",
        ),
        (
            lambda x: nd.exp(x, out=nd.zeros((2,), dtype="float64")),
            MXNetError,
            "at 0-th output: expected float32, got float64",
        ),
        (lambda x: nd.exp(x, foo=1), TypeError, "foo"),
        (lambda x: nd.slice_axis(x), TypeError, "axis"),
        (
            lambda x: nd.take(x, indices=3),
            AssertionError,
            "Argument indices must have NDArray type, but got 3",
        ),
        (
            lambda x: nd.softmax(x, [1]),
            AssertionError,
            r"Argument length must have NDArray type, but got \[1\]",
        ),
        (
            lambda x: nd.add(x, "a"),
            TypeError,
            "add: type <class 'str'> not supported - give an NDArray or a number",
        ),
        (
            lambda x: nd.add("a", 1),
            TypeError,
            "add: types <class 'str'> and <class 'int'> not supported",
        ),
        (lambda x: x.reshape(), AssertionError, "Shape must be provided."),
        (
            lambda x: x.reshape((1, 2), foo=1),
            TypeError,
            "Got unknown keywords in reshape: foo. Accepted keyword arguments are 'shape' and 'reverse'.",
        ),
        (lambda x: x // 2, TypeError, "unsupported operand"),
        (
            lambda x: nd.transpose(x, axes=(0, 1)),
            MXNetError,
            r"axes \(0, 1\) do not name each of the 1 axes once",
        ),
        (
            lambda x: nd.tile(x, reps=(0,)),
            MXNetError,
            "every number of repetitions must be at least 1",
        ),
        (lambda x: nd.flip(x, axis=4), MXNetError, "axis 4 exceeds the input dimension of 1"),
        (lambda x: nd.log_softmax(x, use_length=True), MXNetError, "log_softmax takes no length"),
        (lambda x: nd.softmin(x, use_length=True), MXNetError, "softmin takes no length"),
        (
            lambda x: nd.SoftmaxActivation(x, mode="x"),
            MXNetError,
            "valid values are: {'channel', 'instance'}",
        ),
        (
            lambda x: nd.softmax_cross_entropy(x, x),
            MXNetError,
            "needs data .batch, classes. and labels",
        ),
        (lambda x: nd.broadcast_like(x, x, lhs_axes=(0,)), MXNetError, "must be given together"),
        (lambda x: nd.broadcast_axis(x, axis=(0, 1), size=(2,)), MXNetError, "2 axes, but 1 sizes"),
        (lambda x: nd.split_v2(x, "a"), ValueError, "must either int, or tuple / list of ints"),
        (
            lambda x: nd.slice(x, begin=(0, 1), end=(1,)),
            MXNetError,
            "do not belong to the 1 axes of the array",
        ),
        (lambda x: nd.reshape_like(x, x, lhs_begin=3), MXNetError, "are not axes of an array of 1"),
    ],
)
def test_what_cannot_be_called_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(nd.array([1.0, 2.0]))


def test_every_method_is_the_function_of_its_name():
    for names in METHODS.values():
        for name in names:
            assert getattr(nd.NDArray, name) is getattr(nd, name)
    x = nd.array([[3, 1], [2, 5]])
    assert x.norm(1).asscalar() == 11
    assert x.topk(k=1, ret_typ="value").tolist() == [[3], [5]]
    assert x.slice_axis(axis=1, begin=0, end=1).tolist() == [[3], [2]]
    assert x.split(2, 1)[1].tolist() == [[1], [5]]


def test_the_gradient_of_a_product_or_norm_at_zero_is_a_number():
    """MXNet gives nan for all three."""
    assert grad_of(lambda x: x.prod(), [0.0, 2.0, 3.0]) == [[6, 0, 0]]
    assert grad_of(lambda x: (x * 0).norm(), [1.0, 2.0]) == [[0, 0]]
    assert grad_of(lambda x, y: nd.broadcast_hypot(x, y), [0.0], [0.0]) == [[0], [0]]


def test_functions_copy_and_contiguous_parts_and_reshape_are_views():
    x = nd.zeros((2, 3))
    for made in (
        x.T,
        x.swapaxes(0, 1),
        x.flatten(),
        x.expand_dims(0),
        x.squeeze(),
        nd.reshape(x, (3, 2)),
        x.slice_axis(0, 0, 1),
        x.split(3, 1)[0],
        x[:, 0],
        x[::-1],
        x[:, ::2],
        x.broadcast_to((2, 3)),
        x.flip(0),
        nd.concat(x, dim=0),
        x.tile((1,)),
        nd.identity(x),
    ):
        made[:] = 9
    assert x.sum().asscalar() == 0
    for view in (
        x[0],
        x[1:2],
        x[1, 0:2],
        x[None],
        x[:, :],
        x.reshape((3, 2))[0],
        x[0][0:1],
        x[...],
        x[0, 0],
    ):
        view += 1
    assert x.asnumpy().tolist() == [[7, 5, 4], [5, 5, 4]]


def test_what_is_written_while_recording_carries_its_gradient():
    y = nd.array([0.0, 1.0, 2.0, 3.0])
    y.attach_grad()
    with autograd.record():
        z = nd.zeros((4,))
        z[:] = y
        w = (z * z).sum()
    w.backward()
    assert y.grad.tolist() == [0, 2, 4, 6]
    with autograd.record():
        z = nd.ones((4,))
        z[1:3] = y[1:3] * 3
        w = (z * z).sum()
        with pytest.raises(MXNetError, match="inplace operations"):
            z[0] = 1
    w.backward()
    assert y.grad.tolist() == [0, 18, 36, 0]


def test_a_scalar_or_one_row_is_stretched_when_it_is_written_while_recording():
    y = nd.array([2.0])
    y.attach_grad()
    with autograd.record():
        z = nd.zeros((2, 3))
        z[:, 1] = y
        w = z.sum()
    w.backward()
    assert y.grad.tolist() == [2]


def test_an_array_is_copied_and_pickled_without_its_gradient():
    x = nd.array([1.0, 2.0], ctx=cpu(1))
    x.attach_grad()
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):  # noqa: S301
        assert made.tolist() == [1, 2]
        assert made.context == cpu(1)
        assert made.grad is None


@pytest.mark.parametrize(
    "call",
    [
        nd.zeros_like,
        nd.ones_like,
        nd.shape_array,
        nd.size_array,
        nd.argsort,
        nd.topk,
        lambda x: nd.topk(x, ret_typ="mask"),
        lambda x: x.zeros_like(),
    ],
)
def test_what_does_not_follow_its_arrays_has_the_gradient_0_as_in_mxnet(call):
    x = nd.array([3.0, 1.0, 2.0])
    x.attach_grad()
    x.grad[:] = 7
    with autograd.record():
        y = call(x)
    y.backward()
    assert x.grad.asnumpy().tolist() == [0, 0, 0]


def test_the_values_and_indices_of_topk_are_heads_together():
    x = nd.array([3.0, 1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        heads = nd.topk(x, k=2, ret_typ="both")
    autograd.backward(heads)
    assert x.grad.asnumpy().tolist() == [1, 0, 1]


def test_the_gradient_of_a_constant_can_be_differentiated():
    x = nd.array([3.0, 1.0])
    x.attach_grad()
    with autograd.record():
        [g] = autograd.grad(nd.ones_like(x) * x, x, create_graph=True)
        y = g * g
    y.backward()
    assert x.grad.asnumpy().tolist() == [0, 0]


def test_without_an_array_on_the_tape_nothing_is_recorded():
    with autograd.record():
        y = nd.zeros_like(nd.ones((2,)))
        y[:] = 3
    assert y.asnumpy().tolist() == [3, 3]


def test_the_gradient_of_softmax_activation_of_several_axes_is_that_of_its_values():
    values = np.random.default_rng(0).normal(size=(2, 3, 4))
    head = nd.array(np.random.default_rng(1).normal(size=(2, 3, 4)), dtype="float64")
    found = []
    for function in (nd.SoftmaxActivation, nd.softmax):
        x = nd.array(values, dtype="float64")
        x.attach_grad()
        with autograd.record():
            y = function(x)
        y.backward(head)
        found.append((y.asnumpy(), x.grad.asnumpy()))
    assert found[0][0] == pytest.approx(found[1][0])
    assert found[0][1] == pytest.approx(found[1][1])


def test_operators_have_the_names_of_mxnets_own_code_too():
    x, y = nd.array([6.0, 2.0]), nd.array([3.0, 4.0])
    found = {
        name: getattr(nd._internal, name)(x, y, name="node").asnumpy().tolist()
        for name in ("_plus", "_minus", "_mul", "_div")
    }
    assert found == {"_plus": [9, 6], "_minus": [3, -2], "_mul": [18, 8], "_div": [2, 0.5]}
