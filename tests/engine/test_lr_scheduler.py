"""Learning rate schedules: their formulas, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, init, lr_scheduler, streams
from initlab.engine.gluon import Parameter, Trainer


@pytest.fixture(autouse=True)
def seeded():
    streams.seed(0)


def test_a_scheduler_decides_the_rate(capsys):
    schedule = lr_scheduler.FactorScheduler(step=2, factor=0.1, base_lr=1.0)
    parameter = Parameter("w", shape=(1,))
    parameter.initialize(init.One())
    trainer = Trainer([parameter], "sgd", {"lr_scheduler": schedule})
    rates = []
    for _ in range(6):
        rates.append(trainer.learning_rate)
        with autograd.record():
            loss = parameter.data() * 1.0
        loss.backward()
        trainer.step(1)
    assert np.allclose(rates, [1, 1, 1, 0.1, 0.1, 0.01])
    with pytest.raises(UserWarning, match="LRScheduler of the optimizer has already been defined"):
        trainer.set_learning_rate(0.5)
    Trainer([parameter], "sgd", {"learning_rate": 0.3, "lr_scheduler": schedule})
    assert "has been overwritten by ``learning_rate`` in optimizer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            lr_scheduler.MultiFactorScheduler([2, 4], 0.5, base_lr=1.0),
            {0: 1, 2: 1, 3: 0.5, 4: 0.5, 5: 0.25},
        ),
        (lr_scheduler.PolyScheduler(10, base_lr=1.0, pwr=2), {0: 1, 5: 0.25, 10: 0, 20: 0}),
        (lr_scheduler.CosineScheduler(10, base_lr=1.0, final_lr=0.2), {0: 1, 5: 0.6, 10: 0.2}),
        (
            lr_scheduler.CosineScheduler(10, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.2),
            {0: 0.2, 2: 0.6, 4: 1.0, 10: 0},
        ),
        (
            lr_scheduler.FactorScheduler(
                3, 0.1, stop_factor_lr=0.05, base_lr=1.0, warmup_steps=2, warmup_mode="constant"
            ),
            {0: 0, 1: 0, 2: 1, 4: 0.1, 9: 0.05},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_schedules_follow_their_formulas(schedule, expected):
    assert {t: pytest.approx(schedule(t)) for t in expected} == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: lr_scheduler.FactorScheduler(0),
            "Schedule step must be greater or equal than 1 round",
        ),
        (lambda: lr_scheduler.FactorScheduler(1, 2), "Factor must be no more than 1"),
        (lambda: lr_scheduler.MultiFactorScheduler([3, 2]), "increasing integer list"),
        (
            lambda: lr_scheduler.PolyScheduler(0),
            "maximum number of updates must be strictly positive",
        ),
        (
            lambda: lr_scheduler.LRScheduler(0.1, warmup_begin_lr=1),
            "Base lr has to be higher than warmup_begin_lr",
        ),
        (
            lambda: lr_scheduler.LRScheduler(0.1, warmup_mode="x"),
            "Supports only linear and constant modes",
        ),
    ],
)
def test_an_impossible_schedule_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: lr_scheduler.MultiFactorScheduler([]),
        lambda: lr_scheduler.MultiFactorScheduler(3),
        lambda: lr_scheduler.PolyScheduler(1.5),
        lambda: lr_scheduler.CosineScheduler(1.5),
    ],
)
def test_a_schedule_of_another_type_fails_as_in_mxnet(make):
    with pytest.raises(AssertionError, match="must be a"):
        make()


def test_warm_up_can_be_given_in_order():
    for made in (
        lr_scheduler.FactorScheduler(2, 0.5, 1e-8, 1.0, 4, 0.2, "linear"),
        lr_scheduler.MultiFactorScheduler([9], 0.1, 1.0, 4, 0.2, "linear"),
        lr_scheduler.PolyScheduler(10, 1.0, 2, 0, 4, 0.2, "linear"),
        lr_scheduler.CosineScheduler(10, 1.0, 0, 4, 0.2, "linear"),
    ):
        assert made(2) == pytest.approx(0.6)
