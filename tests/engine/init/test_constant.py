import math

import numpy as np
import pytest

from initlab.engine import init, laws, nd
from initlab.engine.errors import LawError, OptionError
from initlab.engine.init import Description


def law(initializer, shape=(3, 2)):
    return initializer.law(Description("w", "w", shape))


def test_zero_one_and_a_number_are_constant_laws():
    assert law(init.Zero()) == laws.Constant(0)
    assert law(init.One()) == laws.Constant(1)
    assert law(init.Constant(2.5)) == laws.Constant(2.5)


@pytest.mark.parametrize("value", [[1, 2], (1, 2), np.array([1, 2]), nd.array([1, 2])])
def test_an_array_of_any_kind_is_broadcast(value):
    array = nd.zeros((3, 2))
    init.Constant(value)(init.InitDesc("w_weight"), array)
    assert array.asnumpy().tolist() == [[1, 2]] * 3


def test_an_array_that_does_not_fit_is_refused_before_anything_is_filled():
    with pytest.raises(LawError, match="does not broadcast"):
        law(init.Constant([1, 2, 3]))


@pytest.mark.parametrize(
    "value", ["a", True, None, math.nan, math.inf, [1, "a"], [True], [math.nan], [[1], [1, 2]], {}]
)
def test_a_value_that_is_no_finite_number_is_refused(value):
    with pytest.raises(OptionError, match="^value must be"):
        init.Constant(value)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
def test_constants_fill_any_dtype(dtype):
    array = nd.zeros((2,), dtype=dtype)
    init.Constant(2)(init.InitDesc("w_weight"), array)
    assert array.asnumpy().tolist() == [2, 2]


def test_equal_arrays_make_equal_initializers():
    assert init.Constant(nd.array([1, 2])) == init.Constant([1.0, 2.0])
    assert init.Constant([1.0, 2.0]) != init.Constant([1.0, 3.0])
