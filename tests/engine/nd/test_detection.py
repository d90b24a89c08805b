"""Boxes: what MXNet gave is in `differential/operators`; here the laws and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import nd
from initlab.engine.errors import MXNetError
from initlab.engine.nd import detection

seeds = st.integers(0, 10**6)


def boxes(seed, count=6):
    rng = np.random.RandomState(seed)
    low = rng.uniform(0, 1, (count, 2))
    return np.concatenate([low, low + rng.uniform(0, 1, (count, 2))], axis=1)


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_overlaps_are_symmetric_shares_and_one_of_a_box_with_itself(seed):
    shares = detection.overlaps(boxes(seed), boxes(seed))
    assert ((shares >= 0) & (shares <= 1 + 1e-12)).all()
    np.testing.assert_allclose(shares, shares.T)
    np.testing.assert_allclose(np.diag(shares), 1)


@settings(max_examples=50, deadline=None)
@given(seeds, st.floats(0.05, 0.9))
def test_boxes_that_are_left_do_not_overlap_and_are_ordered(seed, threshold):
    scores = np.random.RandomState(seed).uniform(0.1, 1, (6, 1))
    rows = np.concatenate([np.zeros((6, 1)), scores, boxes(seed)], axis=1)
    found = nd.contrib.box_nms(nd.array(rows, dtype="float64"), overlap_thresh=threshold).asnumpy()
    left = found[found[:, 1] >= 0]
    assert len(left)
    assert (np.diff(left[:, 1]) <= 0).all()
    shares = detection.overlaps(left[:, 2:], left[:, 2:]) - np.eye(len(left))
    assert (shares <= threshold + 1e-9).all()
    assert (found[len(left) :] == -1).all()


def test_an_empty_box_overlaps_nothing():
    point = np.array([[0.5, 0.5, 0.5, 0.5]])
    assert detection.overlaps(point, point).tolist() == [[0]]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda x: nd.contrib.box_iou(x, x, format="middle"),
            "valid values are: {'center', 'corner'}",
        ),
        (lambda x: nd.contrib.box_nms(x, in_format="x"), "Invalid Input: 'x'"),
        (
            lambda x: nd.contrib.MultiBoxDetection(x, x, x, background_id=1),
            "background_id must be 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(MXNetError) as caught:
        call(nd.ones((1, 4)))
    assert said in str(caught.value)
