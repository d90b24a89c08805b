"""The shapes that an input would give are known without making the network ready."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import MXNetError, gluon, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.gluon.shapes import inferred
from initlab.engine.gluon.state import Ready, Unset


class Own(nn.Block):
    """A block that defines `forward` only."""

    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3)
            self.norm = nn.BatchNorm()
            self.fc = nn.Dense(10)

    def forward(self, x):
        return self.fc(nd.Dropout(self.norm(self.conv(x)), p=0.5))


def dense_net():
    net = nn.HybridSequential()
    net.add(nn.Dense(8), nn.Dense(3))
    return net


def shapes(net):
    return {path: parameter.shape for path, parameter in net.structural_params().items()}


@pytest.mark.parametrize(
    ("make", "sample", "weight", "output"),
    [
        (dense_net, (5,), ("0.weight", (8, 5)), (1, 3)),
        (Own, (3, 6, 6), ("fc.weight", (10, 64)), (1, 10)),
    ],
)
def test_shapes_are_there_while_it_is_open_and_as_before_afterwards(make, sample, weight, output):
    net = make()
    before = shapes(net)
    with inferred(net, (1, *sample)) as found:
        assert found == output
        assert shapes(net)[weight[0]] == weight[1]
    assert shapes(net) == before
    assert all(isinstance(p._state, Unset) for p in net.structural_params().values())


def test_values_and_gradients_stay_as_they_are():
    net = Own()
    net.initialize()
    net(nd.ones((2, 3, 6, 6)))
    before = {path: (p._state, p.data().asnumpy()) for path, p in net.structural_params().items()}
    with inferred(net, (1, 3, 6, 6)) as output:
        assert output == (1, 10)
    for path, parameter in net.structural_params().items():
        state, values = before[path]
        assert parameter._state is state and isinstance(state, Ready)
        np.testing.assert_array_equal(parameter.data().asnumpy(), values)


def test_what_a_network_draws_when_it_is_called_is_not_taken_from_the_ambient_stream():
    class Noisy(nn.Block):
        def forward(self, x):
            return x + nd.random.normal(shape=x.shape)

    streams.seed(5)
    expected = nd.random.normal(shape=(8,)).asnumpy()
    streams.seed(5)
    with inferred(Noisy(), (1, 4)):
        pass
    np.testing.assert_array_equal(nd.random.normal(shape=(8,)).asnumpy(), expected)


def test_an_input_that_does_not_fit_is_refused_by_the_layer_and_changes_nothing():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(2, 3))
    before = shapes(net)
    with pytest.raises(MXNetError, match="needs an input of 4 axes"), inferred(net, (1, 4)):
        pass
    assert shapes(net) == before
    own = Own()
    with pytest.raises(ValueError, match="needs an input of 4 axes"), inferred(own, (1, 4)):
        pass
    assert shapes(own)["fc.weight"] == (10, 0)


def test_an_output_that_is_no_single_array_has_no_shape():
    class Two(gluon.Block):
        def forward(self, x):
            return x, x

    with inferred(Two(), (1, 4)) as output:
        assert output is None
