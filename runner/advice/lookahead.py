"""How far the first steps of gradient descent on one batch lower the loss: what ranks initializers.

A training of many steps is judged by its beginning, as in successive halving (Jamieson and Talwalkar
2016, arXiv:1502.07943). The best of several learning rates counts, since each initializer has its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from initlab.engine import autograd
from initlab.engine.optimizer import create
from initlab.engine.streams import VERSION, Key, Stream, scope, using
from initlab.runner.data import Batch
from initlab.runner.measures.base import restoring
from initlab.runner.observation.inputs import labels_for
from initlab.runner.observation.tree import arrays_in
from initlab.runner.probes import Subject
from initlab.runner.probes.learning import Learner

STEPS = 6
FIRST, FACTOR = 0.1, 4.0
"""The first learning rate that is tried, and what the next is multiplied or divided by."""
FEWEST, MOST = -3, 4
"""The powers of the factor that are tried."""
HIGHEST = 1e3
"""A training whose loss is above this has diverged."""


def loss_ahead(subject: Subject) -> float | None:
    """Return the loss of the batch after `STEPS` steps at the best of a few learning rates.

    None if the network has no loss. Labels that the data lacks are drawn from the seed, as for
    the diagnosis.
    Parameters are as before, afterwards.
    """
    with autograd.predict_mode():
        shape = arrays_in(subject.network(subject.inputs()))[0].shape
    labels = labels_for(subject, shape)
    if labels is None:
        return None
    batch = Batch(subject.batch.inputs, labels)
    own = Stream(Key(subject.seed, "@advice/ambient"))

    def after(power: int) -> float:
        with using(VERSION), scope(own), autograd.without_dropout(), restoring(subject):
            return _after(subject, batch, FIRST * FACTOR**power)

    return lowest(after)


def _after(subject: Subject, batch: Batch, rate: float) -> float:
    """Return the loss after the steps; inf if it diverged."""
    learner = Learner(subject, batch, create("sgd", learning_rate=rate), "cross_entropy")
    rows = np.arange(len(batch.inputs))
    loss = 0.0
    with np.errstate(all="ignore"):
        for _ in range(STEPS + 1):
            loss = learner.step(rows).loss
            if not loss < HIGHEST:
                return math.inf
    return loss


def lowest(after: Callable[[int], float]) -> float:
    """Return the smallest loss over the powers, in the direction in which it falls."""
    after = cache(after)
    power = 0
    while not math.isfinite(after(power)) and power > FEWEST:
        power -= 1
    for way in (1, -1):
        while FEWEST <= power + way <= MOST and after(power + way) < after(power):
            power += way
    return after(power)
