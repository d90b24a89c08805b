"""The published experiments: their good arms have no finding above odd, and what hurts is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from initlab.runner.declare import leaving_no_trace
from initlab.runner.experiments.catalogue import experiments
from initlab.runner.probes.passes import Forward
from initlab.runner.run.showing import diagnosis_of
from initlab.runner.sweep.declared import declare_sweep
from initlab.runner.sweep.plugin import register

pytestmark = pytest.mark.slow
GOOD = {
    "correlation_map": "",
    "deep_linear": "",
    "delta_orthogonal": "",
    "depth_scale": "",
    "digits": "",
    "digits_lenet": "",
    "fixup": "vars.blocks=32",
    "haar": "",
    "he_forward": "vars.rule=he",
    "he_stall": "vars.rule=he",
    "jacobian_spread": "",
    "layer_jacobian": "vars.rule=glorot",
    "length_variance": "",
    "lsuv": "vars.activation=sin",
    "marchenko_pastur": "",
    "mup": "vars.rule=mup",
    "order_chaos": "vars.phase=critical",
    "residual_growth": "vars.branch=scaled",
    "siren": "",
}
"""Experiment -> a word of the run that is meant to be good; '' for the first and the last run."""
WITHOUT_CLAIMS = {"digits", "digits_lenet"}
BAD = {
    "he_forward": "vars.rule=torch",
    "he_stall": "vars.rule=glorot",
    "residual_doubling": "vars.blocks=48",  # it shows that the stream doubles: it has no good arm
}
"""Experiment -> a word of the run that is meant to be bad."""
HURTS = {
    "delta_orthogonal": "init=he",
    "depth_scale": "init.scale=1.0",
    "he_stall": "init=normal probe.steps=20",
    "residual_doubling": "init=glorot_normal",
}
"""Experiment -> the control that keeps the network from learning."""
HARMLESS = {
    "correlation_map": "ten layers of tanh in place of relu",
    "deep_linear": "another strength of the teacher",
    "fixup": "a bias of the classifier: the first loss is not exactly ln 10",
    "haar": "other normal or orthogonal matrices of the same size",
    "he_forward": "three quarters of the right variance",
    "jacobian_spread": "another law of orthogonal matrices",
    "layer_jacobian": "a variance that differs by a tenth",
    "length_variance": "orthogonal matrices of the right gain",
    "lsuv": "orthogonal matrices that are not scaled by data",
    "marchenko_pastur": "orthogonal matrices: another spectrum",
    "mup": "the standard parametrization at other widths",
    "order_chaos": "a point of the same diagram",
    "residual_growth": "another width and scale of normalized branches",
    "siren": "tanh in place of the sine: another length",
}
"""Experiment -> what its controls change, if that is only a spectrum or a prediction."""


def runs(words):
    """Return the checked runs of a sweep, by the words of each."""
    with leaving_no_trace():
        register()
        sweep = declare_sweep(words, None)
        members = sweep.check()
        chosen = {0: members[0], len(members) - 1: members[-1]}
        chosen |= {
            n: member for n, member in enumerate(members) if n not in chosen and _first(members, n)
        }
        return [(set(member.overrides), sweep.pop_job(member).run) for member in chosen.values()]


def _first(members, number):
    """Return whether a run has a word that no run before it has."""
    before = {word for member in members[:number] for word in member.overrides}
    return any("seed=" not in word for word in set(members[number].overrides) - before)


def severities(words, word=""):
    found = []
    for overrides, run in runs(words):
        if not word or word in overrides:
            run = replace(run, probe=Forward()) if run.probe.kind == "none" else run
            found.append(diagnosis_of(run).severity)
    assert found, f"no run of {words} has {word}"
    return found


def test_every_experiment_and_every_control_is_listed():
    known = experiments()
    assert set(known) == (set(GOOD) | set(BAD)) - WITHOUT_CLAIMS
    controls = {name: one.control for name, one in known.items() if one.control}
    assert set(controls) == set(HURTS) | set(HARMLESS)
    assert all(words in controls[name] for name, words in HURTS.items())


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_arm_has_no_finding_above_odd(name):
    assert set(severities([f"experiment={name}"], GOOD[name])) <= {None, "odd"}


@pytest.mark.parametrize("name", sorted(BAD))
def test_an_arm_that_is_meant_to_be_bad_is_found(name):
    assert set(severities([f"experiment={name}"], BAD[name])) <= {"harmful", "fatal"}


@pytest.mark.parametrize("name", sorted(HURTS))
def test_a_control_that_hurts_learning_is_found(name):
    found = severities([f"experiment={name}", *HURTS[name].split()])
    assert {"harmful", "fatal"} & set(found)
