"""Values held against their law."""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.stats.kolmogorov import MOST_POINTS
from initlab.runner.stats.law import Law

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
