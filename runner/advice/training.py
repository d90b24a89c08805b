"""A short training of one candidate, at each of a few learning rates, every time from its first values."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from initlab.engine import streams
from initlab.runner.errors import ConfigError
from initlab.runner.plan.validate import RunConfig
from initlab.runner.probes.train import Train
from initlab.runner.run import stages

RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
STEPS = 60
BATCH = 64
LAST = 10
"""Steps at the end whose mean loss counts."""


def check_trainable(config: RunConfig) -> None:
    """Raise ConfigError unless the data has labels to learn."""
    if config.data.classes is None:
        said = f"needs data with labels, and {config.data.kind} has none - give data=digits, or leave it out"
        raise ConfigError.of("--train", said)


def losses(config: RunConfig) -> Iterator[tuple[float, float]]:
    """Yield (loss, rate) of plain gradient descent for each rate; inf if it diverged.

    The parameters are drawn anew for each. The loss is the mean of the last `LAST` minibatches.
    """
    for rate in RATES:
        network, _ = stages.initialize(config)
        probe = Train(steps=STEPS, batch=BATCH, learning_rate=rate, judged=1)
        with streams.using(config.stream), np.errstate(all="ignore"):
            trace = probe.measure(stages.subject_of(config, network))
        rows = [float(row["loss"]) for row in trace.training[-LAST:]]
        mean = sum(rows) / len(rows)
        ended = trace.figures["diverged_at"] is not None or not math.isfinite(mean)
        yield math.inf if ended else mean, rate
