"""Random tokens: numbers of a vocabulary, labelled with what follows."""

from __future__ import annotations

import numpy as np

from initlab.runner import data


def test_tokens_are_whole_numbers_of_the_vocabulary_and_a_function_of_the_seed():
    tokens = data.REGISTRY.get("tokens")(batch=50, vocabulary=7)
    one, again, other = (tokens.load((4,), seed) for seed in (1, 1, 2))
    assert one.inputs.shape == (50, 4)
    assert set(np.unique(one.inputs)) == set(range(7))
    assert (one.inputs == again.inputs).all() and (one.inputs != other.inputs).any()


def test_there_is_a_class_for_each_word_and_a_label_for_each_position():
    tokens = data.REGISTRY.get("tokens")(vocabulary=7)
    assert (tokens.classes, tokens.label_shape((4,))) == (7, (4,))
