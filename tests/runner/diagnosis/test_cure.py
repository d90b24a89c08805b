"""What to write instead."""

from __future__ import annotations

import pytest

from initlab.engine import init
from initlab.runner.diagnosis.cure import initializer_of, python_of, words_for


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "gelu", "sigmoid", "selu", "silu"])
def test_the_words_of_every_activation_make_an_initializer(activation):
    kind, options = initializer_of(words_for(activation))
    assert isinstance(init.create(kind, **options), init.Initializer)


def test_words_become_python():
    assert python_of("init=variance_scaling init.scale=2.5 init.distribution=normal") == (
        "net.initialize(init.create('variance_scaling', scale=2.5, distribution='normal'), "
        "force_reinit=True)"
    )
