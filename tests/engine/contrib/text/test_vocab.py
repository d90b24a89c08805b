"""Vocabularies: what MXNet gave is in `differential/texts`; here what is refused, and a law."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.contrib.text import vocab

tokens = st.lists(st.text(min_size=1, max_size=3), max_size=20)


@given(tokens)
def test_a_token_is_the_token_of_its_number(words):
    vocabulary = vocab.Vocabulary(Counter(words))
    assert vocabulary.to_tokens(vocabulary.to_indices(words)) == words
    counts = [Counter(words)[token] for token in vocabulary.idx_to_token[1:]]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_freq": 0}, "`min_freq` must be set to a positive value."),
        ({"reserved_tokens": ["<unk>"]}, "cannot contain `unknown_token`"),
        ({"reserved_tokens": ["a", "a"]}, "cannot contain duplicate reserved tokens"),
        ({"counter": {"a": 1}}, "must be an instance of collections.Counter"),
    ],
)
def test_what_does_not_fit_is_refused_in_mxnets_words(options, said):
    with pytest.raises(AssertionError, match=said):
        vocab.Vocabulary(**options)


@pytest.mark.parametrize("index", [9, "a", [0, 9]])
def test_a_number_that_no_token_has_is_a_value_error(index):
    with pytest.raises(ValueError, match="in the provided `indices` is invalid"):
        vocab.Vocabulary(Counter("ab")).to_tokens(index)
