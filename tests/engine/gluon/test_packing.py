"""Filling the parameters of a network together does what filling one after the other does."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import cpu, init, nd, streams
from initlab.engine.gluon import Parameter, ParameterDict, nn, packing
from initlab.engine.gluon.parameter import observe


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(3)
    yield
    streams.seed(0)


class Own(init.Initializer):
    """Draws by itself, in its parameter's stream."""

    def _init_weight(self, name, data):
        data[:] = nd.random.uniform(shape=data.shape) + nd.random.normal(shape=data.shape)


class Failing(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = 7
        raise KeyError("no")


INITIALIZERS = {
    "none": lambda: None,
    "name": lambda: "zeros",
    "normal": lambda: init.Normal(0.3),
    "uniform": lambda: init.Uniform(0.2),
    "truncated": lambda: init.TruncatedNormal(0.1),
    "constant": lambda: init.Constant(3.5),
    "haar": lambda: init.Haar(),
    "orthogonal": lambda: init.Orthogonal(),
    "own": Own,
    "identity": lambda: init.Identity(),
    "mixed": lambda: init.Mixed([r".*", "nowhere"], [init.Normal(0.7), init.One()]),
}
NETWORKS = {
    "xavier": lambda: init.Xavier(),
    "normal": lambda: init.Normal(),
    "mixed": lambda: init.Mixed([r".*1.*", ".*"], [init.Normal(0.7), Own()]),
    "own": Own,
}
DTYPES = ["float32", "float64", "float16"]

kinds = st.tuples(
    st.sampled_from(sorted(INITIALIZERS)),
    st.sampled_from(DTYPES),
    st.integers(1, 40),
    st.booleans(),
)


def parameters(made: list[tuple[str, str, int, bool]]) -> ParameterDict:
    found = ParameterDict("net_")
    for number, (name, dtype, width, known) in enumerate(made):
        shape = (width, 3 if known else 0)
        found.get(
            f"p{number}_weight",
            shape=shape,
            dtype=dtype,
            init=INITIALIZERS[name](),
            allow_deferred_init=True,
        )
    return found


def filled(found: ParameterDict) -> list[tuple[str, bytes, str]]:
    ready = [p for p in found.values() if 0 not in p.shape]
    return [
        (str(p.key), p.data().asnumpy().tobytes(), f"{p.origin.initializer} {p.origin.law}")
        for p in ready
    ]


@settings(max_examples=60, deadline=None)
@given(
    made=st.lists(kinds, max_size=12),
    network=st.sampled_from(sorted(NETWORKS)),
    times=st.integers(1, 3),
)
def test_any_parameters_get_the_values_that_they_get_one_by_one(made, network, times):
    together, alone = parameters(made), parameters(made)
    heard: dict[str, list[str]] = {"together": [], "alone": []}
    got: dict[str, list[object]] = {"together": [], "alone": []}
    streams.seed(3)
    for number in range(times):
        with observe(lambda parameter, what: heard["together"].append(parameter.name)):
            together.initialize(NETWORKS[network](), force_reinit=number > 0)
        got["together"].append(filled(together))
    streams.seed(3)
    for number in range(times):
        with observe(lambda parameter, what: heard["alone"].append(parameter.name)):
            for parameter in alone.values():
                parameter.initialize(None, None, NETWORKS[network](), force_reinit=number > 0)
        got["alone"].append(filled(alone))
    assert got["together"] == got["alone"]
    assert heard["together"] == heard["alone"]


def test_values_that_one_parameter_took_from_another_would_be_found():
    one, other = (
        parameters([("normal", "float32", 9, True)] * 2),
        parameters([("normal", "float32", 9, True)] * 2),
    )
    one.initialize()
    other.initialize()
    first, second = list(other.values())
    first.set_data(second.data())
    assert filled(one) != filled(other)


def test_many_small_parameters_are_drawn_in_one_call(monkeypatch):
    calls = []
    original = streams.draw_many
    monkeypatch.setattr(
        streams, "draw_many", lambda pieces: (calls.append(len(pieces)), original(pieces))
    )
    parameters([("normal", "float32", 4, True)] * 30).initialize()
    assert calls == [30]
    monkeypatch.setattr(packing, "AT_ONCE", 100)
    calls.clear()
    parameters([("normal", "float32", 10, True)] * 7).initialize()
    assert calls == [4, 3]


def test_what_comes_before_an_initializer_that_fails_is_filled_and_what_comes_after_is_not():
    found = parameters([("normal", "float32", 4, True)] * 3)
    first, second, third = found.values()
    second.init = Failing()
    with pytest.raises(KeyError, match="no"):
        found.initialize()
    assert first.data().asnumpy().any()
    for parameter in (second, third):
        with pytest.raises(RuntimeError, match="has not been initialized"):
            parameter.data()
    second.init = None
    with pytest.warns(UserWarning, match=f"'{first.name}' is already initialized"):
        found.initialize()
    before = [parameter.data() for parameter in found.values()]
    second.init = Failing()
    with pytest.raises(KeyError, match="no"):
        found.initialize(force_reinit=True)
    assert [parameter.key.generation for parameter in found.values()] == [1, 0, 0]
    assert [
        parameter.data() is old for parameter, old in zip(found.values(), before, strict=True)
    ] == [
        False,
        True,
        True,
    ]


def test_a_law_that_cannot_fill_its_parameter_leaves_it_and_the_rest_as_they_were():
    found = ParameterDict("net_")
    found.get("a_weight", shape=(3, 2), init=init.Normal())
    found.get("b_weight", shape=(3,), init=init.Xavier())
    found.get("c_weight", shape=(3, 2), init=init.Normal())
    with pytest.raises(ValueError, match="2"):
        found.initialize()
    assert [parameter.key is None for parameter in found.values()] == [False, True, True]


def test_an_initializer_that_looks_at_other_parameters_finds_them_filled():
    seen = []

    class Looks(init.Initializer):
        def _init_weight(self, name, data):
            seen.append(first.data().asnumpy().any())
            data[:] = 1

    found = parameters([("normal", "float32", 4, True)] * 2)
    first, second = found.values()
    second.init = Looks()
    found.initialize()
    assert seen == [True]


def test_an_observer_that_fails_stops_there():
    found = parameters([("normal", "float32", 4, True)] * 3)

    def refuse(parameter, what):
        if parameter.name.startswith("net_p1"):
            raise KeyError("stop")

    with observe(refuse), pytest.raises(KeyError, match="stop"):
        found.initialize()
    assert [parameter.key is None for parameter in found.values()] == [False, True, True]


def test_what_is_filled_is_logged_in_order_when_asked_for(caplog):
    found = parameters([("normal", "float32", 4, True), ("name", "float32", 4, True)])
    with caplog.at_level(logging.INFO):
        found.initialize(init.Normal(), verbose=True)
    assert [record.args[0] for record in caplog.records] == list(found.keys())


def test_an_initializer_with_its_own_call_is_called():
    called = []

    class Calls(init.Normal):
        def __call__(self, desc, arr):
            called.append(str(desc))
            super().__call__(desc, arr)

    found = parameters([("none", "float32", 4, True)] * 2)
    found.initialize(Calls())
    assert called == list(found.keys())


def test_an_object_with_a_method_of_its_own_is_asked():
    chosen = init.Normal()
    chosen._init_weight = lambda name, data: data.__setitem__(slice(None), 5)
    found = parameters([("none", "float32", 4, True)])
    found.initialize(chosen)
    assert (next(iter(found.values())).data().asnumpy() == 5).all()


def test_a_parameter_with_its_own_initialize_is_asked():
    class Louder(Parameter):
        def initialize(self, *args, **options):
            super().initialize(*args, **options)
            self.set_data(self.data() * 10)

    found = ParameterDict("net_")
    found._params["net_w"] = Louder("net_w", shape=(2, 3))
    found.initialize(init.Constant(1))
    assert (found["net_w"].data().asnumpy() == 10).all()


def test_replicas_and_mxnets_stream_are_as_they_were():
    found = parameters([("normal", "float32", 4, True)] * 2)
    found.initialize(ctx=[cpu(0), cpu(1)])
    one, two = next(iter(found.values())).list_data()
    assert one is not two
    assert (one.asnumpy() == two.asnumpy()).all()
    alone, together = (
        parameters([("normal", "float32", 5, True)] * 3),
        parameters([("normal", "float32", 5, True)] * 3),
    )
    with streams.using("mxnet-1.9.1"):
        streams.seed(3)
        together.initialize()
        streams.seed(3)
        for parameter in alone.values():
            parameter.initialize()
    assert filled(together) == filled(alone)


def test_a_network_gets_the_same_values_however_it_is_initialized():
    def network() -> nn.HybridSequential:
        net = nn.HybridSequential(prefix="net_")
        with net.name_scope():
            for width in (8, 30, 5):
                net.add(
                    nn.Dense(width, in_units=7 if width == 8 else 8 if width == 30 else 30),
                    nn.BatchNorm(in_channels=width),
                )
        return net

    one, two = network(), network()
    one.initialize(init.Xavier())
    for path, parameter in two.structural_params().items():
        parameter.initialize(None, None, init.Xavier(), path=f"net_/{path}")
    values = [[p.data().asnumpy() for p in net.collect_params().values()] for net in (one, two)]
    assert all(np.array_equal(a, b) for a, b in zip(*values, strict=True))
    assert one[0].weight.data().grad is not None
