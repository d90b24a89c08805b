"""A tensor that is streamed block by block gets the row of figures that it gets in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats import OnePass, Statistic, measure_all, summary_of
from initlab.runner.stats.base import WHOLE
from initlab.runner.stats.histogram import Histogram
from initlab.runner.stats.law import Law, kolmogorov_smirnov
from initlab.runner.stats.moments import Moments
from initlab.runner.stats.onepass import BLOCK, Accumulator

ALL = [Moments(), Law(), Histogram()]
LARGE = (1031, 1033)
CASES = [
    (laws.Normal(0.1, 0.02), LARGE, "float32"),
    (laws.Normal(0.1, 0.02), LARGE, "float64"),
    (laws.Uniform(-1, 1), LARGE, "float16"),
    (laws.TruncatedNormal(0, 1, -2, 2), LARGE, "float32"),
    (laws.Constant(0.25), LARGE, "float32"),
    (laws.Constant(3), LARGE, "int32"),
    (laws.Structured(), LARGE, "float32"),
    (laws.Structured("bilinear"), (64, 65, 16, 16), "float32"),
    (laws.ForgetGate(1.0), (4 * 300_000,), "float32"),
]


def streamed(law: laws.Law, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    size = math.prod(shape)
    accumulator = Accumulator(dtype, size, lambda values, start: law.wrong_in(values, shape, start))
    for number in reversed(range(-(-size // BLOCK))):
        end = min((number + 1) * BLOCK, size)
        accumulator.add(number, law.draw(Key(0, "x"), shape, dtype, number * BLOCK, end))
    return measure_all(ALL, law, accumulator.result(), None)


@pytest.mark.parametrize(
    ("law", "shape", "dtype"), CASES, ids=[f"{law}-{dtype}" for law, _, dtype in CASES]
)
def test_streamed_and_in_memory_the_row_is_the_same(law, shape, dtype):
    values = law.draw(Key(0, "x"), shape, dtype)
    row = streamed(law, shape, dtype)
    assert row == measure_all(ALL, law, summary_of(values, law), values)
    assert row["bound_ok"] is True
    assert row["invariants_ok"] is (None if law.random else True)
    if law.random:
        assert row["p"] > 1e-4


@pytest.mark.parametrize(
    "law", [laws.Constant(0.25), laws.Structured(), laws.ForgetGate(1.0)], ids=str
)
def test_one_wrong_element_of_a_large_tensor_is_found(law):
    values = law.draw(Key(0, "x"), LARGE)
    values[777, 5] = 0.125
    assert measure_all(ALL, law, summary_of(values, law), None)["invariants_ok"] is False


def test_a_large_tensor_of_another_law_is_found():
    drawn, declared = laws.Uniform(-0.07 * math.sqrt(3), 0.07 * math.sqrt(3)), laws.Normal(0, 0.07)
    row = Law().measure(drawn.draw(Key(1, "x"), LARGE), declared)
    assert row["ks_p"] < 1e-6


@pytest.mark.parametrize(
    "law",
    [laws.Normal(0.5, 2), laws.Uniform(-0.07, 0.07), laws.TruncatedNormal(0, 1, -2, 2)],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_distance_at_the_edges_of_bins_is_no_more_than_that_at_the_values(law, dtype):
    for seed in range(5):
        values = law.draw(Key(seed, "x"), (20_000,), dtype)
        summary = summary_of(values, law)
        assert (
            kolmogorov_smirnov(summary, law, None)[0] <= kolmogorov_smirnov(summary, law, values)[0]
        )


@dataclass
class Middle(Statistic):
    kind = "middle"

    def measure(self, values, law):
        return {"middle": float(np.median(values))}


@dataclass
class Spread(OnePass):
    kind = "spread"

    def measure_summary(self, summary, law, values):
        return {"spread": summary.high - summary.low, "whole": values is not None}


def test_a_users_statistic_of_values_gets_them_and_one_of_summaries_gets_those_of_small_tensors():
    law = laws.Constant(1)
    small, large = np.ones(WHOLE, np.float32), np.ones(WHOLE + 1, np.float32)
    assert measure_all([Middle(), Spread()], law, summary_of(small, law), small) == {
        "middle": 1,
        "spread": 0,
        "whole": True,
    }
    assert measure_all([Middle(), Spread()], law, summary_of(large, law), large) == {
        "middle": 1,
        "spread": 0,
        "whole": False,
    }
    assert Spread().measure(large, law) == {"spread": 0, "whole": False}


@pytest.mark.parametrize(
    ("statistic", "size"),
    [(Middle(), WHOLE + 1), (Histogram(exact=True), WHOLE + 1), (Law(), WHOLE)],
)
def test_what_cannot_do_without_values_says_so(statistic, size):
    law = laws.Constant(1)
    summary = summary_of(np.ones(size, np.float32), law)
    with pytest.raises(
        ValueError,
        match=f"statistic '{statistic.kind}' needs the values of all {size} elements at once",
    ):
        measure_all([statistic], law, summary, None)


def test_what_defines_nothing_says_so():
    with pytest.raises(NotImplementedError, match="defines no measure_summary"):
        OnePass().measure(np.ones(3), laws.Constant(1))
    with pytest.raises(NotImplementedError, match="defines no measure"):
        Statistic().measure(np.ones(3), laws.Constant(1))
