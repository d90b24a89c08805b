"""The order that sorting needs: equal elements keep theirs."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine.ops.order import order, ranks

X = np.array([[3, 1, 3, 2], [1, 1, 2, 2]])


@pytest.mark.parametrize(
    ("ascending", "expected"),
    [(True, [[1, 3, 0, 2], [0, 1, 2, 3]]), (False, [[0, 2, 3, 1], [2, 3, 0, 1]])],
)
def test_equal_elements_stay_in_order_either_way(ascending, expected):
    assert order(np, X, 1, ascending).tolist() == expected


def test_an_order_along_another_axis_sorts_that_axis():
    numbers = order(np, X, 0, True)
    np.testing.assert_array_equal(np.take_along_axis(X, numbers, 0), np.sort(X, 0))


def test_ranks_undo_an_order():
    numbers = order(np, X, 1, False)
    places = ranks(np, numbers, 1)
    np.testing.assert_array_equal(
        np.take_along_axis(numbers, places, 1), np.tile(np.arange(4), (2, 1))
    )
