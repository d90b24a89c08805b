"""What a config may set under `hydra`: little from a file, more from the command line, code never.

The tests write files of a user's own, as an attacker would who gives a colleague a folder of options,
a sweep file or a lock.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hydra.conf import HydraConf
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from initlab.runner.config import permissions
from initlab.runner.config.compose import compose_once, start
from initlab.runner.config.hydra_internals import borrowing_hydra
from initlab.runner.config.permissions import Typed, check
from initlab.runner.config.permitted import COMPUTED, LAUNCHERS
from initlab.runner.errors import ConfigError
from initlab.runner.sweep.plugin import register


@pytest.fixture(scope="module")
def composed():
    """Return the config that words compose, as a user's files leave it."""

    def compose(*words):
        with borrowing_hydra():
            register()
            start(list(words), None)
            return compose_once(list(words))

    return compose


def refusal(config, *words):
    with borrowing_hydra(), pytest.raises(ConfigError) as error:
        register()
        start([], None)
        check(config, Typed.of(words))
    return [str(problem) for problem in error.value.problems]


def accept(config, *words):
    with borrowing_hydra():
        register()
        start([], None)
        check(config, Typed.of(words))


def altered(config, place, value):
    """Return a copy in which a file of a user's set `place`."""
    other = config.copy()
    OmegaConf.set_struct(other, False)
    with open_dict(other):
        OmegaConf.update(other, place, value, force_add=True)
    return other


def leaves(tree, place="hydra"):
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from leaves(value, f"{place}.{key}")
    else:
        yield place


MAPPINGS = {"hydra.job.env_set": "PATH", "hydra.env": "x", "hydra.callbacks": "x"}
"""Mappings that are empty in Hydra's own tree, and a key that a file could add."""
OTHERS = {
    "hydra.launcher.setup": ["touch x"],
    "hydra.launcher.additional_parameters": {"wrap": "touch x"},
    "hydra.launcher.ray.init.address": "10.0.0.1:6379",
    "hydra.launcher.ray.init.runtime_env": {"env_vars": {"PATH": "/x"}},
    "hydra.launcher.ray.init._system_config": {"x": 1},
    "hydra.launcher.pre_dispatch": "__import__('os')",
    "hydra.launcher.temp_folder": "/x",
    "hydra.launcher.backend": "x",
    "hydra.launcher.submitit_folder": "/x",
    "hydra.launcher._recursive_": False,
    "hydra.launcher._args_": ["x"],
    "hydra.overrides.hydra": ["hydra.job.env_set.PATH=/x"],
    "hydra.job_logging.handlers.file": {"class": "logging.FileHandler", "filename": "rich.py"},
    "hydra.job_logging.formatters.plain.format": "import os",
    "hydra.hydra_logging.handlers.console.class": "logging.FileHandler",
    "hydra.hydra_logging.root.level": "DEBUG",
    "hydra.callbacks.x": {"_target_": "os.system"},
}


def test_a_file_can_set_no_key_of_hydras_own_tree_but_those_of_the_list(composed):
    config = composed("init=normal")
    tree = OmegaConf.to_container(OmegaConf.structured(HydraConf), enum_to_str=True)
    whole = OmegaConf.to_container(config.hydra, resolve=False, enum_to_str=True)
    found = {*leaves(tree), *leaves(whole)} - {"hydra.defaults"}
    places = {one for one in found if not any(other.startswith(f"{one}.") for other in found)}
    assert len(places) > 40
    kept = set()
    for place in sorted(places):
        place = f"{place}.{MAPPINGS[place]}" if place in MAPPINGS else place
        if permissions._matches(place, COMPUTED):
            continue
        number = 0 if place.endswith("_logging.version") else 1  # which Hydra ships
        try:
            other = altered(config, place, number)
        except OmegaConfBaseException:  # a list
            other = altered(config, place, ["x"])
        try:
            accept(other)
            kept.add(place)
        except ConfigError as error:
            assert place.startswith(error.problems[0].place.split("_target_")[0].rstrip("."))
    assert kept == {
        "hydra.job.chdir",
        "hydra.mode",
        "hydra.sweeper.max_batch_size",
        "hydra.sweeper.params",
    }


