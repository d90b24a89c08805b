"""A config composed once for each choice of groups is the config that Hydra composes from the same
words.
"""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from initlab.runner.config.compose import COMPOSITION_ERRORS, compose_once, start
from initlab.runner.config.identity import declaration_of
from initlab.runner.sweep.composer import KEPT, Composer
from initlab.runner.sweep.plugin import register

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
    ["name=2024", "resume=1"],
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


BARE = {"hydra": {"sweep": {}, "runtime": {"choices": {}}}}


def test_only_so_many_compositions_are_kept(composer):
    keeping = Composer(lambda words: OmegaConf.create(BARE))
    for number in range(KEPT + 5):
        keeping.compose([f"init=x{number}"])
    assert len(keeping._kept) == KEPT


LIKE = [
    ["seed=3", "seed=4", "seed=0"],
    ["init=normal init.sigma=0.3 seed=1", "init=normal init.sigma=1 seed=2"],
    ["init.scale=1 init.scale=2", "init.scale=3 init.scale=0.5"],
    ["name=a", "name='a b'", "name=true", "name=3", "name='é: #'", "name='null'"],
    ["data=normal data.batch=${seed} seed=4", "data=normal data.batch=${seed} seed=5"],
    ["+vars.n=3 seed=1", "+vars.n=3 seed=2"],
    ["model.layers.0.units=7", "model.layers.0.units=8"],
    ["device.index=0", "device.index=1"],
    ["name=2024 resume=1", "name=7 resume=0"],
    ["threads=2", "threads=null"],
    ["dtype=float16 stream=initlab-1", "dtype=float32 stream=mxnet-1.9.1"],
    ["init.scale='???' seed=1", "init.scale=2 seed=1"],
    ["experiment=digits seed=1 resume=true", "experiment=digits seed=2 resume=false"],
]


@pytest.mark.parametrize("jobs", LIKE, ids=lambda jobs: jobs[0])
def test_jobs_that_share_a_template_declare_what_each_declares_alone(jobs, composer):
    for job in (*jobs, *jobs):
        words = job.split(" ") if "'a b'" not in job and "#" not in job else [job]
        alone = composer.compose(words)
        made = composer.job(words)
        assert made.declaration().resolved == declaration_of(alone).resolved
        assert made.declaration().words == tuple(words)
        assert made.text() == OmegaConf.to_yaml(alone)
        assert made.config == alone
        assert not made.refused


def test_a_value_of_the_wrong_type_is_refused_and_spoils_no_later_job(composer):
    assert composer.job(["init.scale=0.5", "seed=1"]).declaration().resolved["seed"] == 1
    with pytest.raises(COMPOSITION_ERRORS) as expected:
        composer.compose(["init.scale=wide", "seed=2"])
    with pytest.raises(COMPOSITION_ERRORS) as found:
        composer.job(["init.scale=wide", "seed=2"])
    assert str(found.value) == str(expected.value)
    made = composer.job(["init.scale=0.25", "seed=3"])
    alone = declaration_of(composer.compose(["init.scale=0.25", "seed=3"]))
    assert made.declaration().resolved == alone.resolved


def test_what_a_job_does_to_its_config_reaches_no_other(composer):
    composer.job(["seed=1"]).declaration().resolved["model"]["layers"].clear()
    assert composer.job(["seed=2"]).declaration().resolved["model"]["layers"]
