"""Windows: what lies under them, in which order, and the transpose of gathering."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.errors import MXNetError
from initlab.engine.ops.windows import Windows, inner, outer, output_space

sizes = st.tuples(
    st.integers(1, 7),  # space
    st.integers(1, 3),  # kernel
    st.integers(1, 3),  # stride
    st.integers(0, 2),  # padding
    st.integers(1, 2),  # dilation
)


def windows(axes, ceil=False):
    space, kernel, stride, pad, dilate = (tuple(numbers) for numbers in zip(*axes, strict=True))
    space = tuple(max(n, d * (k - 1) + 1) for n, k, d in zip(space, kernel, dilate, strict=True))
    out = output_space(space, kernel, stride, pad, dilate, ceil)
    return Windows(space, kernel, stride, pad, dilate, out)


@given(st.lists(sizes, min_size=1, max_size=2), st.booleans())
def test_columns_are_the_elements_under_each_window(axes, ceil):
    w = windows(axes, ceil)
    x = np.random.default_rng(0).normal(size=(2, *w.space, 3))
    columns = w.columns(np, w.lay(np, x, 9.0))
    assert columns.shape == (2, w.count, *w.out, 3)
    for number, at in enumerate(itertools.product(*(range(k) for k in w.kernel))):
        for to in itertools.product(*(range(o) for o in w.out)):
            place = [
                s * o + d * a - p
                for s, o, d, a, p in zip(w.stride, to, w.dilate, at, w.pad, strict=True)
            ]
            inside = all(0 <= i < n for i, n in zip(place, w.space, strict=True))
            expected = x[(slice(None), *place)] if inside else 9.0
            assert (columns[(slice(None), number, *to)] == expected).all()


@given(st.lists(sizes, min_size=1, max_size=2), st.booleans())
def test_folding_is_the_transpose_of_gathering(axes, ceil):
    w = windows(axes, ceil)
    random = np.random.default_rng(0)
    x = random.normal(size=(2, *w.space, 3))
    columns = w.columns(np, w.lay(np, x))
    d = random.normal(size=columns.shape)
    folded = w.fold(np, [d[:, number] for number in range(w.count)])
    assert folded.shape == x.shape
    assert (folded * x).sum() == pytest.approx((columns * d).sum())


def test_one_element_in_a_padded_array_is_not_the_array_itself():
    w = windows([(2, 1, 2, 1, 1)])
    assert w.out == w.space == (2,) and not w.single


def test_the_orders_are_each_others_inverse():
    x = np.zeros((2, 3, 4, 5))
    assert inner(np, x).shape == (3, 4, 5, 2)
    assert outer(np, inner(np, x)).shape == x.shape


def test_a_kernel_must_fit():
    with pytest.raises(MXNetError, match="exceeds the input"):
        output_space((2,), (4,), (1,), (0,), (1,))
