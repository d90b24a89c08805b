"""One run goes one road: what is worked out of its config is worked out once, and handed on."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager

import pytest

from initlab.runner.config import identity
from initlab.runner.plan import network, root, validate
from initlab.runner.plan.rows import make_plan

COUNTED = {
    "resolved": identity.resolve,
    "canonical": identity.canonical_of,
    "run id": identity.run_id,
    "claims": root._claims,
    "checked": validate.validate,
    "planned": make_plan,
    "shapes": network.infer_shapes,
    "built": network._assemble,
}
ONCE = {
    "resolved": 1,
    "canonical": 1,
    "run id": 1,
    "claims": 1,
    "checked": 1,
    "planned": 1,
    "shapes": 1,
    "built": 2,
}
"""The twin is built for the plan, and the network that is run."""
ALONE = "diagnose=false"
"""A diagnosis has a network of its own, and plans the advice that it gives on another."""
CLAIM = (
    "expect=[{id: spread, cite: none, quantity: 'parameters.*.rms.mean_square', predicted: 1.0, "
    "error: elements, within: 9}]"
)


@contextmanager
def counting():
    """While open, counts calls, whoever makes them and under whatever name."""
    names = {function.__code__: name for name, function in COUNTED.items()}
    counts: Counter[str] = Counter()

    def note(frame, event, _):
        if event == "call" and frame.f_code in names:
            counts[names[frame.f_code]] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("mode", ["deferred", "streamed"])
def test_a_run_works_out_everything_once_and_builds_its_network_twice(command, mode):
    with counting() as counts:
        done = command(f"init_mode={mode}", ALONE)
    assert done.code == 0, done.err
    assert counts == ONCE | ({"shapes": 2} if mode == "streamed" else {})


def test_a_diagnosis_without_a_finding_plans_nothing(command):
    with counting() as counts:
        done = command("init=he")
    assert "nothing found" in done.out
    assert counts == ONCE | {"built": 3, "shapes": counts["shapes"]}


def test_a_run_with_claims_parses_them_once(command):
    with counting() as counts:
        done = command("init=normal", CLAIM, ALONE)
    assert done.code in (0, 1, 3), done.err
    assert counts == ONCE


def test_a_plan_is_printed_from_one_network(command):
    with counting() as counts:
        done = command("task=plan")
    assert done.code == 0, done.err
    assert counts["built"] == counts["planned"] == counts["shapes"] == counts["resolved"] == 1


def test_each_job_of_a_sweep_works_out_everything_once(command):
    with counting() as counts:
        done = command("-m", "init=normal,he", "seed=1,2", ALONE)
    assert done.code == 0, done.err
    per_run = {name: count / 4 for name, count in counts.items()}
    assert per_run == ONCE | {"resolved": 2 / 4}  # jobs that differ in plain values share it


def test_the_jobs_of_a_sweep_with_claims_are_checked_once(command):
    with counting() as counts:
        done = command("-m", "init=normal", "seed=1,2,3", CLAIM, ALONE)
    assert done.code in (0, 1, 3), done.err
    assert counts["built"] == 6
    assert counts["planned"] == counts["run id"] == counts["canonical"] == counts["resolved"] == 3
