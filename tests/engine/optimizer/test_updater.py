"""Updater: states that come and go as bytes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from initlab.engine import nd, optimizer
from initlab.engine.errors import FormatError


def weights():
    return [nd.array([1.0, 2]), nd.array([[3.0]])]


def steps(updater, held, count):
    for step in range(count):
        for i, w in enumerate(held):
            updater(i, nd.ones(w.shape) * (step + 1), w)


@pytest.mark.parametrize("name", ["sgd", "adam", "adagrad", "dcasgd", "ftml"])
def test_training_goes_on_from_the_bytes_of_states(name):
    options = {"momentum": 0.9} if name in ("sgd", "dcasgd") else {}
    first, held = optimizer.get_updater(optimizer.create(name, **options)), weights()
    steps(first, held, 2)
    second = optimizer.get_updater(first.optimizer)
    second.set_states(first.get_states())
    assert second.get_states() == first.get_states()
    other = [w.copy() for w in held]
    steps(first, held, 1)
    first.optimizer._index_update_count.update(dict.fromkeys(range(2), 2))
    steps(second, other, 1)
    for one, two in zip(held, other, strict=True):
        assert one.tolist() == two.tolist()


def test_several_weights_are_updated_in_one_call():
    updater, held = optimizer.get_updater(optimizer.create("sgd", learning_rate=1.0)), weights()
    updater([0, 1], [nd.ones((2,)), nd.ones((1, 1))], held)
    assert [w.tolist() for w in held] == [[0, 1], [[2]]]


def test_states_are_mxnets():
    updater = optimizer.get_updater(optimizer.create("sgd", momentum=0.9, multi_precision=True))
    half = nd.ones((2,), dtype="float16")
    updater(0, half, half.copy())
    momentum, master = updater.states[0]
    assert (momentum.dtype, master.dtype) == (np.float32, np.float32)
    updater = optimizer.get_updater(optimizer.create("adam", multi_precision=True))
    updater(0, half, half.copy())
    master, (mean, variance) = updater.states[0]
    assert {a.dtype for a in (master, mean, variance)} == {np.float32}


def test_nothing_is_pickled():
    updater = optimizer.get_updater(optimizer.create("sgd"))
    with pytest.raises(ValueError, match="dump_optimizer must be False: nothing is pickled here"):
        updater.get_states(dump_optimizer=True)
    with pytest.raises(FormatError, match="these bytes are no states of get_states"):
        updater.set_states(pickle.dumps({0: None}))


def test_states_of_another_optimizer_are_refused_when_they_are_needed():
    first = optimizer.get_updater(optimizer.create("sgd", momentum=0.9))
    steps(first, weights(), 1)
    second = optimizer.get_updater(optimizer.create("adam"))
    second.set_states(first.get_states())
    with pytest.raises(FormatError, match=r"the state of weight 0 has arrays of shapes \[\(2,\)\]"):
        steps(second, weights(), 1)
