"""The calls of a network as a tree: its stages, its layers, and what its branches add."""

from __future__ import annotations

import numpy as np
import pytest
from observed import inputs, made, subject_of

from initlab.engine import autograd, gluon, init, nd
from initlab.engine.gluon import nn
from initlab.runner.errors import ConfigError
from initlab.runner.observation.passes import observe
from initlab.runner.observation.tree import arrays_in, calls_of


def trunk_of(net, x):
    with calls_of(net) as calls:
        net(x)
    return [node.path for node in calls[-1].trunk()]


class Towers(gluon.Block):
    """Two towers from one input, of which only the first reaches the output, and a side path."""

    def __init__(self):
        super().__init__()
        self.first, self.side, self.second = nn.Dense(4), nn.Dense(4), nn.Dense(3)

    def forward(self, x):
        h = self.first(x)
        self.side(x)
        return self.second(h)


def test_the_way_from_the_input_to_the_output_leaves_out_what_lies_beside_it():
    net = Towers()
    net.initialize(init.Xavier())
    assert trunk_of(net, nd.array(inputs(2, 5))) == ["first", "second"]


def test_a_nested_list_is_a_list_and_a_residual_block_is_one_stage():
    inner = nn.HybridSequential()
    inner.add(nn.Dense(5), nn.Residual(nn.Dense(5)))
    net = made(inner, nn.Dense(2))
    assert trunk_of(net, nd.array(inputs(2, 5))) == ["0.0", "0.1", "1"]


def test_what_a_network_returns_is_searched_for_arrays():
    a, b = nd.zeros((1,)), nd.ones((2,))
    assert [one.shape for one in arrays_in((a, [b, "no"]))] == [(1,), (2,)]
    with pytest.raises(ConfigError, match="must return an array"):
        arrays_in("none")


def test_a_block_at_two_places_is_called_once_at_each():
    dense, x = nn.Dense(5), inputs(8, 5)
    net = made(dense, nn.Activation("tanh"), dense, nn.Dense(3), batch=x)
    seen = observe(subject_of(net, x))
    assert [stage.path for stage in seen.trunk] == ["0", "0", "3"]


def test_one_block_inside_two_blocks_is_part_of_both():
    class Half(gluon.Block):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) * 0.5

    inner, x = nn.Dense(5), inputs(8, 5)
    net = nn.Sequential()
    net.add(Half(inner), Half(inner), nn.Dense(3))
    net.initialize()
    net(nd.array(x))
    seen = observe(subject_of(net, x))
    assert [stage.path for stage in seen.trunk] == ["0", "1", "2"]
    assert [stage.path for stage in seen.leaves] == ["0.inner", "0.inner", "2"]


def ratio(branch, stream):
    return pytest.approx(np.sqrt(np.square(branch).mean() / np.square(stream).mean()), rel=1e-4)


def test_a_branch_is_measured_before_the_activation_that_follows_its_addition():
    x = inputs(8, 5)
    branch = nn.Dense(5, use_bias=False)
    net = made(nn.Residual(branch, activation="relu"), nn.Dense(2), batch=x)
    added = x @ branch.weight.data().asnumpy().T
    assert observe(subject_of(net, x)).trunk[0].branch == ratio(added, x)


def test_a_branch_beside_a_shortcut_is_measured_against_it():
    x = inputs(8, 5)
    branch, shortcut = (nn.Dense(4, use_bias=False) for _ in range(2))
    net = made(nn.Residual(branch, shortcut=shortcut), nn.Dense(2), batch=x)
    f, s = (x @ one.weight.data().asnumpy().T for one in (branch, shortcut))
    assert observe(subject_of(net, x)).trunk[0].branch == ratio(f, s)


@pytest.mark.parametrize("after", [nd.relu, lambda total: total])
def test_a_class_that_adds_to_what_enters_has_a_branch(after):
    class Adds(gluon.Block):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(5, use_bias=False)

        def forward(self, x):
            return after(x + self.dense(x))

    x, block = inputs(8, 5), Adds()
    net = nn.Sequential()
    net.add(block, nn.Dense(2))
    net.initialize(init.Xavier())
    net(nd.array(x))
    added = x @ block.dense.weight.data().asnumpy().T
    assert observe(subject_of(net, x)).trunk[0].branch == ratio(added, x)


def test_a_class_that_adds_nothing_to_what_enters_has_no_branch():
    class Plain(gluon.Block):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(5)

        def forward(self, x):
            return nd.relu(self.dense(x))

    x, net = inputs(8, 5), nn.Sequential()
    net.add(*[Plain() for _ in range(3)], nn.Dense(2))
    net.initialize(init.Xavier())
    net(nd.array(x))
    assert [stage.branch for stage in observe(subject_of(net, x)).trunk] == [None] * 4


def test_a_block_whose_part_fails_and_is_caught_is_observed():
    class Fails(gluon.Block):
        def forward(self, x):
            raise ValueError("not today")

    class Tries(gluon.Block):
        def __init__(self):
            super().__init__()
            self.first, self.second = Fails(), nn.Dense(3)

        def forward(self, x):
            try:
                return self.first(x)
            except ValueError:
                return self.second(x)

    x, net = inputs(4, 5), Tries()
    net.initialize()
    net(nd.array(x))
    assert [stage.path for stage in observe(subject_of(net, x)).trunk] == ["second"]


def test_a_stream_that_is_given_beside_what_a_block_computes_with_is_what_enters_it():
    class Adding(gluon.Block):
        def __init__(self):
            super().__init__()
            self.dense = gluon.nn.Dense(4, in_units=4)

        def forward(self, normed, stream):
            return stream + self.dense(normed)

    class Net(gluon.Block):
        def __init__(self):
            super().__init__()
            self.norm, self.adding = gluon.nn.LayerNorm(in_channels=4), Adding()

        def forward(self, x):
            return self.adding(self.norm(x), x)

    net = Net()
    net.initialize()
    with autograd.record(), calls_of(net) as calls:
        x = nd.array([[1.0, 2, 3, 5]])
        net(x)
    adding = next(part for part in calls[0].parts if part.path == "adding")
    assert adding.entered is x and adding.adds
