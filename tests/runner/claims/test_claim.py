"""What an `expect:` entry may be, and what is said of those that are none."""

from __future__ import annotations

import math

import pytest

from initlab.runner.claims.claim import parse_claims
from initlab.runner.errors import ConfigError

GOOD = {"id": "a", "cite": "Nobody 2020", "quantity": "layers.*.rms.log_mean", "predicted": 1.0}


def parse(*entries):
    """The claims, and what is wrong with them."""
    try:
        return parse_claims(list(entries)), []
    except ConfigError as error:
        return [], [str(problem.below("expect")) for problem in error.problems]


def test_a_claim_has_its_defaults():
    (claim,), problems = parse(GOOD)
    assert problems == []
    assert (claim.relation, claim.error, claim.z, claim.floor, claim.where) == (
        "equal",
        "runs",
        4.0,
        0.0,
        {},
    )
    assert claim.within == pytest.approx(0.05) and claim.form == "1"


def test_a_prediction_may_be_a_closed_form():
    (claim,), problems = parse(GOOD | {"predicted": {"form": "gain", "activation": "tanh"}})
    assert problems == [] and claim.predicted == pytest.approx(1.592537, abs=1e-6)
    assert claim.form == "gain(activation=tanh)"


def test_an_error_may_be_a_closed_form_or_a_number():
    (claim, other), problems = parse(
        GOOD | {"error": {"form": "log_length_error", "width": 64}}, GOOD | {"id": "b", "error": 0}
    )
    assert (
        problems == []
        and claim.error == pytest.approx(math.sqrt(5 / 64) / 2, rel=0.1)
        and other.error == 0
    )


def test_nothing_is_expected_by_default():
    assert parse_claims(None) == parse_claims([]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "expect.0.id: is missing - a claim needs it"),
        ({"id": "a b"}, "expect.0.id: must be letters, digits, _, - and dots, got 'a b'"),
        ({"cite": ""}, "expect.0.cite: is missing - a claim needs it"),
        ({"quantity": None}, "expect.0.quantity: is missing"),
        (
            {"quantity": "layers.*.rms +"},
            "expect.0.quantity: 'layers.*.rms +', column 15: needs a number, a function or a path "
            "where it has its end",
        ),
        (
            {"quantity": "slope(slope(a, b), c)"},
            "expect.0.quantity: 'slope(slope(a, b), c)' has more than one slope",
        ),
        ({"predicted": None}, "expect.0.predicted: is missing"),
        ({"predicted": "x"}, "expect.0.predicted: must be a number, or {form:"),
        ({"predicted": math.nan}, "expect.0.predicted: must be a number"),
        (
            {"predicted": {"form": "gian"}},
            "expect.0.predicted.form: no closed form 'gian' - did you mean 'gain'?",
        ),
        (
            {"predicted": {"form": "gain", "activation": "rleu"}},
            "expect.0.predicted.activation: cannot be 'rleu' - did you mean 'relu'?",
        ),
        (
            {"predicted": {"form": "chi1", "activation": "tanh", "weight_variance": -1}},
            "expect.0.predicted.weight_variance: must be a positive number",
        ),
        (
            {
                "predicted": {
                    "form": "fixed_point_variance",
                    "activation": "relu",
                    "weight_variance": 2.0,
                }
            },
            "has no fixed point",
        ),
        ({"relation": "equals"}, "expect.0.relation: cannot be 'equals' - did you mean 'equal'?"),
        ({"error": "run"}, "expect.0.error: cannot be 'run' - did you mean 'runs'?"),
        ({"error": -1}, "expect.0.error: is a standard error, it must not be negative, got -1"),
        (
            {"error": "elements", "quantity": "layers[0].rms"},
            "expect.0.error: elements needs a quantity that is a mean",
        ),
        (
            {"error": "elements", "quantity": "layers.*.rms.logmean"},
            "expect.0.error: elements needs a quantity that is a mean, and there is no reduction "
            "'logmean' - did you mean 'log_mean'? Known: log_mean, mean, mean_square.",
        ),
        ({"z": 0}, "expect.0.z: must be a positive number, got 0"),
        ({"floor": -1}, "expect.0.floor: must be a number of at least 0, got -1"),
        ({"within": "x"}, "expect.0.within: must be a number of at least 0, got 'x'"),
        ({"within": 0.1, "floor": 0.2}, "expect.0.within: must be at least the floor, 0.2"),
        (
            {"predicted": 0},
            "expect.0.within: is missing - its default is a fraction of the prediction, which is 0",
        ),
        ({"where": ["x"]}, "expect.0.where: must be a mapping of config keys to values"),
        ({"quantiti": "x"}, "expect.0.quantiti: no such key - did you mean 'quantity'?"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place_and_the_nearest_name(change, said):
    claims, problems = parse(
        {key: value for key, value in (GOOD | change).items() if value is not None}
    )
    assert claims == []
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("predicted", [None, ""])
def test_a_missing_prediction_is_one_problem(predicted):
    missing = ["expect.0.predicted: is missing - a claim needs it"]
    assert parse(GOOD | {"predicted": predicted})[1] == missing
    assert parse({key: value for key, value in GOOD.items() if key != "predicted"})[1] == missing


def test_two_claims_of_one_id_and_what_is_no_claim_are_refused():
    assert parse(GOOD, GOOD)[1] == [
        "expect.1.id: 'a' is also the id of another claim - give it a name of its own"
    ]
    assert (
        "expect.0: must be a mapping with id, cite, quantity, predicted, got 'x'" in parse("x")[1]
    )
    with pytest.raises(ConfigError, match="^must be a list of claims, got 'x'$"):
        parse_claims("x")
