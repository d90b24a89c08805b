"""The first loss."""

from __future__ import annotations

import math

import pytest
from observed import chain, made, reading

from initlab.engine import init
from initlab.engine.gluon import nn


def test_equal_scores_have_the_loss_of_no_knowledge():
    place, found = reading("first-loss", chain(1, "relu", init.Zero()))
    assert found.figure == pytest.approx(1, abs=1e-5) and place < 0
    assert found.expected == f"ln 10 = {math.log(10):.4g}"


def test_large_scores_are_found_with_their_error():
    place, found = reading("first-loss", chain(3, "relu", init.Normal(3.0)))
    assert place >= 2 and found.error > 0 and "±" in found.measured


def test_a_network_without_scores_has_no_first_loss():
    assert reading("first-loss", made(nn.Dense(1))) is None
