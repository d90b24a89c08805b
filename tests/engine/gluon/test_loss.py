"""Losses and their gradients against what MXNet 1.9.1 computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import autograd, gluon, nd
from initlab.engine.gluon import loss

RECORDED = np.load(Path(__file__).parents[2] / "vectors" / "mxnet-losses.npz", allow_pickle=False)
CLASSES = np.array([[0, 1], [2, 1], [0, 0], [1, 2]], np.float32)
SIGNS = np.array([1, -1, 1, -1], np.float32)

CASES = {
    "l2": (lambda: loss.L2Loss(), ("p", "q")),
    "l2w": (lambda: loss.L2Loss(weight=0.3), ("p", "q", "sw")),
    "l1": (lambda: loss.L1Loss(), ("p", "q")),
    "bce": (lambda: loss.SigmoidBCELoss(), ("p", "b")),
    "bces": (lambda: loss.SigmoidBCELoss(from_sigmoid=True), ("q", "b")),
    "ce": (lambda: loss.SoftmaxCELoss(), ("p2", "c")),
    "ces": (lambda: loss.SoftmaxCELoss(sparse_label=False), ("p2", "soft")),
    "ce1": (lambda: loss.SoftmaxCELoss(axis=1), ("p", CLASSES)),
    "kl": (lambda: loss.KLDivLoss(from_logits=False), ("p2", "soft")),
    "hu": (lambda: loss.HuberLoss(rho=0.7), ("p", "q")),
    "hi": (lambda: loss.HingeLoss(), ("p", "s")),
    "sh": (lambda: loss.SquaredHingeLoss(margin=0.5), ("p", "s")),
    "lo": (lambda: loss.LogisticLoss(), ("p", "s")),
    "lob": (lambda: loss.LogisticLoss(label_format="binary"), ("p", "b")),
    "tr": (lambda: loss.TripletLoss(), ("p2", "soft", RECORDED["p2"][::-1].copy())),
    "co": (lambda: loss.CosineEmbeddingLoss(margin=0.1), ("p2", "soft", SIGNS)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loss_and_its_gradient_are_those_of_mxnet(name):
    make, given = CASES[name]
    arrays = [nd.array(RECORDED[a] if isinstance(a, str) else a) for a in given]
    arrays[0].attach_grad()
    with autograd.record():
        y = make()(*arrays)
    y.backward()
    assert y.shape == RECORDED[f"{name}_y"].shape
    np.testing.assert_allclose(y.asnumpy(), RECORDED[f"{name}_y"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        arrays[0].grad.asnumpy(), RECORDED[f"{name}_d"], rtol=1e-4, atol=1e-6
    )


def test_a_loss_prints_as_mxnet_prints_it_and_an_impossible_one_is_refused():
    assert repr(loss.L2Loss()) == "L2Loss(batch_axis=0, w=1.0)"
    assert repr(loss.SoftmaxCELoss()) == "SoftmaxCrossEntropyLoss(batch_axis=0, w=None)"
    with pytest.raises(ValueError, match="label_format can only be signed or binary, received x."):
        loss.LogisticLoss(label_format="x")


def test_a_loss_of_ones_own_uses_mxnets_helpers():
    class Squared(gluon.loss.Loss):
        def __init__(self, weight=None, batch_axis=0, **kwargs):
            super().__init__(weight, batch_axis, **kwargs)

        def hybrid_forward(self, F, pred, label, sample_weight=None):
            label = gluon.loss._reshape_like(F, label, pred)
            loss = F.square(pred - label)
            loss = gluon.loss._apply_weighting(F, loss, self._weight, sample_weight)
            return F.mean(loss, axis=self._batch_axis, exclude=True)

    pred, label = nd.ones((2, 3)), nd.zeros((6,))
    assert Squared()(pred, label).tolist() == [1, 1]
    assert Squared(weight=2.0)(pred, label, nd.array([[1], [3]])).tolist() == [2, 6]
    with pytest.raises(AssertionError, match="weight must be a number"):
        Squared(weight="2")(pred, label)
