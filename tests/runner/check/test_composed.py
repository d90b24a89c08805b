"""The files of `.hydra` say what the manifest says, whoever wrote both; every run's own do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from altered import answer, change_manifest, forge_text

CONFIG, WORDS, HYDRA = (f".hydra/{name}.yaml" for name in ("config", "overrides", "hydra"))


@pytest.fixture
def plain(small) -> Path:
    return small("probe=none", "+vars.on=1")


def altered(change):
    """The text of a file of YAML after `change` of its content."""

    def alter(text: str) -> str:
        content = yaml.safe_load(text)
        change(content)
        return yaml.safe_dump(content, sort_keys=False)

    return alter


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda c: c.update(seed=1), "seed"),
        (lambda c: c.update(seeds=1), "seeds"),
        (lambda c: c.pop("threads"), "threads"),
        (lambda c: c.update(report="${x}", reporter="x"), "reporter"),
        (lambda c: c.update(others="${seed}"), "others"),
        (lambda c: c["vars"].update(on=True), "vars.on"),
        (lambda c: c["model"]["layers"].pop(), "model.layers[1].kind"),
    ],
)
def test_the_composed_config_is_that_of_the_manifest(change, place, plain, capsys):
    forge_text(plain, CONFIG, altered(change))
    code, text = answer(plain, capsys)
    assert (code, f"{CONFIG}: {place} is not as in the manifest's config" in text) == (1, True), (
        text
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["hydra"].update(note="x"), "has hydra.note, which nothing sets"),
        (lambda c: c["hydra"]["job"].update(note=[]), "has hydra.job.note, which nothing sets"),
        (
            lambda c: c["hydra"]["job"]["env_set"].update(PATH="x"),
            "has hydra.job.env_set.PATH, which nothing sets",
        ),
        (
            lambda c: c["hydra"]["launcher"].update(n_jobs=3),
            "has hydra.launcher.n_jobs, which nothing sets",
        ),
        (
            lambda c: c["hydra"].update(callbacks={"x": {"_target_": "y"}}),
            "has hydra.callbacks.x._target_, which nothing sets",
        ),
        (
            lambda c: c["hydra"]["job_logging"]["root"].update(file="x"),
            "has hydra.job_logging.root.file, which nothing sets",
        ),
        (
            lambda c: c["hydra"]["overrides"].update(task=["seed=3"]),
            "hydra.overrides.task is not as the manifest's overrides",
        ),
        (
            lambda c: c["hydra"]["overrides"].update(hydra="seed=3"),
            "has hydra.overrides.hydra, which nothing sets",
        ),
        (
            lambda c: c["hydra"]["overrides"].update(hydra=["=("]),
            "has hydra.overrides.hydra, which nothing sets",
        ),
        (lambda c: c.update(note=1), "is no config of Hydra"),
        (lambda c: c.update(hydra=[]), "is no config of Hydra"),
    ],
)
def test_hydras_part_has_no_key_that_nothing_sets(change, said, plain, capsys):
    forge_text(plain, HYDRA, altered(change))
    code, text = answer(plain, capsys)
    assert (code, f"{plain}: {HYDRA}" in text, said in text) == (1, True, True), text


@pytest.mark.parametrize(
    "word",
    [
        "model.share={}",
        "+stats.x={kind: histogram}",
        "+vars.x=nan",
        "+vars.x=[-inf,1e5]",
        "+vars.x=${seed}",
        "hydra/job_logging=disabled",
        "hydra/hydra_logging=default",
        "hydra.job.env_copy=[HOME]",
        "+hydra.job.env_set.B=3",
        "+hydra.job_logging.loggers.x.level=INFO",
        "hydra.mode=RUN",
        "threads=2",
        "sweep.exclude=[{seed: 3}]",
        "objective={figure: 'parameters[0].std'}",
    ],
)
def test_the_files_of_a_run_agree_with_its_manifest(word, small, capsys):
    code, text = answer(small("probe=none", word), capsys)
    assert (code, " verified, " in text) == (0, True), text


UNDECIDING = {
    "task": "'plan', with which no run is made",
    "dry_run": "True, with which no run is made",
    "threads": "must be a whole number",
    "report": "cannot be",
    "sweep": "must be a mapping",
    "sweep.grid": "and a single run has {}",
    "sweep.cases": "and a single run has []",
    "sweep.union": "and a single run has []",
    "sweep.exclude": "and a single run has []",
    "sweep.on_error": "cannot be",
    "sweep.retries": "must be a whole number",
    "expect": "must be a list of claims",
    "control": "must be a list of words",
    "objective": "must be a mapping",
    "tracker": "must be a mapping",
    "tracker.kind": "no tracker",
}
"""Keys of the config that decide no value, and what is said of a value of another type."""


@pytest.mark.parametrize("key", UNDECIDING)
@pytest.mark.parametrize("missing", [False, True], ids=["another type", "missing"])
def test_a_key_that_decides_no_value_is_held_against_its_type(key, missing, plain, capsys):
    def change(config) -> None:
        *above, last = key.split(".")
        for part in above:
            config = config[part]
        config[last] = {"task": "plan", "dry_run": True}.get(last, 1.5)
        if missing:
            del config[last]

    change_manifest(plain, lambda m: change(m["config"]))
    forge_text(plain, CONFIG, altered(change))
    code, text = answer(plain, capsys)
    assert (code, len(text.splitlines())) == (2, 1), text
    assert f"the manifest's config cannot be run: {key}" in text
    assert missing or UNDECIDING[key] in text, text
