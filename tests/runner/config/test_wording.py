"""Values as words, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.runner.config.wording import parsed, word_of


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
def test_a_word_has_the_value_it_was_made_of(value):
    found = parsed(word_of("key", value))
    assert found is not None and found.value() == value


@pytest.mark.parametrize("word", ["key=[", "a b"])
def test_what_is_no_word_is_none(word):
    assert parsed(word) is None
