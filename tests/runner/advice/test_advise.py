"""Which initializer to use for a declared network."""

from __future__ import annotations

import pytest

from initlab.engine import nd, streams
from initlab.runner.advice import training
from initlab.runner.advice.advise import advise, write
from initlab.runner.advice.candidates import BRANCHES
from initlab.runner.config.option_writer import OptionFile
from initlab.runner.declare import declare
from initlab.runner.errors import ConfigError
from initlab.runner.evidence.run_ids import same_run

DEEP = ("model=deep_mlp", "data=normal")
RESIDUAL = ("model=residual_mlp", "model.input=[64]", "data=normal", "data.batch=16")


def advice(*words, **given):
    run = declare(*words)
    return advise(run.checked, run.words, **given)


def places(found):
    return {row.words: place for place, row in enumerate(found.rows)}


@pytest.fixture(scope="module")
def deep():
    """Advice for a deep relu network."""
    return advice(*DEEP, "init=normal")


def test_he_comes_before_small_normal_values_in_a_deep_relu_network(deep):
    at = places(deep)
    assert at["init=he"] < at["init=normal"]
    assert deep.declared == "init=normal"
    assert deep.refused == []


def test_a_form_that_draws_the_same_is_tried_once(deep):
    he = {"init=he", "init=variance_scaling init.scale=2 init.distribution=normal"}
    assert he & set(places(deep)) == {"init=he"}


def test_unit_variance_and_schemes_for_branches_come_first_in_a_deep_residual_network():
    found = advice(*RESIDUAL, "model.layers.1.times=16")
    at = places(found)
    assert found.best.words in ("init=lsuv", *BRANCHES)
    assert max(at["init=lsuv"], at["init=fixup"]) < at["init=he"]
    refused = {one.words: one.why for one in found.refused}
    assert "init=skipinit" in refused and "\n" not in "".join(refused.values())
    assert not set(refused) & set(at)


def test_the_declared_initializer_has_the_words_that_chose_it():
    words = ("init=normal", "init.sigma=0.5")
    found = advice(*DEEP, *words)
    assert found.declared == "init=normal init.sigma=0.5"
    assert found.declared in places(found)


def test_the_default_has_the_words_of_the_candidate_that_it_is():
    assert advice(*DEEP).declared == "init=uniform"


def test_a_declared_run_gives_advice_and_leaves_no_trace():
    streams.seed(7)
    declared = declare(*DEEP, "init=normal")
    before = nd.random.uniform(shape=(2,)).asnumpy()
    streams.seed(7)
    found = declared.advise()
    assert (nd.random.uniform(shape=(2,)).asnumpy() == before).all()
    assert repr(found).splitlines()[-1] == f"to type: {found.best.words}"


def test_what_sends_nothing_through_the_network_is_refused():
    with pytest.raises(ConfigError, match="probe: none sends nothing"):
        advice("init=he", "probe=none")


def test_the_best_three_are_trained_and_ranked_by_their_loss(monkeypatch):
    monkeypatch.setattr(training, "STEPS", 20)
    found = advice("data=digits", "model.input=[64]", "data.batch=64", train=True)
    trained = [row.trained for row in found.rows]
    assert trained[:3] == sorted(trained[:3])
    assert set(trained[3:]) == {None}


def test_the_written_file_declares_the_run_of_its_words(tmp_path, deep):
    place = tmp_path / "mine" / "init" / "deep.yaml"
    words = write(deep, OptionFile(place, "init", "--write"))
    assert words == f"--config-dir {tmp_path / 'mine'} init=deep"
    typed = declare(*DEEP, *deep.best.words.split())
    written = declare(*DEEP, "init=deep", config_dir=tmp_path / "mine")
    assert same_run(written.run_id, typed.run_id)
    assert (
        written.run(tmp_path / "a").manifest.digests.root
        == typed.run(tmp_path / "b").manifest.digests.root
    )
