"""Spectra of Jacobians and weights, where they were measured."""

from __future__ import annotations

import numpy as np
import pytest
from observed import chain, inputs, subject_of

from initlab.engine import init, nd
from initlab.runner.declare import declare
from initlab.runner.diagnosis.diagnose import diagnosis_of
from initlab.runner.measures.jacobian import Jacobian
from initlab.runner.measures.spectrum import Spectrum
from initlab.runner.observation.passes import observe
from initlab.runner.run import showing
from initlab.runner.symptoms.conditioning import LOST, over, spread

IDS = ("ill-conditioned-jacobian", "one-direction")


def spiked(net, strength):
    """Give one direction of each weight `strength` times the length of all others."""
    random = np.random.default_rng(0)
    for parameter in net.collect_params().values():
        if len(parameter.shape) > 1:
            w = parameter.data().asnumpy()
            u, v = (random.standard_normal(n) / np.sqrt(n) for n in w.shape)
            whole = w + strength * np.sqrt(np.square(w).sum()) * np.outer(u, v)
            size = np.sqrt(np.square(w).mean() / np.square(whole).mean())
            parameter.set_data(nd.array(whole * size))
    return net


def found_in(net, measured=True):
    x = inputs(32, 64)
    net(nd.array(x))
    return found_of(subject_of(net, x, np.arange(32) % 10), measured)


def found_of(subject, measured=True):
    sections = Jacobian().measure(subject) | Spectrum().measure(subject) if measured else {}
    found = diagnosis_of(observe(subject), sections=sections)
    return {one.id: one for one in found.findings if one.id in IDS}, found.looked_at


def deep(depth, initializer, strength=0.0):
    net = chain(depth, "relu", initializer)
    net(nd.array(inputs(2, 64)))
    return spiked(net, strength)


@pytest.mark.parametrize("initializer", ["he", "lecun", "orthogonal"])
@pytest.mark.parametrize("depth", [2, 8])
def test_random_and_orthogonal_weights_are_well_conditioned(depth, initializer):
    found, _ = found_in(deep(depth, init.create(initializer)))
    assert "one-direction" not in found
    assert found.get("ill-conditioned-jacobian") is None or depth == 8


def test_one_direction_in_each_of_many_layers_is_harmful():
    found, _ = found_in(deep(8, "he", 3.0))
    assert found["one-direction"].severity == "harmful"
    assert "times the edge of a random matrix" in found["one-direction"].measured
    jacobian = found["ill-conditioned-jacobian"]
    assert jacobian.severity == "harmful" and jacobian.where == "the network"


def test_networks_of_few_layers_learn_from_any_spectrum():
    found, _ = found_in(deep(2, "he", 3.0))
    assert found["one-direction"].severity == "odd"


def test_one_such_layer_among_others_is_odd():
    net = deep(8, "he")
    spiked(net[2], 3.0)
    found, _ = found_in(net)
    assert found["one-direction"].severity == "odd"


def test_what_was_not_measured_is_not_looked_at():
    net = deep(8, "he", 3.0)
    assert found_in(net, measured=False)[0] == {}
    without, with_both = found_in(net, measured=False)[1], found_in(net)[1]
    assert len(with_both) == len(without) + 2


def test_the_edge_of_a_random_matrix_is_1_and_below_for_an_orthogonal_one():
    random = np.random.default_rng(0)
    normal = random.standard_normal((256, 128))
    square, _ = np.linalg.qr(random.standard_normal((128, 128)))
    from initlab.runner.measures.spectrum import spectrum_of

    assert over(spectrum_of(normal)) == pytest.approx(1, abs=0.05)
    assert over(spectrum_of(square)) == pytest.approx(0.25, rel=1e-6)
    assert over(spectrum_of(np.ones((64, 64)))) == pytest.approx(16, rel=1e-6)
    assert over({"mp_high": None, "ratio": None}) is None


@pytest.mark.parametrize(
    "values, ratio",
    [([2.0, 2.0], 1.0), ([4.0, 1.0], np.sqrt(8.5) / 2), ([1.0, 0.0], LOST), ([0.0, 0.0], None)],
)
def test_the_spread_is_the_rms_over_the_geometric_mean(values, ratio):
    from initlab.runner.measures.jacobian import figures

    found = spread(figures(np.diag(values)))
    assert found is None if ratio is None else found == pytest.approx(ratio)


def test_a_jacobian_that_is_not_finite_is_the_matter_of_other_symptoms():
    assert spread({"mean_square": float("nan"), "log_mean": float("nan")}) is None


@pytest.mark.parametrize("measure", ["jacobian", "spectrum"])
def test_the_task_diagnose_makes_the_measurement_that_is_chosen(measure):
    words = ("init=constant", "init.value=0.05", "model=deep_mlp")
    plain = declare(*words).diagnose()
    more = declare(*words, f"measure={measure}").diagnose()
    assert len(more.looked_at) == len(plain.looked_at) + 1
    expected = {"jacobian": "ill-conditioned-jacobian", "spectrum": "one-direction"}[measure]
    assert expected in {one.id for one in more.findings}
    assert expected not in {one.id for one in plain.findings}


def test_a_run_and_the_task_give_one_diagnosis(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    declared = declare("init=he", "model=deep_mlp", "measure=[jacobian,spectrum]")
    assert declared.run().diagnosis == showing.diagnosis_of(declared.checked)
