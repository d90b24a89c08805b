"""A tensor that is streamed block by block gets the row of figures that it gets in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats import OnePass, Statistic, measure_all, summary_of
from initlab.runner.stats.base import WHOLE
from initlab.runner.stats.histogram import Histogram
from initlab.runner.stats.law import Law, kolmogorov_smirnov


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
def test_a_statistic_that_needs_values_says_so(statistic, size):
    law = laws.Constant(1)
    summary = summary_of(np.ones(size, np.float32), law)
    with pytest.raises(
        ValueError,
        match=f"statistic '{statistic.kind}' needs the values of all {size} elements at once",
    ):
        measure_all([statistic], law, summary, None)


def test_a_statistic_without_measure_says_so():
    with pytest.raises(NotImplementedError, match="defines no measure_summary"):
        OnePass().measure(np.ones(3), laws.Constant(1))
    with pytest.raises(NotImplementedError, match="defines no measure"):
        Statistic().measure(np.ones(3), laws.Constant(1))
