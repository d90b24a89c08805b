"""Containers: sequences, slices of them, and shortcuts."""

from __future__ import annotations

import pytest

from initlab.engine import init, nd
from initlab.engine.errors import MXNetError
from initlab.engine.gluon import nn, rnn
from initlab.engine.gluon.contrib import nn as contrib


def chain(kind, *units):
    net = kind(prefix="net_")
    with net.name_scope():
        net.add(*(nn.Dense(n) for n in units))
    return net


@pytest.mark.parametrize("kind", [nn.Sequential, nn.HybridSequential])
def test_a_sequence_is_indexed_sliced_counted_and_walked(kind):
    net = chain(kind, 1, 2, 3)
    assert len(net) == 3
    assert list(net) == [net[0], net[1], net[-1]]
    part = net[1:]
    assert (type(part), part.prefix, list(part)) == (kind, "net_", [net[1], net[2]])
    with pytest.raises(IndexError):
        net[3]


def test_an_error_knows_the_path_of_the_layer_it_comes_from():
    inner = nn.Sequential()
    inner.add(nn.Dense(2, in_units=3))
    net = nn.Sequential()
    net.register_child(nn.Dense(4), "first")
    net.register_child(inner, "rest")
    with pytest.raises(MXNetError, match="Shape inconsistent") as caught:
        net.output_shape((1, 5))
    assert caught.value.path == "rest.0"


def test_a_block_receives_what_the_one_before_it_returned():
    for made, layer in ((nn.Sequential, nn.Lambda), (nn.HybridSequential, HybridPair)):
        net = made()
        net.add(layer(lambda x: (x, x * 2)), layer(lambda pair: pair[0] + pair[1]))
        assert net(nd.ones((2,))).tolist() == [3, 3]


class HybridPair(nn.HybridBlock):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def hybrid_forward(self, F, x):
        return self.function(x)


@pytest.mark.parametrize(
    "container", [nn.HybridSequential, contrib.HybridConcurrent, nn.Residual], ids=str
)
def test_the_hybrid_forward_of_a_containers_subclass_is_what_runs(container):
    class Sum(container):
        def __init__(self):
            super().__init__()
            self.scale = self.params.get("scale", shape=(1,), init="ones")

        def hybrid_forward(self, F, x, scale):
            return F.add_n(*[block(x) for block in self._children.values()]) * (2 * scale)

    net = Sum()
    net.add(nn.Dense(3), nn.Dense(3))
    net.initialize(init.One())
    assert net(nd.ones((1, 3))).tolist() == [[12, 12, 12]]


def below(cls):
    """Return all subclasses that the engine defines."""
    found = [sub for one in cls.__subclasses__() for sub in (one, *below(one))]
    return [one for one in found if "engine." in one.__module__ and "tests" not in one.__module__]


@pytest.mark.parametrize("hybrid", below(nn.HybridBlock), ids=str)
def test_no_hybrid_block_overrides_forward(hybrid):
    """Otherwise a subclass's `hybrid_forward` would be ignored; cells count their steps there."""
    owner = next(cls for cls in hybrid.__mro__ if "forward" in cls.__dict__)
    assert owner is nn.HybridBlock or issubclass(hybrid, rnn.RecurrentCell)


def test_residual_adds_its_input():
    net = nn.Residual(nn.Dense(2, in_units=2, use_bias=False), nn.Activation("relu"))
    net.initialize(init.Constant(0.5))
    assert net(nd.array([[1.0, 3.0]])).tolist() == [[3, 5]]
    assert net.output_shape((7, 2)) == (7, 2)
    assert list(net.structural_params()) == ["0.weight"]


def test_residual_refuses_layers_that_change_the_shape():
    net = nn.Residual(nn.Dense(3))
    net.initialize()
    for use in (lambda: net.output_shape((1, 2)), lambda: net(nd.ones((1, 2)))):
        with pytest.raises(
            MXNetError,
            match=r"residual: its layers turn shape \(1, 2\) into \(1, 3\), so the input cannot be added",
        ):
            use()


def test_residual_adds_its_shortcut_and_then_activates():
    net = nn.Residual(
        nn.Dense(3, use_bias=False),
        nn.Dense(3),
        shortcut=nn.Dense(3, use_bias=False),
        activation="relu",
    )
    assert net.output_shape((1, 2)) == (1, 3)
    net.initialize(init.Constant(-1))
    net[0].weight.set_data(nd.ones((3, 2)))
    assert list(net.structural_params()) == ["0.weight", "1.weight", "1.bias", "shortcut.weight"]
    assert net(nd.array([[1.0, 2.0]])).tolist() == [[0, 0, 0]]
    assert net(nd.array([[-1.0, -2.0]])).tolist() == [[12, 12, 12]]
    assert (len(net), list(net), net[-1]) == (2, [net[0], net[1]], net[1])
    assert list(net[1:].structural_params()) == ["0.weight", "0.bias", "shortcut.weight"]


def test_residual_refuses_a_shortcut_of_another_shape_and_says_where_it_fails():
    net = nn.Residual(nn.Dense(3), shortcut=nn.Dense(4))
    with pytest.raises(
        MXNetError,
        match=r"turn shape \(1, 2\) into \(1, 3\), so its shortcut's \(1, 4\) cannot be added",
    ):
        net.output_shape((1, 2))
    with pytest.raises(MXNetError, match="Shape inconsistent") as caught:
        nn.Residual(nn.Dense(3), shortcut=nn.Dense(3, in_units=9)).output_shape((1, 2))
    assert caught.value.path == "shortcut"
    with pytest.raises(ValueError, match="no activation 'rulu' - did you mean 'relu'"):
        nn.Residual(nn.Dense(3), activation="rulu")


def test_a_sequence_of_hybrid_blocks_recommends_the_hybrid_sequence():
    with pytest.warns(
        UserWarning,
        match="All children of this Sequential layer 'net_' are HybridBlocks. Consider using HybridSequential",
    ):
        chain(nn.Sequential, 1).hybridize()
