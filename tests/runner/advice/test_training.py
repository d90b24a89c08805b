"""A short training of one candidate."""

from __future__ import annotations

import math

import pytest

from initlab.runner.advice import training
from initlab.runner.advice.training import check_trainable, losses
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError

DIGITS = ("data=digits", "model.input=[64]", "data.batch=64")


def test_each_rate_starts_from_the_first_values(monkeypatch):
    monkeypatch.setattr(training, "RATES", (0.1, 1e30, 0.1))
    config = declare("init=he", *DIGITS).checked
    first, diverged, again = losses(config)
    assert first == again
    assert first[0] < math.log(10)
    assert diverged == (math.inf, 1e30)


def test_data_without_labels_is_refused():
    with pytest.raises(ConfigError, match="--train: needs data with labels, and uniform has none"):
        check_trainable(declare("init=he").checked)
