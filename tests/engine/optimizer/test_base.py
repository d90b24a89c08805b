"""What all optimizers share: multipliers, clipping, names, and subclasses."""

from __future__ import annotations

import numpy as np
import pytest
from descent import descend

from initlab.engine import gluon, init, lr_scheduler, nd, optimizer, streams
from initlab.engine.optimizer.base import REGISTRY, arrays_of


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def decayed(w, lr, wd):
    return w - lr * (w + wd * w)


def test_multipliers_scale_the_rate_and_the_decay_of_one_parameter():
    w = np.array([1.0, -2.0])
    for _ in range(5):
        w = decayed(w, lr=0.05, wd=1.0)
    np.testing.assert_allclose(
        descend("sgd", {"learning_rate": 0.1, "wd": 0.5}, lr_mult=0.5, wd_mult=2.0), w, rtol=1e-5
    )
    assert descend("adam", {"learning_rate": 0.1}, lr_mult=0).tolist() == [1, -2]


def test_gradients_are_clipped_after_they_are_scaled():
    w = descend("sgd", {"learning_rate": 0.1, "clip_gradient": 0.5}, steps=1)
    np.testing.assert_allclose(w, [0.95, -1.95], rtol=1e-6)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Cannot find optimizer adm") as caught:
        optimizer.create("adm")
    assert str(caught.value) == "Cannot find optimizer adm"
    assert caught.value.__notes__ == ["did you mean 'adam'?"]


def test_the_classes_are_listed_by_name():
    assert optimizer.Optimizer.opt_registry["sgd"] is optimizer.SGD
    with pytest.raises(AssertionError, match="param_idx2name should be a dict"):
        optimizer.SGD(param_idx2name=["weight"])


def test_a_class_that_defines_no_rule_says_so():
    class Empty(optimizer.Optimizer):
        pass

    with pytest.raises(NotImplementedError, match="optimizer Empty defines no update"):
        Empty().update(0, nd.ones((1,)), nd.ones((1,)), None)


def test_a_second_class_of_a_name_takes_its_place_with_a_warning():
    before = REGISTRY.get("sgd")
    try:

        class SGD(optimizer.Optimizer):
            pass

        with pytest.warns(
            UserWarning, match="New optimizer .*SGD is overriding existing optimizer"
        ):
            optimizer.register(SGD)
        assert type(optimizer.create("sgd")) is SGD
    finally:
        REGISTRY.add("sgd", before)


def test_half_precision_without_a_copy_is_a_warning():
    half = nd.ones((2,), dtype="float16")
    with pytest.warns(
        UserWarning, match="Consider using multi_precision=True option of the SGD opt"
    ):
        optimizer.create("sgd").create_state_multi_precision(0, half)
    with pytest.warns(UserWarning, match="Consider using multi_precision=True option of the opt"):
        optimizer.create("adam").create_state_multi_precision(0, half)
    optimizer.create("adam", multi_precision=False).create_state_multi_precision(0, half)


def test_a_rate_given_beside_a_schedule_is_said_only_if_it_differs(capsys):
    schedule = lr_scheduler.FactorScheduler(step=1, base_lr=0.5)
    optimizer.create("sgd", lr_scheduler=schedule, learning_rate=0.5)
    assert capsys.readouterr().out == ""
    optimizer.create("sgd", lr_scheduler=schedule, learning_rate=0.1)
    assert "has been overwritten by" in capsys.readouterr().out
    assert schedule.base_lr == 0.1


def test_a_state_of_other_things_than_arrays_is_refused():
    assert arrays_of((None, (nd.ones((1,)),)))[0].tolist() == [1]
    with pytest.raises(
        ValueError, match="an optimizer's state consists of arrays, None and tuples, got"
    ):
        arrays_of({"m": 1})


def test_replicas_count_their_steps_apart():
    rule = optimizer.create("sgd")
    for place in (0, 1):
        rule._set_current_context(place)
        rule._update_count([0, 1])
    assert (rule.counts(), rule.num_update) == ({0: 1, 1: 1}, 1)
    rule.set_counts({0: 7}, 7)
    rule._set_current_context(2)
    rule._update_count(0)
    assert rule.num_update == 8


def test_a_half_precision_network_learns_through_a_copy():
    weight = gluon.Parameter("w", shape=(1,), dtype="float16")
    weight.initialize(init.One())
    rule = {"learning_rate": 1e-4, "multi_precision": True}
    trainer = gluon.Trainer([weight], "sgd", rule)
    for _ in range(20):  # each step is below half a unit of float16 at 1
        weight.grad()[:] = 1
        weight.grad()._fresh = True
        weight.list_grad()[0]._fresh = True
        trainer.step(1, ignore_stale_grad=False)
    np.testing.assert_allclose(weight.data().asscalar(), 0.998, rtol=1e-3)
