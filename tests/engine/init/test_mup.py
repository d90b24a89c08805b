"""muP: width-scaled networks."""

from __future__ import annotations

import pytest
from described import described

from initlab.engine import init, laws

MUP = {"input": [r"stem\.weight"], "output": [r"head\..*"], "base": 4}


@pytest.mark.parametrize(
    ("path", "shape", "variance", "adam", "sgd"),
    [
        ("stem.weight", (64, 10), 1 / 10, 1.0, 16.0),
        ("body.weight", (64, 64), 1 / 64, 1 / 16, 1.0),
        ("head.weight", (10, 64), 4 / 64**2, 1 / 16, 1 / 16),
        ("body.bias", (64,), None, 1.0, 16.0),
        ("head.bias", (10,), None, 1.0, 1.0),
    ],
)
def test_mup_is_table_3_of_tensor_programs_v(path, shape, variance, adam, sgd):
    description = described(path, *shape)
    for optimizer, multiplier in (("adam", adam), ("sgd", sgd)):
        chosen = init.by_name("mup")(**MUP, optimizer=optimizer)
        assert chosen.learning_rate_multiplier(description) == pytest.approx(multiplier)
        if variance is not None:
            assert chosen.law(description).std ** 2 == pytest.approx(variance)


def test_mup_at_its_base_is_the_standard_parametrization():
    chosen = init.by_name("mup")(**(MUP | {"base": 64}))
    for path, shape in (("body.weight", (64, 64)), ("head.weight", (10, 64))):
        assert chosen.law(described(path, *shape)).std ** 2 == pytest.approx(1 / 64)
        assert chosen.learning_rate_multiplier(described(path, *shape)) == 1


def test_mup_may_begin_with_outputs_of_0_and_a_rule_of_mixed_passes_multipliers_on():
    chosen = init.by_name("mup")(**MUP, zero_output=True)
    assert chosen.law(described("head.weight", 10, 64)) == laws.Constant(0.0)
    mixed = init.Mixed([{"match": r"a\..*", "init": "he"}, {"match": ".*", "init": chosen}])
    assert mixed.learning_rate_multiplier(described("a.weight", 64, 64)) == 1
    assert mixed.learning_rate_multiplier(described("body.weight", 64, 64)) == 1 / 16
