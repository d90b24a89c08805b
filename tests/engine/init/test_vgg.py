"""VGG's initializer against torchvision's rule."""

from __future__ import annotations

import pytest

from initlab.engine import init, laws
from initlab.engine.gluon import nn
from initlab.runner.errors import ConfigError
from initlab.runner.plan.block import plan


def test_convolutions_go_by_their_outputs_and_other_weights_have_one_size():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3), nn.Flatten(), nn.Dense(5), nn.Dense(2))
    found = {row.path: row.law for row in plan(net, init.Vgg(), input=(3, 6, 6)).rows}
    assert found["0.weight"] == laws.Normal(0.0, (2 / (8 * 9)) ** 0.5)
    assert found["2.weight"] == found["3.weight"] == laws.Normal(0.0, 0.01)
    assert str(found["0.bias"]) == str(found["2.bias"]) == "Constant(0)"


def test_whatever_the_layers_are_called_the_laws_are_the_same():
    def laws_of(*names: str) -> list[str]:
        net = nn.HybridSequential()
        for name, layer in zip(names, (nn.Conv1D(4, 3), nn.Dense(3)), strict=True):
            net.register_child(layer, name)
        return [str(row.law) for row in plan(net, "vgg", input=(2, 8)).rows]

    assert laws_of("conv1", "fc1") == laws_of("features", "classifier")


def test_a_network_without_a_convolution_is_refused():
    net = nn.HybridSequential()
    net.add(nn.Dense(4))
    with pytest.raises(ConfigError, match="vgg, but it fills no convolution - initlab advise"):
        plan(net, init.Vgg(), input=(3,))
