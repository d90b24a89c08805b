"""Values held against their law."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats.law import (
    MOST_POINTS,
    Law,
    _at_values,
    half_spacing,
    kolmogorov_smirnov,
)
from initlab.runner.stats.onepass import summarize

RANDOM = [
    laws.Normal(0, 0.01),
    laws.Uniform(-0.07, 0.07),
    laws.TruncatedNormal(0, 1, -2, 2),
    laws.Normal(0.5, 2),
]


@pytest.mark.parametrize("law", RANDOM, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("count", [3, 64, 5000, MOST_POINTS + 5])
def test_values_drawn_from_a_law_pass(law, dtype, count):
    pytest.importorskip("ml_dtypes")
    row = Law().measure(law.draw(Key(1, f"{law}"), (count,), dtype), law)
    assert row["bound_ok"] is True
    assert row["p"] > 1e-4
    assert abs(row["z_mean"]) < 5


@pytest.mark.parametrize(
    ("drawn", "declared"),
    [
        (laws.Normal(0, 0.0105), laws.Normal(0, 0.01)),
        (laws.Normal(0.001, 0.01), laws.Normal(0, 0.01)),
        (laws.Uniform(-0.07 * math.sqrt(3), 0.07 * math.sqrt(3)), laws.Normal(0, 0.07)),
    ],
    ids=["variance", "mean", "shape"],
)
def test_values_of_another_law_are_found(drawn, declared):
    row = Law().measure(drawn.draw(Key(1, "x"), (20_000,)), declared)
    assert row["p"] < 1e-6


def test_values_outside_the_support_are_found():
    law = laws.Uniform(-1, 1)
    values = law.draw(Key(0, "x"), (100,))
    values[3] = 1.5
    assert Law().measure(values, law)["bound_ok"] is False
    values[3] = np.nan
    assert Law().measure(values, law)["bound_ok"] is False


def test_a_constant_and_an_identity_are_checked_exactly():
    assert Law().measure(np.full(4, 2, np.float32), laws.Constant(2))["invariants_ok"] is True
    assert (
        Law().measure(np.array([2, 2, 3], np.float32), laws.Constant(2))["invariants_ok"] is False
    )
    identity = laws.Structured()
    assert Law().measure(identity.draw(Key(0, "x"), (3, 3)), identity)["invariants_ok"] is True


def ks_of(x: np.ndarray) -> tuple[float, float] | None:
    return kolmogorov_smirnov(summarize(x), laws.Uniform(0, 1), x)


def test_the_kolmogorov_smirnov_test_has_its_known_critical_value():
    n = 2000
    x = (np.arange(n) + 0.5) / n
    found = ks_of(x)
    assert found[0] == pytest.approx(0.5 / n)
    assert found[1] == 1.0
    shifted = ks_of(x * (1 - 1.358 / math.sqrt(n)))
    assert shifted[1] == pytest.approx(0.05, abs=0.005)


@pytest.fixture
def stats_of(only_run):
    import json

    def call(*words):
        return json.loads((only_run(*words) / "stats.json").read_text())

    return call


@pytest.mark.slow
def test_many_seeds_give_no_false_alarm(stats_of):
    for seed in range(20):
        content = stats_of(f"seed={seed}", "init=he", "model=deep_mlp", "probe=none")
        assert {row["verdict"] for row in content["parameters"]} == {"ok", "exact"}


def test_a_broken_law_gets_the_verdict_off(stats_of, monkeypatch):
    from initlab.engine.streams import distribution

    original = distribution.normal
    monkeypatch.setattr(
        distribution, "normal", lambda mean, std, wide=False: original(mean, 1.1 * std, wide)
    )
    verdicts = {row["path"]: row["verdict"] for row in stats_of("init=normal")["parameters"]}
    assert verdicts == {"0.weight": "off", "0.bias": "exact", "1.weight": "off", "1.bias": "exact"}


def test_without_the_law_statistic_nothing_is_judged(stats_of):
    content = stats_of("stats=[moments]")
    assert {row["verdict"] for row in content["parameters"]} == {"untested"}
    assert stats_of("init=orthogonal")["parameters"][0]["verdict"] == "ok"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("size", [1, 2, 31, 33, 1000, 300_000])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_distance_is_the_largest_of_all_points(dtype, size, shift):
    """The cdf is computed at some of them only."""
    drawn = np.random.default_rng(size).normal(shift, 1, size)
    values = np.where(drawn > 2, 0, drawn).astype(dtype)
    law, n = laws.Normal(0.0, 1.0), size
    x, rank = np.sort(values.astype(np.float64)), np.arange(1, n + 1)
    if n > MOST_POINTS:
        rank = np.linspace(1, n, MOST_POINTS).astype(np.int64)
        x = x[rank - 1]
    moved = half_spacing(x, values.dtype)
    above, below = law.cdf(x + moved), law.cdf(x - moved)
    largest = max(0.0, (rank / n - above).max(), (below - (rank - 1) / n).max())
    assert _at_values(values, law) == largest


def test_the_spacing_at_zero_is_that_of_the_smallest_numbers():
    assert half_spacing(np.zeros(1), np.dtype(np.float32)) == [2.0**-150]
    assert half_spacing(np.zeros(1), np.dtype(np.float16)) == [2.0**-25]
