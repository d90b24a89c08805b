"""Boxes as offsets from anchors, and their matching. `tests/differential/updates.py` holds them
against MXNet.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import nd
from initlab.engine.errors import MXNetError

ANCHORS = nd.array([[[0, 0, 2, 2], [1, 1, 4, 5]]])


def test_decoding_gives_what_was_encoded():
    boxes = nd.array([[[0, 0, 3, 2], [1, 0, 4, 4]]])
    stds = [0.1, 0.1, 0.2, 0.2]
    targets, masks = nd.contrib.box_encode(
        nd.ones((1, 2)), nd.array([[1, 0]]), ANCHORS, boxes, nd.zeros((4,)), nd.array(stds)
    )
    assert masks.asnumpy().tolist() == np.ones((1, 2, 4)).tolist()
    found = nd.contrib.box_decode(targets, ANCHORS, *stds, format="corner")
    assert found.asnumpy() == pytest.approx(boxes.asnumpy()[:, ::-1], abs=1e-6)


def test_an_anchor_that_is_no_sample_has_no_target():
    targets, masks = nd.contrib.box_encode(
        nd.array([[-1, 0]]), nd.zeros((1, 2)), ANCHORS, ANCHORS * 2, nd.zeros((4,)), nd.ones((4,))
    )
    assert not targets.asnumpy().any() and not masks.asnumpy().any()


def test_an_unknown_format_is_refused():
    with pytest.raises(MXNetError, match="Invalid Input: 'x', valid values are"):
        nd.contrib.box_decode(ANCHORS, ANCHORS, format="x")


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_each_row_and_column_is_matched_once_and_in_both_lists(rows, columns, ascending, seed):
    scores = np.random.default_rng(seed).permutation(rows * columns).reshape(rows, columns)
    threshold = rows * columns if ascending else -1
    of_row, of_column = (
        x.asnumpy().astype(int).tolist()
        for x in nd.contrib.bipartite_matching(
            nd.array(scores), is_ascend=ascending, threshold=threshold
        )
    )
    pairs = {(i, j) for i, j in enumerate(of_row) if j >= 0}
    assert len(pairs) == min(rows, columns)
    assert pairs == {(i, j) for j, i in enumerate(of_column) if i >= 0}
    best = scores.argmin() if ascending else scores.argmax()
    assert divmod(int(best), columns) in pairs


def test_scores_beyond_the_threshold_are_not_matched():
    rows, columns = nd.contrib.bipartite_matching(nd.array([[0.5, 0.6], [0.1, 0.2]]), threshold=0.3)
    assert (rows.asnumpy().tolist(), columns.asnumpy().tolist()) == ([1, -1], [-1, 0])
