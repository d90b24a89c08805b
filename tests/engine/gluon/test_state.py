"""The states of a parameter: what each call does in each of them."""

from __future__ import annotations

import pytest

from initlab.engine import cpu, init, nd, streams
from initlab.engine.errors import DeferredInitializationError
from initlab.engine.gluon import Parameter, nn
from initlab.engine.gluon.parameter import observe
from initlab.engine.gluon.state import Pending, Ready, Unset


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def unset() -> Parameter:
    return Parameter("w", shape=(2, 0), allow_deferred_init=True)


def pending() -> Parameter:
    parameter = unset()
    parameter.initialize(init.One())
    return parameter


def ready() -> Parameter:
    parameter = Parameter("w", shape=(2, 3))
    parameter.initialize(init.One())
    return parameter


class Failing(init.Initializer):
    def _init_weight(self, name, data):
        data[:] = 7
        raise KeyError("no")


def test_initialize_takes_unset_to_ready_or_pending_by_what_is_known_of_the_shape():
    assert isinstance(unset()._state, Unset)
    assert isinstance(pending()._state, Pending)
    assert isinstance(ready()._state, Ready)


def test_an_unknown_shape_is_an_error_where_deferral_is_not_allowed():
    parameter = Parameter("w", shape=(2, 0))
    with pytest.raises(
        ValueError, match=r"Cannot initialize Parameter 'w' because it has invalid shape: \(2, 0\)"
    ):
        parameter.initialize()
    assert isinstance(parameter._state, Unset)


def test_a_known_shape_turns_pending_into_ready_and_the_newest_initializer_wins():
    parameter = pending()
    parameter.initialize(init.Constant(7))
    parameter.shape = (2, 3)
    parameter._finish_deferred_init()
    assert parameter.data().asnumpy().tolist() == [[7] * 3] * 2


def test_initialize_on_ready_warns_and_stays_unless_forced():
    parameter = ready()
    with pytest.warns(
        UserWarning, match="Parameter 'w' is already initialized, ignoring. Set force_reinit=True"
    ):
        parameter.initialize(init.Zero())
    assert parameter.data().asnumpy().min() == 1
    parameter.initialize(init.Zero(), force_reinit=True)
    assert parameter.data().asnumpy().max() == 0


def test_set_data_is_refused_kept_or_written_by_state():
    values = nd.arange(6).reshape((2, 3))
    with pytest.raises(AssertionError, match="Parameter 'w' has not been initialized"):
        unset().set_data(values)
    parameter = pending()
    parameter.set_data(values)
    assert isinstance(parameter._state, Pending)
    values[:] = 0
    parameter._finish_deferred_init()
    assert parameter.data().asnumpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    parameter = ready()
    array = parameter.data()
    parameter.set_data(nd.zeros((2, 3)))
    assert array is parameter.data()
    assert array.asnumpy().max() == 0


def test_load_makes_ready_on_the_pending_devices_or_writes():
    values = nd.ones((2, 3)) * 4
    for parameter in (unset(), pending(), ready()):
        parameter._load_init(values, None)
        assert parameter.data().asnumpy().tolist() == [[4] * 3] * 2
    parameter = unset()
    parameter.initialize(ctx=[cpu(0), cpu(1)])
    parameter._load_init(values, None)
    assert [array.context for array in parameter.list_data()] == [cpu(0), cpu(1)]


@pytest.mark.parametrize("access", ["data", "grad", "list_data", "list_grad"])
def test_access_says_what_is_missing(access):
    with pytest.raises(
        RuntimeError,
        match="Parameter 'w' has not been initialized. Note that you should initialize",
    ):
        getattr(unset(), access)()
    with pytest.raises(
        DeferredInitializationError,
        match="Parameter 'w' has not been initialized yet because initialization was deferred",
    ):
        getattr(pending(), access)()


def test_cast_is_noted_and_applied_when_filled():
    for parameter in (unset(), pending()):
        parameter.cast("float16")
        if isinstance(parameter._state, Unset):
            parameter.initialize()
        parameter.shape = (2, 3)
        parameter._finish_deferred_init()
        assert parameter.data().dtype.__name__ == "float16"
    parameter = ready()
    parameter.cast("float64")
    assert parameter.data().dtype.__name__ == parameter.grad().dtype.__name__ == "float64"


def test_a_failing_initializer_leaves_every_state_as_it_was():
    parameter = Parameter("w", shape=(2, 3))
    with pytest.raises(KeyError):
        parameter.initialize(Failing())
    assert isinstance(parameter._state, Unset)
    parameter = ready()
    with pytest.raises(KeyError):
        parameter.initialize(Failing(), force_reinit=True)
    assert parameter.data().asnumpy().max() == 1
    parameter = unset()
    parameter.initialize(Failing())
    parameter.shape = (2, 3)
    with pytest.raises(KeyError):
        parameter._finish_deferred_init()
    assert isinstance(parameter._state, Pending)


def test_observers_are_told_once_for_each_filling():
    told = []
    dense = nn.Dense(2)
    with observe(
        lambda parameter, filled: told.append(
            (parameter.name, filled.path, filled.initializer, str(filled.law))
        )
    ):
        dense.initialize(init.Normal(0.5), root="")
        assert [name for name, *_ in told] == [dense.bias.name]
        dense(nd.ones((1, 3)))
    dense.initialize(force_reinit=True)
    assert told == [
        (dense.bias.name, "bias", "Zero", "Constant(0)"),
        (dense.weight.name, "weight", "Normal", "Normal(0, 0.5)"),
    ]
