"""PoissonNLLLoss, CTCLoss and SDMLLoss against MXNet 1.9.1, and CTC against every alignment there
is.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import loss_session
import numpy as np
import pytest

import initlab.engine as mx
from initlab.engine import autograd, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import loss

RECORDED = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mxnet-sequence-losses.json").read_text(
        encoding="utf-8"
    )
)
FOUND = loss_session.session(mx)


@pytest.mark.parametrize("name", sorted(set(RECORDED) - {"reprs"}))
def test_values_and_gradients_are_mxnets(name):
    for theirs, ours in zip(RECORDED[name], FOUND[name], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)


def test_prints_are_mxnets():
    assert FOUND["reprs"] == RECORDED["reprs"]


def collapsed(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """A path without repetitions and blanks."""
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


@pytest.mark.parametrize("labels", [(), (0,), (0, 1), (1, 1), (0, 1, 0)])
def test_the_probability_is_the_sum_over_all_alignments(labels):
    scores = np.random.default_rng(0).normal(size=(4, 3))
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    whole = sum(
        np.prod([p[t, k] for t, k in enumerate(path)])
        for path in itertools.product(range(3), repeat=4)
        if collapsed(path, 2) == labels
    )
    padded = np.array([[*labels, *[-1] * (4 - len(labels))]])
    got = loss.CTCLoss()(nd.array(scores[None], dtype="float64"), nd.array(padded, dtype="float64"))
    assert got.asscalar() == pytest.approx(-np.log(whole))


def test_a_label_that_is_the_blank_is_one_more_blank_as_in_mxnet():
    labels = nd.array([[2, 1, 2, 2], [3, 2, 2, 2]])
    got = loss.CTCLoss()(nd.ones((2, 20, 4)), labels, None, nd.array([2, 3]))
    assert got.asnumpy() == pytest.approx([18.828207, 16.505817], rel=1e-6)  # MXNet's


def test_a_sequence_too_short_for_its_labels_has_an_infinite_loss_and_no_gradient():
    x = nd.array(np.random.default_rng(0).normal(size=(2, 2, 3)))
    x.attach_grad()
    with autograd.record():
        value = loss.CTCLoss()(x, nd.array([[0, 0], [0, 1]]))
    value.backward()
    assert value.asnumpy()[0] == np.inf and np.isfinite(value.asnumpy()[1])
    assert not x.grad.asnumpy()[0].any() and x.grad.asnumpy()[1].any()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: loss.CTCLoss(layout="CTN"),
            AssertionError,
            "Only 'NTC' and 'TNC' layouts for pred are supported. Got: CTN",
        ),
        (
            lambda: loss.CTCLoss(label_layout="N"),
            AssertionError,
            "Only 'NT' and 'TN' layouts for label are supported. Got: N",
        ),
        (
            lambda: loss.CTCLoss()(nd.ones((2, 5, 3)), nd.array([[0, 7], [0, 1]])),
            MXNetError,
            "labels must be classes of 0 … 2",
        ),
        (
            lambda: loss.CTCLoss()(nd.ones((2, 5, 3)), nd.array([[0, 1]])),
            MXNetError,
            r"scores for 2 samples \(5, 2, 3\), labels for 1 \(1, 2\)",
        ),
        (
            lambda: loss.CTCLoss()(nd.ones((2, 5, 3)), nd.array([0, 1])),
            MXNetError,
            r"labels \(batch, longest\), got .* and \(2,\)",
        ),
        (
            lambda: loss.CTCLoss()(nd.ones((1, 5, 3)), nd.array([[0]]), nd.array([6])),
            MXNetError,
            "data_lengths must lie between 1 and 5",
        ),
        (
            lambda: nd.CTCLoss(nd.ones((5, 1, 3)), nd.array([[0]]), blank_label="lst"),
            MXNetError,
            "did you mean 'last'",
        ),
    ],
)
def test_invalid_arguments_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_stirlings_term_is_there_while_recording_too():
    """MXNet refuses it there, since it multiplies in place."""
    pred, target = nd.array([[0.1, 0.2]]), nd.array([[3.0, 1.0]])
    pred.attach_grad()
    with autograd.record():
        value = loss.PoissonNLLLoss(compute_full=True)(pred, target)
    value.backward()
    stirling = 3 * np.log(3) - 3 + 0.5 * np.log(2 * np.pi * 3)
    assert value.asscalar() == pytest.approx(
        (np.exp(0.1) - 0.3 + np.exp(0.2) - 0.2 + stirling) / 2, rel=1e-6
    )
    np.testing.assert_allclose(
        pred.grad.asnumpy(), (np.exp([[0.1, 0.2]]) - [[3, 1]]) / 2, rtol=1e-5
    )
