"""Host arrays of one element."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from initlab.engine import nd


def test_a_mean_is_printed_as_a_number():
    mean = nd.array([1.0, 2.0]).mean().asnumpy()
    assert mean.shape == (1,)
    assert ("%f" % mean, "loss %.1f, step %d" % (mean, mean)) == ("1.500000", "loss 1.5, step 1")  # noqa: UP031
    assert (float(mean), int(mean), complex(mean), math.floor(mean)) == (1.5, 1, 1.5 + 0j, 1)
    assert float(nd.ones((1, 1)).asnumpy()) == 1


def test_several_elements_are_no_number():
    with pytest.raises(TypeError):
        float(nd.ones((2,)).asnumpy())


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x + 1,
        lambda x: x + np.ones(3),
        lambda x: np.exp(x),
        lambda x: np.concatenate([x, x]),
        lambda x: np.array(x),
        lambda x: pickle.loads(pickle.dumps(x)),  # noqa: S301
        lambda x: np.stack([x, x]),
    ],
)
def test_what_is_made_of_it_is_a_plain_array(made):
    assert type(made(nd.ones((1,)).asnumpy())) is np.ndarray


def test_it_looks_like_a_plain_array():
    x = nd.ones((1,)).asnumpy()
    assert (repr(x), str(x)) == (repr(np.ones(1, "float32")), "[1.]")
    assert isinstance(x.sum(), np.float32)
    assert copy.deepcopy(x).tolist() == [1]
