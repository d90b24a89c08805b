"""NDArray: printing, views, writing in place, and MXNet's errors."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import cpu, gpu, nd, random, streams
from initlab.engine.errors import DeviceError, MXNetError, StreamError


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_an_array_prints_as_mxnet_prints_it():
    assert repr(nd.array([[1, 2], [3, 4.5]])) == "\n[[1.  2. ]\n [3.  4.5]]\n<NDArray 2x2 @cpu(0)>"
    assert repr(nd.array(3)) == "\n3.0\n<NDArray  @cpu(0)>"
    assert (nd.array(3).shape, nd.array(np.float32(3)).shape) == ((), ())
    assert repr(nd.ones((2,), ctx=cpu(1), dtype="int32")) == "\n[1 1]\n<NDArray 2 @cpu(1)>"


def test_a_row_is_a_view_and_a_list_of_rows_a_copy():
    x = nd.zeros((3, 2))
    x[0][:] = 1
    x[1, 0] = 5
    row = x[[2]]
    row[:] = 9
    assert x.asnumpy().tolist() == [[1, 1], [5, 0], [0, 0]]


def test_the_last_element_and_a_single_element_have_shape_one():
    x = nd.arange(6).reshape((2, 3))
    assert x[-1, -1].shape == x[0, 1].shape == x.sum().shape == (1,)
    assert x[-1, -1].asscalar() == 5
    with pytest.raises(IndexError, match="index 2 is out of bounds for axis 0 with size 2"):
        x[2]


def test_comparisons_give_ones_and_zeros_that_can_mask_in_place():
    x = nd.array([-6, 3, 7])
    x *= x.abs() >= 5
    assert x.asnumpy().tolist() == [-6, 0, 7]
    assert (x > 0).dtype is np.float32
    assert np.signbit((nd.array([-3.0]) * 0).asnumpy())[0]


def test_arithmetic_keeps_the_dtype_and_mixes_with_numbers_on_either_side():
    x = nd.array([1, 2], dtype="float16")
    for y in (x + 1, 1 - x, x * 2.5, 1 / x, x**2, 2**x, x % 2, -x, abs(x)):
        assert y.dtype is np.float16
    assert (nd.array([1, 2], dtype="int32") * 2.5).dtype is np.int32
    assert (np.ones(2, np.float32) + nd.ones((2,))).asnumpy().tolist() == [2, 2]


@pytest.mark.parametrize(
    ("fails", "error", "message"),
    [
        (
            lambda: nd.ones((2,)) + nd.ones((2,), dtype="float64"),
            MXNetError,
            "expected float32, got float64",
        ),
        (
            lambda: nd.ones((2,)) + nd.ones((3,)),
            MXNetError,
            r"could not be broadcast together with shapes \[2\] \[3\]",
        ),
        (
            lambda: nd.ones((2, 3)).reshape((4, 2)),
            MXNetError,
            "Target shape size is different to source",
        ),
        (lambda: nd.dot(nd.ones((2, 3)), nd.ones((2, 3))), MXNetError, "dot shape error"),
        (lambda: nd.ones((2,)).asscalar(), ValueError, "The current array is not a scalar"),
        (
            lambda: bool(nd.ones((2,))),
            ValueError,
            "The truth value of an NDArray with multiple elements is ambiguous",
        ),
        (
            lambda: nd.ones((2,)).__setitem__(slice(None), "a"),
            TypeError,
            "does not support assignment with non-array-like object a",
        ),
        (lambda: nd.zeros((2,), ctx=gpu(0)), MXNetError, "GPU is not enabled"),
        (lambda: cpu(0).__class__("tpu"), DeviceError, "no device type 'tpu' - known: cpu"),
        (
            lambda: nd.Activation(nd.ones((2,)), "reluu"),
            MXNetError,
            "no activation 'reluu' - did you mean 'relu'",
        ),
        (
            lambda: nd.split(nd.ones((2, 3)), 2),
            MXNetError,
            "into num_outputs=2 evenly sized chunks, but this is not possible because 2 does not evenly divide 3",
        ),
        (
            lambda: nd.ones((2,), dtype="float33"),
            MXNetError,
            "no dtype 'float33' - did you mean 'float32'",
        ),
        (lambda: nd.nosuch, AttributeError, "module 'initlab.engine.nd' has no attribute 'nosuch'"),
    ],
)
def test_invalid_arguments_are_refused(fails, error, message):
    with pytest.raises(error, match=message):
        fails()


def test_random_faces_draw_from_the_ambient_stream():
    random.seed(3)
    a = nd.random.uniform(-1, 1, shape=(2, 3))
    random.seed(3)
    b = nd.zeros((2, 3))
    assert nd.random.uniform(-1, 1, out=b) is b
    assert (a == b).asnumpy().all()
    assert nd.random.normal(shape=4).shape == nd.random.randn(4).shape == (4,)
    assert nd.random.randint(0, 5, shape=(3,)).dtype is np.int32
    assert nd.random.uniform(nd.array([0, 10]), nd.array([1, 20]), shape=3).shape == (2, 3)


@pytest.mark.parametrize(
    ("fails", "error", "message"),
    [
        (
            lambda: nd.random.uniform(1, 0, shape=2),
            MXNetError,
            r"param.high >= param.low \(0 vs. 1\) : low must be less or equal to high",
        ),
        (
            lambda: nd.random.normal(0, 0, shape=2),
            MXNetError,
            r"param.scale > 0 \(0 vs. 0\) : scale parameter in gaussian has to be positive",
        ),
        (lambda: nd.random.uniform(shape=(0,)), MXNetError, "an axis is empty"),
        (
            lambda: nd.random.uniform(shape=2, dtype="int32"),
            StreamError,
            "int32 are not specified yet in stream initlab-1",
        ),
        (lambda: nd.random.randint(3, 3, shape=2), MXNetError, "low must be less than high"),
        (lambda: random.seed("a"), ValueError, "seed_state must be int"),
    ],
)
def test_impossible_draws_are_refused(fails, error, message):
    with pytest.raises(error, match=message):
        fails()


def test_a_state_makes_the_array_again():
    x = nd.array([[1.0, 2]], dtype="float64", ctx=cpu(1))
    y = nd.zeros((3,))
    y.__setstate__(x.__getstate__())
    assert (y.tolist(), y.dtype, y.context) == ([[1, 2]], np.float64, cpu(1))
    y += 1
    assert x.tolist() == [[1, 2]]


def test_a_copy_goes_to_an_array_of_its_shape_or_a_device():
    x = nd.array([[1.0, 2]])
    with pytest.raises(TypeError, match="copyto does not support type <class 'int'>"):
        x.copyto(3)
    with pytest.raises(MXNetError, match=r"0-th output: expected \[1,2\], got \[2,2\]"):
        x.copyto(nd.ones((2, 2)))
