"""What to write instead."""

from __future__ import annotations

import pytest
from observed import chain, seen_in

from initlab.engine import init
from initlab.runner.declare import declare
from initlab.runner.diagnosis.cure import can_draw, initializer_of, python_of, torch_of, words_for
from initlab.runner.plan.network import network_of


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "gelu", "sigmoid", "selu", "silu"])
def test_the_words_of_every_activation_make_an_initializer(activation):
    kind, options = initializer_of(words_for(activation))
    assert isinstance(init.create(kind, **options), init.Initializer)


def test_words_become_python():
    assert python_of("init=variance_scaling init.scale=2.5 init.distribution=normal") == (
        "net.initialize(init.create('variance_scaling', scale=2.5, distribution='normal'), "
        "force_reinit=True)"
    )


def test_words_that_gluon_names_otherwise_draw_the_same_in_python():
    assert python_of("init=orthogonal") == "net.initialize(init.create('haar'), force_reinit=True)"
    kind, options = initializer_of("init=gpt2")
    declared = declare("init=gpt2", "model=residual_mlp").config["init"]
    assert declared["kind"] == kind
    assert {name: declared[name] for name in options} == options


def test_an_initializer_that_draws_what_is_there_is_not_advised():
    net = chain(2, "relu", "he")
    seen = seen_in(net)
    drawn = network_of(net)
    assert not can_draw(drawn, "init=he", 1, seen.tensors)
    assert can_draw(drawn, "init=lecun", 1, seen.tensors)
    assert not can_draw(drawn, "init=fixup", 1, seen.tensors)  # it has no branches


def test_for_a_module_of_pytorch_the_words_are_a_plan_that_is_applied():
    assert torch_of("init=he") == "initlab.torch.plan(module, 'he').apply(module)"
    assert torch_of("init=normal init.sigma=0.1") == (
        "initlab.torch.plan(module, {'kind': 'normal', 'sigma': 0.1}).apply(module)"
    )
    assert torch_of("smaller branches") == "smaller branches"
