"""What the dtype cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, made, reading, subject_of

from initlab.engine import init, nd
from initlab.engine.gluon import nn
from initlab.runner.observation.passes import observe
from initlab.runner.symptoms import REGISTRY, Examined

pytestmark = pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")


def worst(symptom, net, dtype):
    net.cast(dtype)
    x = inputs(16, 20)
    net(nd.array(x, dtype=dtype))
    seen = observe(subject_of(net, x, np.arange(16) % 10, dtype))
    found = list(REGISTRY.get(symptom)().readings(Examined(seen)))
    return max(found, key=lambda item: item[0]) if found else None


def test_an_overflow_names_the_first_layer():
    place, found = worst("not-finite", chain(6, "relu", init.Normal(20.0)), "float16")
    assert place >= 2 and found.where in {str(n) for n in range(7)}
    assert worst("not-finite", chain(6, "relu", "he"), "float16") is None


def test_values_near_the_largest_number_are_found_before_they_overflow():
    net = chain(1, "relu", init.Normal(100.0))
    place, found = worst("near-overflow", net, "float16")
    assert 0 <= place < 2 and "in float16" in found.measured
    assert reading("near-overflow", chain(1, "relu", init.Normal(100.0)))[0] < 0


def test_gradients_below_the_dtype_are_found():
    place, found = worst("gradient-underflow", chain(4, "relu", init.Normal(0.01)), "float16")
    assert place >= 1 and "float16" in found.measured
    assert reading("gradient-underflow", chain(4, "relu", init.Normal(0.02)))[0] < 0


def test_a_value_that_is_no_number_is_found_where_it_begins_and_no_underflow_is_said():
    x = inputs(8, 20)
    net = made(nn.Dense(6), nn.Dense(6), nn.Dense(3), batch=x)
    net[1].weight.set_data(nd.full((6, 6), np.nan))
    given = Examined(observe(subject_of(net, x)))
    first = next(iter(REGISTRY.get("not-finite")().look(given)))
    assert (first.where, first.measured) == ("1.weight", "its values are not finite")
    assert not list(REGISTRY.get("gradient-underflow")().look(given))
