"""Laws that the values exclude are excluded; the true one is not."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import laws
from initlab.engine.streams import Key
from initlab.runner.audit.fit import ALPHA, candidates, fit
from initlab.runner.stats.onepass import summarize

TRUE = {
    "uniform": laws.Uniform(-0.1, 0.1),
    "normal": laws.Normal(0, 0.02),
    "truncated normal (2σ)": laws.TruncatedNormal(0, 0.02, -2, 2),
    "truncated normal (3σ)": laws.TruncatedNormal(0, 0.02, -3, 3),
}


@pytest.mark.parametrize("kind", TRUE)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("size", [20, 1000, 100000])
def test_the_true_law_is_never_excluded(kind, dtype, size):
    for seed in range(5):
        values = TRUE[kind].draw(Key(seed, kind), (size,), dtype)
        fits = {one.kind: one for one in candidates(summarize(values), values)}
        assert fits[kind].p > ALPHA
        assert fits[kind].numbers["std"] == pytest.approx(TRUE[kind].std, rel=4 / size**0.5)


@pytest.mark.parametrize("kind", TRUE)
def test_other_laws_are_excluded_given_enough_elements(kind):
    values = TRUE[kind].draw(Key(0, kind), (100000,))
    assert fit(summarize(values), None).kind == kind
    assert fit(summarize(values), None).others == {}


def test_a_law_of_none_of_these_kinds_is_unknown():
    values = np.random.default_rng(0).laplace(size=5000)
    found = fit(summarize(values), None)
    assert found.kind == "unknown" and found.remarks[0].startswith("no law of the catalogue fits")
