"""Arrays of unknown shape: what gives them one. `differential.blocks.DEFERRED` has the cases that
MXNet infers.
"""

from __future__ import annotations

import pytest

from initlab.engine import cpu, nd
from initlab.engine.errors import MXNetError
from initlab.engine.nd.unknown import Unknown, inferring


def unknown(*shape):
    return Unknown("w", shape or None, "float32", cpu())


def test_it_is_zero_once_its_shape_is_known():
    w = unknown(2, 0)
    assert (w.partial, w.known) == ((2, 0), False)
    with inferring():
        assert (w + nd.ones((2, 3))).tolist() == [[1] * 3] * 2
    assert w.known
    assert w.tolist() == [[0] * 3] * 2


@pytest.mark.parametrize(
    ("compute", "shape"),
    [
        (lambda w, x: nd.dot(x, w), (0, 4)),
        (lambda w, x: nd.broadcast_add(x, w), (0,)),
        (lambda w, x: w.sum(), (2, 0)),
        (lambda w, x: w.reshape((-1,)), (2, 0)),
        (lambda w, x: w.asnumpy(), (2, 0)),
    ],
    ids=["dot", "broadcast_add", "sum", "reshape", "asnumpy"],
)
def test_where_its_shape_does_not_follow_it_is_named(compute, shape):
    with inferring(), pytest.raises(MXNetError, match="of 'w' is not known, and does not follow"):
        compute(unknown(*shape), nd.ones((2, 3)))


def test_a_shape_that_does_not_fit_is_refused():
    with (
        inferring(),
        pytest.raises(
            MXNetError, match=r"Shape inconsistent, Provided = \[0,4\], inferred shape=\(5,3\)"
        ),
    ):
        nd.FullyConnected(nd.ones((2, 3)), unknown(0, 4), no_bias=True, num_hidden=5)


def test_unknown_arrays_that_are_added_have_one_shape():
    first, second, third = unknown(), unknown(0, 0), unknown(2, 0)
    with inferring():
        total = first + second * third
        assert isinstance(total, Unknown)
        assert (total + nd.ones((2, 3))).shape == (2, 3)
    assert first.shape == second.shape == third.shape == (2, 3)


def test_outside_of_inference_operators_know_nothing_of_it():
    with pytest.raises(MXNetError, match="is not known"):
        nd.FullyConnected(nd.ones((2, 3)), unknown(5, 0), no_bias=True, num_hidden=5)
