"""A parameter: its values are its law's at its path, in every dtype, on every device."""

from __future__ import annotations

import numpy as np
import pytest
from small_nets import filled, named, same, values

from initlab.engine import cpu, init, laws, nd, streams
from initlab.engine.gluon import Parameter, nn
from initlab.engine.streams import Key


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_a_parameter_has_its_laws_values_at_its_path():
    net = named(fc1=nn.Dense(4), fc2=nn.Dense(3))
    got = filled(net)
    assert (
        got["fc1.weight"].tobytes()
        == laws.Normal(0, 0.1).draw(Key(0, "fc1.weight"), (4, 5)).tobytes()
    )


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


def test_code_for_mxnet_reads_the_state_of_a_parameter():
    p = Parameter("w", shape=(2, 0), allow_deferred_init=True)
    assert (p._data, p._deferred_init, p._ctx_list) == (None, (), None)
    p.initialize(init.One(), ctx=[cpu(0), cpu(1)])
    assert p._data is None
    assert p._deferred_init[0] == init.One()
    assert p._deferred_init[1] == [cpu(0), cpu(1)]
    p.shape = (2, 3)
    p._finish_deferred_init()
    assert (p._deferred_init, p._ctx_list) == ((), [cpu(0), cpu(1)])
    assert p._data[1] is p.data(cpu(1))
    p.data(cpu(1))[:] = 3
    assert p._reduce().tolist() == [[2] * 3] * 2
    with pytest.raises(RuntimeError, match="row_sparse"):
        p.list_row_sparse_data(nd.array([0]))


def test_a_shape_is_made_of_whole_numbers():
    p = Parameter("w", shape=(4, 0), allow_deferred_init=True)
    with pytest.raises(TypeError, match="'w': a shape is made of whole numbers, got NDArray"):
        p.shape = (4, nd.ones((2, 3))[1])
    assert p.shape == (4, 0)
    p.shape = (4, np.int64(3))
    assert p.shape == (4, 3)
