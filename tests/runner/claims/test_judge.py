"""Verdicts: what is reproduced, what is refuted, what nobody can tell, and how many samples would
do.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from initlab.runner.claims.claim import parse_claims
from initlab.runner.claims.judge import (
    ALPHA,
    INCONCLUSIVE,
    REFUTED,
    REPRODUCED,
    Judged,
    estimate,
    judge,
)
from initlab.runner.claims.results import Result
from initlab.runner.errors import QuantityError


def claim(**options):
    given = {"id": "c", "cite": "nobody", "quantity": "figures.x", "predicted": 1.0} | options
    return parse_claims([{key: value for key, value in given.items() if value is not None}])[0]


def runs(values, name: str = "x", **settings) -> list[Result]:
    made = []
    for seed, value in enumerate(values):
        words = (f"seed={seed}", *(f"{key}={given}" for key, given in settings.items()))
        made.append(
            Result(
                f"run{seed}{settings}",
                words,
                {"seed": seed, "vars": {}, **settings},
                {"figures": {name: value}},
            )
        )
    return made


def verdict(results, **options) -> Judged:
    one = claim(**options)
    return judge([one], [estimate(one, results)])[0]


def drawn(mean: float, std: float, count: int, seed: int = 1) -> list[float]:
    return list(np.random.Generator(np.random.PCG64(seed)).normal(mean, std, count))


def test_enough_samples_around_the_prediction_reproduce_it():
    one = verdict(runs(drawn(1.0, 0.01, 30)))
    assert (one.verdict, one.estimate.samples, one.estimate.freedom, one.reason) == (
        REPRODUCED,
        30,
        29,
        "",
    )
    assert abs(one.z) < 4


def test_samples_far_from_the_prediction_refute_it():
    one = verdict(runs(drawn(1.2, 0.01, 30)))
    assert one.verdict == REFUTED and one.z > 5 and one.probability < ALPHA
    assert "predicted 1" in one.reason


def test_too_few_samples_are_inconclusive_and_it_is_said_how_many_would_do():
    one = verdict(runs(drawn(1.0, 0.2, 5)))
    assert one.verdict == INCONCLUSIVE and one.enough is not None and one.enough > 100
    assert f"about {one.enough} would do" in one.reason
    again = verdict(runs(drawn(1.0, 0.2, 3 * one.enough)))
    assert again.verdict == REPRODUCED


def test_a_deviation_between_agreement_and_refutation_is_inconclusive():
    values = drawn(0.0, 1.0, 40)
    shifted = [
        1.0 + 0.01 * (v - np.mean(values)) / np.std(values) + 5.2 * 0.01 / math.sqrt(40)
        for v in values
    ]
    one = verdict(runs(shifted))
    assert one.verdict == INCONCLUSIVE and one.enough is not None and one.enough > 40


def test_one_run_has_no_error_of_its_own():
    one = verdict(runs([1.0]))
    assert (one.verdict, one.enough) == (INCONCLUSIVE, None)
    assert "one sample has no error - sweep over several seeds" in one.reason


def test_a_declared_error_is_that_of_one_run():
    one = verdict(runs([1.02, 0.99, 1.01, 0.98]), error=0.02)
    assert (one.verdict, one.estimate.error, one.estimate.freedom) == (REPRODUCED, 0.01, math.inf)
    assert verdict(runs([1.0]), error=0.01).verdict == REPRODUCED
    assert verdict(runs([2.0]), error=0.01).verdict == REFUTED


def test_the_floor_is_what_rounding_may_add():
    exact = [1.0000001] * 4
    assert verdict(runs(exact)).verdict == REFUTED
    assert verdict(runs(exact), floor=1e-6).verdict == REPRODUCED
    assert verdict(runs([1.00001] * 4), floor=1e-6).verdict == REFUTED


def test_a_claim_is_reproduced_only_with_an_error_within_its_limit():
    values = drawn(1.0, 0.01, 10)
    assert verdict(runs(values)).verdict == REPRODUCED
    assert verdict(runs(values), within=0.001).verdict == INCONCLUSIVE


@pytest.mark.parametrize(
    ("relation", "mean", "expected"),
    [
        ("at_least", 1.1, REPRODUCED),
        ("at_least", 1.0, INCONCLUSIVE),
        ("at_least", 0.9, REFUTED),
        ("at_most", 0.9, REPRODUCED),
        ("at_most", 1.0, INCONCLUSIVE),
        ("at_most", 1.1, REFUTED),
    ],
)
def test_a_bound_holds_fails_or_is_too_near(relation, mean, expected):
    values = drawn(0.0, 0.01, 20)
    centred = [v - float(np.mean(values)) + mean for v in values]
    assert verdict(runs(centred), relation=relation).verdict == expected


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_a_measurement_that_is_not_finite_refutes_and_names_its_place(bad):
    layers = [{"path": "a", "rms": 1.0}, {"path": "body.7", "rms": bad}]
    results = [Result("r", (), {"vars": {}}, {"layers": layers})]
    for error in ("runs", "elements"):
        one = verdict(results, quantity="layers.*.rms.log_mean", error=error)
        assert one.verdict == REFUTED and "layers['body.7'] of run r" in one.reason


def test_elements_are_samples_of_their_own():
    layers = [
        [{"path": str(n), "rms": v} for n, v in enumerate(drawn(1.0, 0.01, 20, seed))]
        for seed in range(3)
    ]
    results = [
        Result(f"r{n}", (f"seed={n}",), {"seed": n, "vars": {}}, {"layers": rows})
        for n, rows in enumerate(layers)
    ]
    one = verdict(results, quantity="layers.*.rms.mean", error="elements")
    values = [row["rms"] for rows in layers for row in rows]
    assert (one.estimate.samples, one.estimate.what) == (60, "elements")
    assert one.estimate.value == pytest.approx(np.mean(values))
    assert one.estimate.error == pytest.approx(np.std(values, ddof=1) / math.sqrt(60))


def test_a_slope_is_fitted_for_each_seed_and_these_are_the_samples():
    generator = np.random.Generator(np.random.PCG64(3))
    results = []
    for seed in range(6):
        for width in (16, 64, 256):
            x = math.sqrt(width) * math.exp(0.001 * generator.normal())
            words = (f"seed={seed}", f"vars.width={width}")
            results.append(
                Result(
                    f"{seed}-{width}",
                    words,
                    {"seed": seed, "vars": {"width": width}},
                    {"figures": {"x": x}},
                )
            )
    one = verdict(results, quantity="slope(log figures.x, log width)", predicted=0.5)
    assert (one.verdict, one.estimate.samples) == (REPRODUCED, 6)
    assert (
        verdict(
            results, quantity="slope(log figures.x, log width)", predicted=0.0, within=0.1
        ).verdict
        == REFUTED
    )


def test_where_says_which_runs_are_meant():
    results = runs(drawn(1, 0.01, 8), init="he") + runs(drawn(7, 0.01, 8), init="normal")
    assert verdict(results, where={"init": "he"}, within=0.5).verdict == REPRODUCED
    assert verdict(results, where={"init": "normal"}, within=0.5).verdict == REFUTED
    assert verdict(results, where={"init": "normal", "seed": 1}, error=0.1).estimate.samples == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {},
            "its runs differ in init, which the claim does not mention - choose runs with 'where'",
        ),
        ({"where": {"init": "lecun"}}, "zero samples: none of the 4 runs has init=lecun"),
        ({"where": {"inti": "he"}}, "where.inti: no run has such a key - did you mean 'init'"),
        (
            {"where": {"init": "he"}, "quantity": "slope(figures.x, width)"},
            "'width', which is no key of the config - sweep over one",
        ),
        (
            {"where": {"init": "he"}, "quantity": "slope(figures.x, init)"},
            "'init', which is the same in all runs - sweep over it: sweep.grid.init",
        ),
    ],
)
def test_runs_that_do_not_fit_the_claim_are_refused(options, said):
    results = runs([1.0, 1.1], init="he") + runs([2.0, 2.1], init="normal")
    one = claim(**options)
    with pytest.raises(QuantityError, match=said):
        estimate(one, results)


def test_many_claims_are_judged_together():
    one = claim(error=1.0, within=100.0)
    results = runs([1.0 + 5.1])  # p = 3.4e-7, under 1e-6 alone
    assert judge([one], [estimate(one, results)])[0].verdict == REFUTED
    family = [claim(id=f"c{n}", error=1.0, within=100.0) for n in range(20)]
    fine = [estimate(one, runs([1.0]))] * 19
    verdicts = [j.verdict for j in judge(family, [estimate(one, results), *fine])]
    assert verdicts == [INCONCLUSIVE, *[REPRODUCED] * 19]


def test_a_verdict_flakes_no_oftener_than_the_family_error():
    generator = np.random.Generator(np.random.PCG64(11))
    one = claim(within=10.0, predicted=1.0)
    wrong = 0
    for _ in range(500):
        values = list(generator.normal(1.0, 0.1, 6))
        wrong += judge([one], [estimate(one, runs(values))])[0].verdict == REFUTED
    assert wrong == 0
