"""Nodes of the tape: how the gradients of several results come together."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd
from initlab.engine.tape import PRIMITIVES, Node, Together, is_box


def test_gradients_of_several_results_add_up_result_by_result():
    total = Together([np.array([1.0]), None, None]) + Together([np.array([2.0]), np.ones(1), None])
    assert isinstance(total, Together)
    assert [None if g is None else g.tolist() for g in total] == [[3.0], [1.0], None]


def test_the_node_of_one_result_puts_its_gradient_in_its_place():
    joint = Node("pair", [], lambda gradient: ())
    node = Node.of_one(joint, 1, 3)
    assert node.parents == [joint]
    assert node.gradients("g") == (Together([None, "g", None]),)
    assert node.recorded_gradients("g") == (Together([None, "g", None]),)


@pytest.mark.parametrize(
    ("value", "expected"), [(nd.array([1.0]), True), (np.ones(1), False), (3, False)]
)
def test_boxes_are_told_from_raw_values(value, expected):
    assert is_box(value) is expected


def test_every_primitive_keeps_the_function_that_it_was_made_of():
    assert len(PRIMITIVES) > 100
    assert all(callable(primitive.__wrapped__) for primitive in PRIMITIVES.values())
