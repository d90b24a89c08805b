"""Blocks side by side: what MXNet 1.9.1 computed, shapes, and what is refused."""

from __future__ import annotations

import warnings

import pytest
import recorded_layers

from initlab.engine import init, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.gluon.contrib import nn as contrib


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


@pytest.mark.parametrize("kind", [contrib.Concurrent, contrib.HybridConcurrent])
def test_concurrent_joins_the_outputs_of_its_children(kind):
    net = kind(axis=1)
    net.add(nn.Dense(2, in_units=3), contrib.Identity(), nn.Dense(1, in_units=3))
    net.initialize(init.Constant(0.5))
    x = nd.array([[1.0, 2.0, 3.0]])
    assert net(x).tolist() == [[3, 3, 1, 2, 3, 3]]
    assert net.output_shape((1, 3)) == (1, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.hybridize()
    assert net(x).tolist() == [[3, 3, 1, 2, 3, 3]]
    assert list(net.structural_params()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_concurrent_refuses_what_cannot_be_joined():
    net = contrib.HybridConcurrent(axis=1, prefix="both_")
    with pytest.raises(Exception, match="both: has no children to join"):
        net.output_shape((2, 3))
    net.add(nn.Dense(2), nn.Dense(2, flatten=False))
    with pytest.raises(
        Exception,
        match=r"both: child 0 gives shape \(2, 2\), child 1 \(2, 4, 2\): only axis 1 may differ",
    ):
        net.output_shape((2, 4, 3))


def test_a_new_layer_has_mxnets_parameters_and_printed_form(recorded, fresh_seed):
    recorded_layers.check_parameters_and_print(*recorded)


def test_the_inferred_shapes_are_mxnets(recorded, fresh_seed):
    recorded_layers.check_shapes(*recorded)


def test_a_layer_computes_what_mxnet_computed(recorded, fresh_seed):
    recorded_layers.check_computes(*recorded)


def test_hybridizing_changes_nothing_and_deferred_values_are_the_eager_ones(recorded, fresh_seed):
    recorded_layers.check_hybridized(*recorded)


def test_no_layer_takes_an_option_it_does_not_know(recorded):
    recorded_layers.check_unknown_option(*recorded)
