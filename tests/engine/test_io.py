"""Iterators over arrays; what MXNet gave is in `differential/iterators`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import initlab.engine as mx
from initlab.engine import nd


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 4))
def test_no_sample_is_lost_when_the_rest_begins_the_next_epoch(count, size, epochs):
    made = mx.io.NDArrayIter(np.arange(count), batch_size=size, last_batch_handle="roll_over")
    seen = []
    for _ in range(epochs):
        made.reset()
        seen += [x for batch in made for x in batch.data[0].asnumpy().astype(int).tolist()]
    assert seen == [i % count for i in range(len(seen))]
    assert len(seen) == epochs * count // size * size or count < size


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: mx.io.NDArrayIter([1, 2], last_batch_handle="keep"), ValueError, "Known: pad, discard"),
        (lambda: mx.io.NDArrayIter(None), AssertionError, "data must not be empty"),
        (lambda: mx.io.NDArrayIter("abc"), TypeError, "Input must be NDArray"),
        (lambda: mx.io.NDArrayIter({"a": "b"}), TypeError, "Invalid type '<class 'str'>' for a"),
        (lambda: mx.io.DataBatch(nd.ones((1,))), AssertionError, "Data must be list of NDArrays"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, error, said):
    with pytest.raises(error) as caught:
        call()
    assert said in str(caught.value)


def test_an_iterator_of_ones_own():
    class Once(mx.io.DataIter):
        left = 1

        def iter_next(self):
            self.left -= 1
            return self.left >= 0

        def getdata(self):
            return [nd.ones((1,))]

    batches = list(Once())
    assert [batch.data[0].tolist() for batch in batches] == [[1]]
    assert batches[0].label == []


def test_a_resized_iterator_describes_the_other():
    made = mx.io.ResizeIter(mx.io.NDArrayIter(np.ones((4, 2)), batch_size=2), 3)
    assert made.provide_data[0].shape == (2, 2)
    assert len(list(made)) == 3
    with pytest.raises(AttributeError, match="no attribute 'provide'"):
        made.provide  # noqa: B018
