"""What a refusal of Hydra, OmegaConf or YAML means."""

from __future__ import annotations

import pytest

from initlab.runner.config.explain import how_to_write, key_of


@pytest.mark.parametrize(
    ("word", "key"),
    [("seed=1", "seed"), ("+a.b=c=d", "a.b"), ("~init", "init"), ("++x@y=1", "x")],
)
def test_the_key_of_a_word_has_no_sign_value_or_package(word, key):
    assert key_of(word) == key


def test_a_word_with_a_place_in_a_list_is_shown_with_dots():
    said = how_to_write("model.layers[0].units=3", ValueError())
    assert said == ("is no override - write places in a list with dots: model.layers.0.units=3")
