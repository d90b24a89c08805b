"""Planned values are written into a network's parameters."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn
from initlab.runner.plan.block import plan


def net_of(kind="dense", **options):
    net = nn.HybridSequential(prefix="net_", **options)
    with net.name_scope():
        if kind == "conv":
            net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dense(6))
        elif kind == "tied":
            first = nn.Dense(5)
            net.add(first, nn.Dense(5, params=first.params))
        else:
            net.add(nn.Dense(8, activation="relu"), nn.Dense(3))
    return net


SAMPLES = {"dense": (5,), "conv": (3, 6, 6), "tied": (5,)}


def values(net):
    return {path: p.data().asnumpy().tobytes() for path, p in net.structural_params().items()}


@pytest.mark.parametrize("before", ["nothing", "deferred", "ready"])
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_filled_network_has_the_bits_that_initialize_gives(kind, before):
    sample = SAMPLES[kind]
    other = net_of(kind)
    streams.seed(3)
    other.collect_params().initialize(init.He())
    other(nd.zeros((1, *sample)))
    net = net_of(kind)
    planned = plan(net, init.He(), sample, seed=3)
    if before != "nothing":
        net.initialize("ones")
    if before == "ready":
        net(nd.zeros((1, *sample)))
    planned.fill(net)
    assert values(net) == values(other)
    assert net(nd.zeros((2, *sample))).shape[0] == 2


def test_a_filled_network_can_be_trained():
    net = net_of()
    plan(net, "he", (5,)).fill(net)
    with autograd.record():
        loss = net(nd.ones((2, 5))).sum()
    loss.backward()
    assert np.any(net[0].weight.grad().asnumpy() != 0)


def test_paths_of_another_network_are_refused_with_the_nearest_name():
    planned = plan(net_of(), "he", (5,))
    longer = net_of()
    longer.add(nn.Dense(1))
    shorter = nn.HybridSequential()
    shorter.add(nn.Dense(8, in_units=5))
    with pytest.raises(
        KeyError, match="the plan has no parameter '2.weight' - did you mean '1.weight'"
    ):
        planned.fill(longer)
    with pytest.raises(
        KeyError, match="the network has no parameter '1.weight' - did you mean '0.weight'"
    ):
        planned.fill(shorter)


def test_a_network_of_other_shapes_types_or_ties_is_refused_before_anything_is_written():
    planned = plan(net_of(), "he", (5,))
    wider = net_of()
    wider.initialize()
    wider(nd.zeros((1, 6)))
    before = values(wider)
    with pytest.raises(
        ValueError, match=r"'0.weight' has shape \(8, 6\) in the network, planned \(8, 5\)"
    ):
        planned.fill(wider)
    assert values(wider) == before
    half = net_of()
    half.cast("float16")
    with pytest.raises(
        ValueError, match="'0.weight' has dtype float16 in the network, planned float32"
    ):
        planned.fill(half)
    free = nn.HybridSequential()
    free.add(nn.Dense(5), nn.Dense(5))
    tied = plan(net_of("tied"), "he", (5,))
    with pytest.raises(
        ValueError, match="'1.weight' is planned as '0.weight', but is not tied to it"
    ):
        tied.fill(free)
    with pytest.raises(
        ValueError, match="'1.weight' is tied to '0.weight', but planned with its own"
    ):
        plan(free, "he", (5,)).fill(net_of("tied"))


@pytest.mark.parametrize("net", [None, 3, "net"])
def test_only_a_block_is_filled(net):
    with pytest.raises(TypeError, match="net must be a Block of initlab.engine.gluon, got "):
        plan(net_of(), "he", SAMPLES["dense"]).fill(net)
