"""Where a key lives."""

from __future__ import annotations

import pytest

from initlab.runner.config.homes import homes_of, options_of_layer


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "sigma=0.1",
            "sigma: no such key - did you mean 'init.sigma' (with init=normal, init=vgg)? Known: ",
        ),
        (
            "epochs=3",
            "epochs: no such key - did you mean 'probe.epochs' (with probe=train)? Known: ",
        ),
        (
            "layers=5",
            "layers: no such key - did you mean 'model.layers' or 'init.layers' (with init=",
        ),
        ("batch=5", "batch: no such key - did you mean 'data.batch' or 'probe.batch' (with probe="),
        (
            "batch_size=5",
            "batch_size: no such key - did you mean 'data.batch' or 'probe.batch' (with",
        ),
        ("lr=1", "lr: no such key - did you mean 'probe.learning_rate' (with probe=train) or"),
        ("units=5", "units: no such key - did you mean 'model.layers.N.units'? Known: "),
        (
            "+sigma=0.1",
            "sigma: no such key - did you mean 'init.sigma' (with init=normal, init=vgg)? Known: ",
        ),
        ("random_seed=1", "random_seed: no such key - did you mean 'seed'? Known: "),
        ("sed=1", "sed: no such key - did you mean 'seed'? Known: "),
        ("index=1", "index: no such key - did you mean 'device.index'? Known: "),
    ],
)
def test_a_key_without_its_group_is_told_where_it_lives(command, word, said):
    done = command(word)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.startswith(f"error: {said}")


def test_a_name_of_nothing_has_no_home():
    assert homes_of("zzz") == {}
    assert homes_of("vocabulary") == {"data.vocabulary": ["data=tokens"]}


def test_a_layer_that_does_not_exist_has_no_options():
    assert options_of_layer("nothing") == []
    assert "units" in options_of_layer("dense")
