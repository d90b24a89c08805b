"""A law without randomness says of any slice how many elements are not as declared; the others say
that they cannot.
"""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key

DECLARED = [
    (laws.Constant(0.25), (6, 35)),
    (laws.Constant([[1.0], [2.0]]), (2, 105)),
    (laws.ForgetGate(1.0), (8, 27)),
    (laws.Structured(), (20, 11)),
    (laws.Structured("bilinear"), (3, 3, 5, 5)),
]


@pytest.mark.parametrize(("law", "shape"), DECLARED, ids=[str(law) for law, _ in DECLARED])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("start", "stop"), [(0, 200), (17, 18), (90, 90), (33, 150)])
def test_every_slice_of_what_was_drawn_is_right_and_what_was_changed_is_counted(
    law, shape, dtype, start, stop
):
    part = law.draw(Key(0, ""), shape, dtype).reshape(-1)[start:stop].copy()
    assert law.wrong_in(part, shape, start) == 0
    part[1:4] = [7, np.nan, -7][: max(part.size - 1, 0)]
    assert law.wrong_in(part, shape, start) == min(max(part.size - 1, 0), 3)


def test_the_invariant_of_the_whole_counts_the_same():
    values = np.full((3, 3), 2, np.float32)
    values[1, 1] = 5
    [invariant] = laws.Constant(2).invariants(values)
    assert (invariant.name, invariant.value, invariant.ok) == (
        "elements that differ from the constant",
        1,
        False,
    )


@pytest.mark.parametrize(
    "law",
    [
        laws.Normal(0, 1),
        laws.Uniform(0, 1),
        laws.Haar(),
        laws.Custom("mine"),
        laws.Loaded("a.npz", "w"),
    ],
    ids=str,
)
def test_a_law_that_is_random_or_not_sliced_says_nothing(law):
    assert law.wrong_in(np.zeros(4, np.float32), (2, 2), 0) is None
