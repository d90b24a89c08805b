"""`nd.CTCLoss`: the probability of labels summed over all alignments. MXNet's numbers are in
`tests/engine/gluon/test_sequence_loss.py`.
"""

from __future__ import annotations

import math

import pytest

from initlab.engine import nd
from initlab.engine.errors import MXNetError


def test_one_label_in_two_steps_has_three_alignments():
    scores = nd.zeros((2, 1, 3))  # every class has probability 1/3 at each step
    loss = nd.CTCLoss(scores, nd.array([[1]]))
    assert loss.asscalar() == pytest.approx(-math.log(3 / 9), rel=1e-6)


def test_labels_end_at_their_padding_unless_lengths_are_given():
    scores = nd.random.normal(shape=(4, 1, 3))
    padded = nd.CTCLoss(scores, nd.array([[1, 0]]))
    told = nd.CTCLoss(scores, nd.array([[1, 2]]), None, nd.array([1]), False, True)
    assert padded.asscalar() == pytest.approx(told.asscalar(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nd.CTCLoss(nd.ones((2, 1, 3)), nd.ones((1, 1)), blank_label="frist"), "did you mean 'first'"),
        (lambda: nd.CTCLoss(nd.ones((2, 3)), nd.ones((1, 1))), "scores must be .time, batch, classes."),
        (
            lambda: nd.CTCLoss(nd.ones((2, 1, 3)), nd.ones((1, 1)), nd.array([3]), None, True),
            "data_lengths must lie between 1 and 2",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(MXNetError, match=message):
        call()
