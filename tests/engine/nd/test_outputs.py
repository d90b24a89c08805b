"""Outputs with the gradient of a loss: what MXNet gave is in `differential/operators`."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, gluon, nd
from initlab.engine.errors import MXNetError

X = nd.array(np.random.RandomState(0).normal(size=(4, 3)))
LABELS = nd.array([0, 2, 1, 2])


def test_the_gradient_is_that_of_the_cross_entropy():
    X.attach_grad()
    with autograd.record():
        loss = gluon.loss.SoftmaxCrossEntropyLoss()(X, LABELS)
    loss.backward()
    expected = X.grad.asnumpy()
    with autograd.record():
        out = nd.SoftmaxOutput(X, LABELS) * 1000
    out.backward()  # what comes from above does not count
    np.testing.assert_allclose(X.grad.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_without_recording_it_is_the_softmax():
    np.testing.assert_allclose(nd.SoftmaxOutput(X, LABELS).asnumpy(), nd.softmax(X).asnumpy())
    assert nd.LinearRegressionOutput(X, X).tolist() == X.tolist()


def test_another_normalization_is_refused():
    with pytest.raises(MXNetError, match="Invalid Input: 'mean', valid values are"):
        nd.SoftmaxOutput(X, LABELS, normalization="mean")