@pytest.mark.parametrize("target", sorted(LAUNCHERS))
def test_a_file_sets_plain_options_of_a_launcher_and_no_others(target, composed):
    option, names = LAUNCHERS[target]
    with borrowing_hydra():
        register()
        if f"{option}.yaml" not in ConfigStore.instance().list("hydra/launcher"):
            pytest.skip(f"the launcher {option} is not installed")
    word = f"hydra/launcher={option}"
    config = composed(word)
    accept(config, word)
    node = OmegaConf.to_container(config.hydra.launcher, resolve=False)
    for place in leaves(node, "hydra.launcher"):
        name = place.removeprefix("hydra.launcher.")
        if name in names.split():
            accept(altered(config, place, 3), word)
            with suppress(OmegaConfBaseException):  # or Hydra refuses it by its type
                assert place in refusal(altered(config, place, "a\ntouch x"), word)[0]
        elif place != "hydra.launcher._target_":
            with suppress(OmegaConfBaseException):
                assert place in refusal(altered(config, place, 3), word)[0]


@pytest.mark.parametrize("place", sorted(OTHERS))
@pytest.mark.parametrize("launcher", ["submitit_slurm", "ray", "joblib"])
def test_what_runs_commands_sets_an_environment_or_writes_files_is_refused_in_a_file(
    place, launcher, composed
):
    pytest.importorskip({"submitit_slurm": "submitit", "ray": "ray", "joblib": "joblib"}[launcher])
    word = f"hydra/launcher={launcher}"
    [line, *_] = refusal(altered(composed(word), place, OTHERS[place]), word)
    assert line.startswith(place)


@pytest.mark.parametrize(
    "word",
    [
        "hydra.launcher.setup=[module load cuda]",
        "+hydra.launcher.additional_parameters={mail-type: END}",
        "hydra.launcher.partition=short",
        "+hydra.job.env_set.OMP_NUM_THREADS=1",
        "hydra.job.env_copy=[HOME]",
        "hydra.job_logging.root.level=DEBUG",
        "+hydra.job_logging.handlers.file={class: logging.FileHandler, filename: x.log}",
        "hydra.job_logging.handlers.console.stream=ext://sys.stdout",
        "hydra/job_logging=disabled",
        "hydra/hydra_logging=default",
        "hydra.sweep.dir=mine",
        "hydra.launcher.name='${name}'",
    ],
)
def test_a_person_may_type_it(word, composed):
    pytest.importorskip("submitit")
    words = ["hydra/launcher=submitit_slurm", word]
    accept(composed(*words), *words)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hydra.launcher._target_=x.y", "hydra.launcher._target_: 'x.y' is refused"),
        ("+hydra.callbacks.x._target_=x.y", "hydra.callbacks.x._target_: 'x.y' is refused"),
        (
            "+hydra.job.env_set.INITLAB_PLUGINS=x.py",
            "hydra.job.env_set: INITLAB_PLUGINS is refused",
        ),
        ("+hydra.job_logging.handlers.x={class: os.x}", "handlers.x.class: 'os.x' is refused"),
        ("hydra.job_logging.handlers.console.stream=ext://x.y", "cannot name code to import"),
        ("hydra.help.header=x", "hydra.help.header: cannot be set: InitLab does not use it"),
        ("hydra.output_subdir=x", "hydra.output_subdir: cannot be set"),
        ("hydra.launcher='${vars}'", "hydra.launcher: must be a mapping of its own"),
    ],
)
def test_code_is_refused_wherever_it_comes_from(word, said, composed):
    [line] = refusal(composed(word), word)
    assert said in line


def test_an_interpolation_is_judged_by_what_it_resolves_to(composed):
    pytest.importorskip("joblib")
    words = ["hydra/launcher=joblib", "+vars.jobs=3", "+vars.odd='${oc.decode:\"{_target_: x}\"}'"]
    config = composed(*words)
    fine = altered(config, "hydra.launcher.n_jobs", "${vars.jobs}")
    accept(fine, *words)
    assert OmegaConf.to_container(fine.hydra.launcher, resolve=False)["n_jobs"] == 3
    [line] = refusal(altered(config, "hydra.launcher.n_jobs", "${vars.odd}"), *words)
    assert line.startswith("hydra.launcher.n_jobs: '${vars.odd}' is refused")


def test_no_config_makes_a_mapping_by_an_interpolation(command):
    done = command("+vars.a='${oc.create:{_target_: os.system}}'")
    assert done.code == 2
    assert "oc.create" in done.err and "Traceback" not in done.err


