"""The order in which torch draws: constructors first, then what is initialized over them."""

from __future__ import annotations

import math

import numpy as np
from torch_nets import words_of

from initlab.engine import formats
from initlab.engine.streams import TorchStream


def tensors(folder):
    return formats.get("safetensors").read(folder / "snapshot.safetensors").tensors


def test_constructors_draw_in_vain_what_an_initializer_draws_again(only_run):
    """Two layers of one unit: four draws of constructors, then two of the initializer."""
    net = "model.layers=[{kind: dense, name: a, units: 1}, {kind: dense, name: b, units: 1}]"
    words = ["semantics=torch", "stream=torch-2.13", "init=uniform", "init.scale=0.5", "seed=3"]
    got = tensors(only_run(net, "model.input=[1]", *words))
    stream = TorchStream(3)
    wanted = {
        name: stream.uniform(-bound, bound, 1)
        for name, bound in [
            ("first a.weight", math.sqrt(3.0) * math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))),
            ("a.bias", 1.0),
            ("first b.weight", math.sqrt(3.0) * math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))),
            ("b.bias", 1.0),
            ("a.weight", 0.5),
            ("b.weight", 0.5),
        ]
    }
    for path, values in got.items():
        np.testing.assert_array_equal(values.ravel(), wanted[path], path)


def test_a_rule_that_names_a_bias_draws_after_the_constructors(only_run):
    rules = (
        'init.rules=[{match: "a.bias", init: {kind: normal, sigma: 1}}, {match: ".*", init: zero}]'
    )
    net = "model.layers=[{kind: dense, name: a, units: 20}]"
    got = tensors(
        only_run(
            net, "model.input=[5]", "init=mixed", rules, "semantics=torch", "stream=torch-2.13"
        )
    )
    stream = TorchStream(0)
    stream.uniform(0, 1, 100 + 20)
    np.testing.assert_array_equal(got["a.bias"], stream.normal(0, 1, 20))


def test_a_run_of_the_library_is_repeated_by_its_words(only_run):
    first, second = (tensors(only_run(*words_of("attention"))) for _ in range(2))
    assert all((first[path] == second[path]).all() for path in first)
