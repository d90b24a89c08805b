"""The form of a declared network: its layers in order, and the containers around them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from initlab.engine import gluon, laws
from initlab.engine.gluon import nn
from initlab.runner.plan.form import Link, form_declared
from initlab.runner.plan.network import network_of


class Doubled(gluon.Block):
    """x + f(x), in a `forward` of its own."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Dense(4, activation="tanh")

    def forward(self, x):
        return x + self.inner(x)


def form_of(net):
    return form_declared(network_of(net), {})


def test_layers_come_in_the_order_of_the_data_with_their_activations_and_factors():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, activation="relu"), nn.GELU(), nn.Scale(0.5), nn.Dense(2))
    assert form_of(net).links == (
        Link("0", "Dense", True, "relu"),
        Link("1", "GELU", False, "gelu"),
        Link("2", "Scale", False, None, 0.5),
        Link("3", "Dense", True, None),
    )


def test_residual_blocks_add_and_any_other_forward_is_a_container():
    net, block = nn.Sequential(), nn.Residual()
    block.add(nn.Dense(4))
    net.add(block, Doubled())
    form = form_of(net)
    assert form.containers == ("0", "1") and form.adding == ("0",)
    assert [link.path for link in form.links] == ["0.0", "1.inner"]


@pytest.mark.parametrize(
    ("drawn", "factor"), [(laws.Constant(0.25), 0.25), (laws.Normal(0, 1), None)]
)
def test_a_learned_factor_is_the_number_that_its_law_gives(drawn, factor):
    net = nn.HybridSequential()
    net.add(nn.Dense(4), nn.Scale(0.5, learnable=True))
    rows = {"1.scale": SimpleNamespace(law=drawn)}
    assert form_declared(network_of(net), rows).links[1].factor == factor
