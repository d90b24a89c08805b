"""After the same seed the same code draws the same values, however often it runs in a process; two
networks never draw the same after one seed.
"""

from __future__ import annotations

import copy
import threading

import pytest

from initlab.engine import gluon, init, name, nd, random, streams
from initlab.engine.gluon import nn
from initlab.engine.streams import StreamName


def network(prefix=None):
    net = nn.Sequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Dense(3, in_units=2), nn.Dense(2, in_units=3))
    return net


def values(net) -> tuple[bytes, ...]:
    return tuple(p.data().asnumpy().tobytes() for p in net.collect_params().values())


def drawn(make=network):
    net = make()
    net.initialize(init.Normal(1))
    return values(net)


def bare_parameter():
    parameter = gluon.Parameter("w", shape=(5,))
    parameter.initialize(init.Normal(1))
    return parameter.data().asnumpy().tobytes()


def layers_own_weight():
    layer = nn.Dense(3, in_units=2)
    layer.weight.initialize(init.Normal(1))
    return layer.weight.data().asnumpy().tobytes()


def child_alone():
    net = network()
    net[1].initialize(init.Normal(1))
    return values(net[1])


def under_a_manager():
    with name.Prefix("mine_"):
        return drawn()


def by_its_parameters():
    net = network()
    net.collect_params(".*weight").initialize(init.Normal(1))
    return tuple(layer.weight.data().asnumpy().tobytes() for layer in net)


def deferred():
    net = nn.Dense(3)
    net.initialize(init.Normal(1))
    net(nd.ones((1, 2)))
    return values(net)


MAKERS = [
    drawn,
    lambda: drawn(lambda: network("net_")),
    lambda: drawn(lambda: network("")),
    bare_parameter,
    layers_own_weight,
    child_alone,
    under_a_manager,
    by_its_parameters,
    deferred,
]
NAMES = "net, given prefix, no prefix, bare parameter, weight, child, manager, parameters, deferred"


@pytest.mark.parametrize("draw", MAKERS, ids=NAMES.split(", "))
def test_the_same_after_the_same_seed_and_another_without_one(draw):
    random.seed(3)
    first, second = draw(), draw()
    assert first != second
    random.seed(3)
    assert (draw(), draw()) == (first, second)
    random.seed(4)
    assert draw() not in (first, second)


def test_what_was_made_before_the_seed_does_not_matter():
    random.seed(3)
    first = drawn()
    waiting = [network() for _ in range(3)]
    random.seed(3)
    waiting[2].initialize(init.Normal(1))
    assert values(waiting[2]) == first
    waiting[0].initialize(init.Normal(1))
    assert values(waiting[0]) != first


def test_the_first_network_of_a_process_keeps_its_path_and_so_does_a_prefix():
    random.seed(3)
    net, given = network(), network("net_")
    for one in (net, given):
        one.initialize()
    assert net[0].weight.key == streams.Key(3, "sequential0_/0.weight")
    assert given[1].bias.key == streams.Key(3, "net_/1.bias")
    again = network("net_")
    again.initialize()
    assert again[1].bias.key == streams.Key(3, "net_#1_/1.bias")


def test_a_network_keeps_its_name_until_the_next_seed():
    random.seed(3)
    net, other = network(), network()
    net.initialize(init.Normal(1))
    other.initialize(init.Normal(1))
    net.initialize(init.Normal(1), force_reinit=True)
    assert net[0].weight.key == streams.Key(3, "sequential0_/0.weight", 1)
    random.seed(3)
    other.initialize(init.Normal(1), force_reinit=True)
    assert other[0].weight.key == streams.Key(3, "sequential0_/0.weight", 0)


def test_a_given_prefix_and_a_number_are_never_the_same_name():
    random.seed(0)
    assert [drawn(lambda: network("sequential0_")), drawn()][0] != drawn()
    net = network()
    net.initialize()
    assert net[0].weight.key.path == "sequential3_/0.weight"


def test_a_copy_is_another_network():
    original = StreamName("net", numbered=True)
    random.seed(0)
    assert (original.claimed(), copy.deepcopy(original).claimed()) == ("net0_", "net1_")


def test_names_are_claimed_in_each_thread_alone():
    random.seed(0)
    found = [drawn()]
    thread = threading.Thread(target=lambda: found.append(drawn()))
    thread.start()
    thread.join()
    assert found[0] == found[1] != drawn()


def test_names_are_as_before_after_streams_were_borrowed():
    random.seed(3)
    first = drawn()
    with streams.kept():
        assert drawn() == first
        random.seed(5)
        drawn()
    second = drawn()
    random.seed(3)
    assert (drawn(), drawn()) == (first, second)
