"""First values are a pure function of seed, path, generation, law and element: not of order,
deferral, threads, devices or other layers.
"""

from __future__ import annotations

import threading
import tracemalloc

import pytest
from small_nets import filled, named, same, values
from standin import counting_device

from initlab.engine import autograd, init, nd, streams
from initlab.engine.gluon import nn


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_deferred_and_eager_give_the_same_bits():
    deferred = filled(named(a=nn.Dense(4, activation="relu"), b=nn.Dense(3)))
    eager = named(a=nn.Dense(4, in_units=5, activation="relu"), b=nn.Dense(3, in_units=4))
    eager.initialize(init.Normal(0.1), root="")
    assert same(values(eager), deferred)
    inferred = named(a=nn.Dense(4, activation="relu"), b=nn.Dense(3))
    assert inferred.output_shape((2, 5)) == (2, 3)
    inferred.initialize(init.Normal(0.1), root="")
    assert same(values(inferred), deferred)


def test_the_order_of_layers_does_not_matter():
    one = named(a=nn.Dense(5, in_units=5), b=nn.Dense(5, in_units=5))
    two = named(b=nn.Dense(5, in_units=5), a=nn.Dense(5, in_units=5))
    assert {k: v.tobytes() for k, v in filled(one).items()} == {
        k: v.tobytes() for k, v in filled(two).items()
    }


def test_a_layer_added_elsewhere_changes_no_other_parameter():
    small = filled(named(a=nn.Dense(5, in_units=5), c=nn.Dense(2, in_units=5)))
    large = filled(
        named(a=nn.Dense(5, in_units=5), b=nn.Dense(5, in_units=5), c=nn.Dense(2, in_units=5))
    )
    assert all(large[path].tobytes() == array.tobytes() for path, array in small.items())


def test_two_equal_nets_in_one_process_differ_and_so_do_siblings_initialized_one_by_one():
    nets = [nn.HybridSequential() for _ in range(2)]
    for net in nets:
        net.add(nn.Dense(4, in_units=4), nn.Dense(4, in_units=4))
        net.initialize()
    weights = [layer.weight.data().asnumpy().tobytes() for net in nets for layer in net]
    alone = nn.HybridSequential()
    alone.add(nn.Dense(4, in_units=4), nn.Dense(4, in_units=4))
    for layer in alone:
        layer.initialize()
    weights += [layer.weight.data().asnumpy().tobytes() for layer in alone]
    assert len(set(weights)) == 6


def test_threads_that_initialize_at_the_same_time_do_not_disturb_one_another():
    expected = filled(named(a=nn.Dense(64, in_units=64), b=nn.Dense(64, in_units=64)), features=64)
    results = []

    def work():
        results.append(
            filled(named(a=nn.Dense(64, in_units=64), b=nn.Dense(64, in_units=64)), features=64)
        )

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 8
    assert all(same(result, expected) for result in results)


def test_infer_shape_allocates_nothing():
    net = named(a=nn.Dense(100_000), b=nn.Dense(100_000), c=nn.Residual(nn.Dense(100_000)))
    tracemalloc.start()
    assert net.output_shape((8, 100_000)) == (8, 100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert net._children["b"].weight.shape == (100_000, 100_000)


def test_the_articles_nets_run_on_opaque_arrays():
    with counting_device() as (device, calls):
        net = nn.Sequential()
        shared = nn.Dense(8, activation="relu")
        net.add(
            nn.Dense(8, activation="relu"),
            shared,
            nn.Dropout(0.5),
            nn.Dense(8, activation="relu", params=shared.params),
        )
        net.initialize(init.Xavier(), ctx=device)
        x = nd.random.uniform(shape=(2, 20), ctx=device)
        with autograd.record():
            loss = (net(x) ** 2).sum()
        loss.backward()
        assert type(net[1].weight.grad()._raw).__name__ == "Opaque"
        assert calls["matmul"] >= 3
        host = nn.Dense(8, activation="relu", in_units=20, prefix="h_")
        host.initialize(init.Constant(0.1))
        device_side = nn.Dense(8, activation="relu", in_units=20, prefix="g_")
        device_side.initialize(init.Constant(0.1), ctx=device)
        assert device_side(x).asnumpy().tobytes() == host(nd.array(x.asnumpy())).asnumpy().tobytes()
