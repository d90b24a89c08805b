"""First values are a pure function of seed, path, generation, law and element: not of order,
deferral, threads, devices or other layers.
"""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
from standin import counting_device

from initlab.engine import autograd, cpu, init, laws, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.streams import Key


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def named(**layers) -> nn.HybridSequential:
    net = nn.HybridSequential()
    for name, layer in layers.items():
        net.register_child(layer, name)
    return net


def values(net) -> dict[str, np.ndarray]:
    return {path: parameter.data().asnumpy() for path, parameter in net.structural_params().items()}


def filled(net, initializer=None, features=5, **options) -> dict[str, np.ndarray]:
    net.initialize(initializer or init.Normal(0.1), root="", **options)
    net(nd.ones((2, features)))
    return values(net)


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(a[key].tobytes() == b[key].tobytes() for key in a)


def test_a_parameter_has_its_laws_values_at_its_path():
    net = named(fc1=nn.Dense(4), fc2=nn.Dense(3))
    got = filled(net)
    assert (
        got["fc1.weight"].tobytes()
        == laws.Normal(0, 0.1).draw(Key(0, "fc1.weight"), (4, 5)).tobytes()
    )


def test_deferred_and_eager_give_the_same_bits():
    deferred = filled(named(a=nn.Dense(4, activation="relu"), b=nn.Dense(3)))
    eager = named(a=nn.Dense(4, in_units=5, activation="relu"), b=nn.Dense(3, in_units=4))
    eager.initialize(init.Normal(0.1), root="")
    assert same(values(eager), deferred)
    inferred = named(a=nn.Dense(4, activation="relu"), b=nn.Dense(3))
    assert inferred.infer_shape((2, 5)) == (2, 3)
    inferred.initialize(init.Normal(0.1), root="")
    assert same(values(inferred), deferred)


def test_the_seed_and_the_path_are_fixed_when_initialize_is_called():
    net = named(a=nn.Dense(4))
    net.initialize(init.Normal(0.1), root="")
    streams.seed(99)
    nd.random.uniform(shape=(100,))
    net(nd.ones((1, 5)))
    assert (
        values(net)["a.weight"].tobytes()
        == laws.Normal(0, 0.1).draw(Key(0, "a.weight"), (4, 5)).tobytes()
    )


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


def test_collect_params_initializes_as_the_block_does():
    first, second = nn.Dense(3, in_units=4, prefix="d_"), nn.Dense(3, in_units=4, prefix="d_")
    first.initialize()
    second.collect_params().initialize()
    assert same(values(first), values(second))
    assert first.weight.key.path == "d_/weight"


def test_force_reinit_is_fresh_and_the_seed_brings_the_first_values_back():
    net = named(a=nn.Dense(4, in_units=4))
    first = filled(net, features=4)
    again = filled(net, features=4, force_reinit=True)
    assert not same(first, again)
    assert (
        again["a.weight"].tobytes()
        == laws.Normal(0, 0.1).draw(Key(0, "a.weight", 1), (4, 4)).tobytes()
    )
    streams.seed(0)
    assert same(filled(net, features=4, force_reinit=True), first)


def test_forcing_counts_the_same_in_deferred_and_eager_mode():
    eager, deferred = named(a=nn.Dense(4, in_units=4)), named(a=nn.Dense(4))
    for net in (eager, deferred):
        net.initialize(init.Normal(0.1), root="")
        net.initialize(init.Normal(0.1), root="", force_reinit=True)
        net(nd.ones((1, 4)))
    assert same(values(eager), values(deferred))


def test_a_shared_parameter_is_drawn_once_from_its_owners_stream():
    shared = nn.Dense(4, in_units=4)
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=4), shared, nn.Dense(4, in_units=4, params=shared.params))
    got = filled(net, features=4)
    assert net[2].weight is shared.weight
    assert (
        got["2.weight"].tobytes() == laws.Normal(0, 0.1).draw(Key(0, "1.weight"), (4, 4)).tobytes()
    )


def test_tied_parameters_are_one_and_disagreement_is_refused():
    net = named(a=nn.Dense(4), b=nn.Dense(4), c=nn.Dense(5))
    net._children["b"].tie("weight", net._children["a"].weight)
    assert net._children["b"].weight is net._children["a"].weight
    with pytest.raises(AssertionError, match="Expected shape"):
        net._children["c"].tie("weight", net._children["a"].weight)
    tied = named(a=nn.Dense(4), b=nn.Dense(4))
    tied._children["b"].tie("weight", tied._children["a"].weight)
    got = filled(tied, features=4)
    assert (
        got["b.weight"].tobytes() == laws.Normal(0, 0.1).draw(Key(0, "a.weight"), (4, 4)).tobytes()
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_nets_hold_the_float32_values_rounded_once(dtype):
    pytest.importorskip("ml_dtypes")
    net = named(a=nn.Dense(4, in_units=3, dtype=dtype))
    net.initialize(init.Normal(0.1), root="")
    weight = net._children["a"].weight.data()
    assert (
        weight.asnumpy().tobytes()
        == laws.Normal(0, 0.1).draw(Key(0, "a.weight"), (4, 3), dtype).tobytes()
    )
    assert net(nd.ones((2, 3), dtype=dtype)).asnumpy().dtype.name == dtype


def test_replicas_on_two_devices_hold_the_same_bits():
    net = named(a=nn.Dense(4, in_units=3))
    net.initialize(init.Normal(0.1), ctx=[cpu(0), cpu(1)], root="")
    one, two = net._children["a"].weight.list_data()
    assert (one.context, two.context) == (cpu(0), cpu(1))
    assert one.asnumpy().tobytes() == two.asnumpy().tobytes()
    one[:] = 0
    assert two.asnumpy().max() > 0
    assert net(nd.ones((1, 3), ctx=cpu(1))).context == cpu(1)


def test_a_users_initializer_draws_from_its_parameters_own_stream():
    class Mine(init.Initializer):
        def _init_weight(self, name, data):
            data[:] = nd.random.uniform(-10, 10, shape=data.shape)
            data *= data.abs() >= 5

    nd.random.uniform(shape=(17,))
    got = filled(named(a=nn.Dense(4, in_units=3), b=nn.Dense(4, in_units=4)), Mine(), features=3)
    plain = laws.Uniform(-10, 10).draw(Key(0, "b.weight"), (4, 4))
    assert got["b.weight"].tobytes() == (plain * (np.abs(plain) >= 5)).astype(np.float32).tobytes()


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
    assert net.infer_shape((8, 100_000)) == (8, 100_000)
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