EVIL = {
    "launcher": {
        "defaults": [{"override /hydra/launcher": "submitit_slurm"}],
        "vars": {"a": "${oc.create:{_target_: pathlib.Path.write_text}}"},
        "hydra": {"launcher": {"additional_parameters": {"a": "${vars.a}"}}},
    },
    "logging": {
        "hydra": {
            "job_logging": {
                "formatters": {"plain": {"format": "import os"}},
                "handlers": {"console": {"class": "logging.FileHandler", "filename": "rich.py"}},
            }
        }
    },
    "environment": {"hydra": {"job": {"env_set": {"PATH": "/x", "NUMBA_CACHE_DIR": "/x"}}}},
    "setup": {
        "defaults": [{"override /hydra/launcher": "submitit_slurm"}],
        "hydra": {"launcher": {"setup": ["touch x"]}},
    },
    "words": {"hydra": {"overrides": {"hydra": ["hydra.job.env_set.PATH=/x"]}}},
}


@pytest.mark.parametrize("flags", [[], ["-m"]], ids=["run", "sweep"])
@pytest.mark.parametrize("name", sorted(EVIL))
def test_a_file_of_a_users_own_is_judged_before_anything_starts(name, flags, command, tmp_path):
    pytest.importorskip("submitit")
    folder = tmp_path / "mine" / "experiment"
    folder.mkdir(parents=True)
    text = yaml.safe_dump(EVIL[name], sort_keys=False)
    (folder / "evil.yaml").write_text(f"# @package _global_\n{text}")
    before = sorted(tmp_path.rglob("*"))
    done = command(*flags, "--config-dir", str(tmp_path / "mine"), "experiment=evil")
    assert done.code == 2
    assert "error: " in done.err and "Traceback" not in done.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [["init=he,wide"], ["init=wide", "seed=0,1"], ["sweep.cases=[{init: he}, {init: wide}]"]],
    ids=" ".join,
)
def test_no_run_of_a_sweep_brings_code_of_its_own(words, command, tmp_path):
    folder = tmp_path / "mine" / "init"
    folder.mkdir(parents=True)
    text = "# @package _global_\ndefaults: [/schema/init/he@init, _self_]\nhydra:\n  callbacks:\n    x: {_target_: os.system}\n"
    (folder / "wide.yaml").write_text(text)
    done = command("-m", "--config-dir", str(tmp_path / "mine"), *words)
    assert "hydra.callbacks.x._target_: 'os.system' is refused" in done.err
    assert not (tmp_path / "outputs").exists()


def test_a_search_path_is_refused_since_it_can_name_a_package(command, tmp_path, monkeypatch):
    (tmp_path / "mischief").mkdir()
    (tmp_path / "mischief" / "__init__.py").write_text("open('imported', 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for flags in ([], ["-m"], ["--hydra-help"], ["--cfg", "job"], ["--info"]):
        command(*flags, "hydra.searchpath=[pkg://mischief]")
    assert not Path("imported").exists()
    done = command("hydra.searchpath=[file://mine]")
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            "error: hydra.searchpath: is refused: it can name a package to import - give --config-dir FOLDER"
        ],
    )


def test_a_lock_sets_nothing_of_hydra(command, tmp_path):
    assert command("lock", "seed=0,1").code == 0
    lock = Path("initlab.lock")
    content = json.loads(lock.read_text())
    for word in ("hydra.searchpath=[pkg://mischief]", "+hydra.job.env_set.PATH=/x"):
        lock.write_text(json.dumps({**content, "words": [*content["words"], word]}))
        done = command("verify", "--lock", "initlab.lock")
        assert done.code == 2
        assert f"{word}: is refused: a lock cannot set a key of hydra" in done.err


def test_plugins_of_hydra_come_from_installed_packages_only(tmp_path):
    import os
    import subprocess
    import sys

    evil = tmp_path / "hydra_plugins" / "evil"
    evil.mkdir(parents=True)
    (evil / "__init__.py").write_text("open('imported', 'w').close()\n")
    root = Path(permissions.__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(tmp_path)])}
    done = subprocess.run(
        [sys.executable, "-m", "initlab", "init=normal", "dry_run=true"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "imported").exists()
