"""Dictionaries of parameters: collected, shared and tied."""

from __future__ import annotations

import pickle

import pytest
from small_nets import filled, named, same, values

from initlab.engine import autograd, gluon, init, laws, nd, streams
from initlab.engine.gluon import nn
from initlab.engine.streams import Key


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_collect_params_initializes_as_the_block_does():
    first, second = nn.Dense(3, in_units=4, prefix="d_"), nn.Dense(3, in_units=4, prefix="d_")
    first.initialize()
    streams.seed(0)
    second.collect_params().initialize()
    assert same(values(first), values(second))
    assert first.weight.key.path == "d_/weight"


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


@pytest.mark.parametrize(
    ("donor", "taker"),
    [
        (lambda: nn.Embedding(10, 4), lambda params: nn.Dense(10, in_units=4, params=params)),
        (lambda: nn.Dense(10), lambda params: nn.Embedding(10, 4, params=params)),
        (
            lambda: nn.Conv2D(2, 3, in_channels=2),
            lambda params: nn.Conv2DTranspose(2, 3, in_channels=2, params=params),
        ),
        (
            lambda: nn.Conv2D(4, 3, in_channels=1),
            lambda params: nn.Conv2D(4, 3, groups=2, in_channels=2, params=params),
        ),
    ],
)
def test_layers_of_different_kinds_share_parameters(donor, taker):
    given = donor()
    roles = {name: one.roles for name, one in given.params.items()}
    taken = taker(given.params)
    weight = next(name for name in roles if name.endswith("weight"))
    assert taken.weight is given.params[weight]
    assert {name: given.params[name].roles for name in roles} == roles


def test_a_tied_embedding_adds_both_gradients():
    embedding = nn.Embedding(7, 3)
    output = nn.Dense(7, flatten=False, params=embedding.params)
    embedding.initialize(init.Constant(0.5))
    output.bias.initialize()
    with autograd.record():
        loss = output(embedding(nd.array([[1, 2]]))).sum()
    loss.backward()
    assert embedding.weight.grad().tolist() == [[1.0] * 3, *[[4.5] * 3] * 2, *[[1.0] * 3] * 4]


def test_it_is_found_where_mxnet_has_it():
    from initlab.engine.gluon.parameter import ParameterDict  # where code for MXNet imports it

    params = nn.Dense(2, in_units=3, prefix="d_").params
    assert type(params) is ParameterDict
    again = pickle.loads(pickle.dumps(ParameterDict("a_")))  # noqa: S301
    assert (again.prefix, list(again)) == ("a_", [])


def test_a_name_that_is_not_there_gets_the_nearest_in_a_note():
    parameters = gluon.ParameterDict("net_")
    parameters.get("dense0_weight", shape=(1,))
    with pytest.raises(KeyError) as caught:
        parameters["net_dense0_weigth"]
    assert caught.value.args == ("net_dense0_weigth",)
    assert caught.value.__notes__ == ["did you mean 'net_dense0_weight'?"]
    with pytest.raises(KeyError) as caught:
        parameters["x"]
    assert not hasattr(caught.value, "__notes__")
