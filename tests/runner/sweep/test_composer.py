"""A config composed once for each choice of groups is the config that Hydra composes from the same
words.
"""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from initlab.runner.config.compose import COMPOSITION_ERRORS, compose_once, start
from initlab.runner.sweep.composer import KEPT, Composer
from initlab.runner.sweep.sweeper import register

WORDS = [
    [],
    ["seed=3"],
    ["init=normal", "init.sigma=0.3", "seed=1"],
    ["init.scale=0.5", "init=uniform"],
    ["stats=[moments]", "stats.moments={}"],
    ["experiment=digits", "model.input=[64]", "init=he"],
    ["model=mlp", "model.layers.0.units=7"],
    ["~stats.law", "+stats.law={kind: law}"],
    ["sweep=initializers", "init=normal", "init.sigma=0.01", "seed=2"],
    ["~experiment", "seed=1"],
    ["init={kind: normal, sigma: 0.1}"],
    ["name='a name'", "++dtype=float16", "shard=null"],
    ["data=normal", "data.batch=${seed}", "seed=4"],
]


@pytest.fixture
def composer(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    register()
    start([], None)
    return Composer(compose_once)


def task(config):
    plain = OmegaConf.to_container(config, resolve=False)
    return {key: value for key, value in plain.items() if key != "hydra"}


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_config_is_hydras_own(words, composer):
    for _ in range(2):
        try:
            expected = compose_once(words)
        except COMPOSITION_ERRORS as error:
            with pytest.raises(type(error)) as found:
                composer.compose(words)
            assert str(found.value) == str(error)
        else:
            made = composer.compose(words)
            assert task(made) == task(expected)
            assert composer.hydra(words).runtime.choices == expected.hydra.runtime.choices
            assert task(composer.whole(words)) == task(expected)


def test_one_job_does_not_change_the_next(composer):
    composer.compose(["seed=1", "model.layers.0.units=3", "+init.extra=1"])
    assert task(composer.compose([])) == task(compose_once([]))


@pytest.mark.parametrize(
    "words", [["sead=1"], ["init=norml"], ["init.sigma=1"], ["+init=he"]], ids=" ".join
)
def test_what_hydra_refuses_is_refused_as_it_does(words, composer):
    with pytest.raises(COMPOSITION_ERRORS) as expected:
        compose_once(words)
    with pytest.raises(COMPOSITION_ERRORS) as found:
        composer.compose(words)
    assert str(found.value) == str(expected.value)


def test_hydra_composes_once_for_each_choice_of_groups(composer):
    asked = []
    counting = Composer(lambda words: asked.append(words) or compose_once(words))
    for seed in range(4):
        for kind in ("normal", "he"):
            counting.compose([f"init={kind}", f"seed={seed}"])
    assert asked == [["init=normal"], ["init=he"]]


def test_only_so_many_compositions_are_kept(composer):
    keeping = Composer(lambda words: OmegaConf.create({"hydra": {}}))
    for number in range(KEPT + 5):
        keeping.compose([f"init=x{number}"])
    assert len(keeping._kept) == KEPT
