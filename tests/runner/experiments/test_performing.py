"""Every published result is reproduced, and every control is refuted."""

from __future__ import annotations

from contextlib import chdir
from functools import cache

import pytest

from initlab.runner.claims.judge import REFUTED, REPRODUCED, judge
from initlab.runner.experiments.catalogue import experiments
from initlab.runner.experiments.performing import Performed, perform

EXPERIMENTS = experiments()


CONTROLS = [
    (name, words) for name, experiment in EXPERIMENTS.items() for words in experiment.control
]


@pytest.fixture(scope="module")
def performed(tmp_path_factory):
    """What an experiment came to, made once for all tests."""
    folder = tmp_path_factory.mktemp("experiments")

    @cache
    def made(name: str) -> Performed:
        with chdir(folder):
            return perform(EXPERIMENTS[name])

    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_claim_of_a_published_result_is_reproduced(name, performed):
    found = performed(name)
    judged = judge(found.claims, found.estimates)
    assert [(one.claim.id, one.verdict, one.reason) for one in judged] == [
        (claim.id, REPRODUCED, "") for claim in found.claims
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"), CONTROLS, ids=[f"{name} {words}" for name, words in CONTROLS]
)
def test_a_wrong_setting_is_refuted(name, words, tmp_path):
    with chdir(tmp_path):
        found = perform(EXPERIMENTS[name], words.split())
    assert REFUTED in [one.verdict for one in judge(found.claims, found.estimates)]
