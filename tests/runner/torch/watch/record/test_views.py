"""Which elements a write covers is exact, for any view."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed")

from initlab.runner.torch.watch.record.recording import View  # noqa: E402
from initlab.runner.torch.watch.record.views import NONE, PART, WHOLE, covers, is_dense  # noqa: E402

sizes = st.lists(st.integers(0, 4), min_size=0, max_size=3)
views = sizes.flatmap(
    lambda size: st.builds(
        View,
        st.integers(0, 9),
        st.just(tuple(size)),
        st.tuples(*(st.integers(0, 7) for _ in size)),
        st.sampled_from([2, 4]),
    )
)


def bytes_of(view):
    """Return the bytes of a view, by counting."""
    found = set()
    for at in np.ndindex(*view.sizes):
        first = view.first + sum(i * s for i, s in zip(at, view.strides, strict=True))
        found |= set(range(first * view.width, (first + 1) * view.width))
    return found


@given(views, views)
def test_covering_is_what_counting_bytes_gives(writing, read):
    a, b = bytes_of(writing), bytes_of(read)
    expected = NONE if not a & b else WHOLE if b <= a else PART
    assert covers(writing, read) == expected


@given(views)
def test_a_dense_view_has_every_byte_of_its_reach(view):
    found = bytes_of(view)
    if is_dense(view) and found:
        assert found == set(range(min(found), max(found) + 1))


def test_a_whole_storage_covers_anything():
    assert covers(None, View(3, (2, 2), (4, 1), 4)) == WHOLE
