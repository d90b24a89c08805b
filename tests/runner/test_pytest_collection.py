"""`pytest --initlab`: the runs of locks and experiment files as tests; nothing at all without the
option.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from initlab.runner.cli import run_command

ROOT = Path(__file__).parents[2]
SMALL = [
    "model.layers=[{kind: dense, units: 4, activation: relu}, {kind: dense, units: 2}]",
    "model.input=[3]",
    "probe=none",
]


@pytest.fixture
def tested(tmp_path):
    """`tested(word, …)` runs pytest with the plugin in a process and folder of its own; gives (exit
    code, what it printed).
    """
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")

    def call(*words: str) -> tuple[int, str]:
        plugin = ["-p", "initlab.pytest_plugin", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *plugin, *words]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the entry point would register it once more
        }
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert "INTERNALERROR" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.fixture
def locked(command, tmp_path) -> Path:
    """A lock of four runs, and an ordinary test beside it."""
    assert run_command(["lock", "init=normal,he", "seed=0,1", *SMALL]) == 0
    (tmp_path / "test_ordinary.py").write_text("def test_ordinary():\n    pass\n")
    return tmp_path / "initlab.lock"


def change(path: Path, alter) -> None:
    content = json.loads(path.read_text())
    alter(content)
    path.write_text(json.dumps(content))


def test_the_plugin_is_declared_as_an_entry_point_that_exists():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "pytest11"
    ]
    assert declared == {"initlab": "initlab.pytest_plugin"}
    assert hasattr(importlib.import_module(declared["initlab"]), "pytest_addoption")


def test_without_the_option_nothing_is_collected_imported_or_changed(tested, locked, tmp_path):
    (tmp_path / "test_ordinary.py").write_text(
        "import sys\n\n\ndef test_ordinary(request):\n"
        "    ours = [m for m in sys.modules if m.split('.')[0] in ('initlab', 'hydra', 'omegaconf', 'numpy')]\n"
        "    assert ours == ['initlab', 'initlab.pytest_plugin']\n"
        "    assert not request.config.pluginmanager.hasplugin('initlab-collection')\n"
    )
    code, out = tested("-v", "-p", "no:hypothesispytest", "-p", "no:hydra_pytest")
    assert (code, "1 passed" in out, "initlab.lock" in out) == (0, True, False), out


def test_a_lock_given_alone_is_all_that_is_tested_a_test_a_run(tested, locked):
    code, out = tested("--initlab", "initlab.lock", "-v")
    assert (code, "4 passed" in out, "ordinary" in out) == (0, True, False), out
    run = json.loads(locked.read_text())["runs"][0]
    assert f"initlab.lock::{run['run_id']} {' '.join(run['overrides'])}" in out


@pytest.mark.parametrize(
    "words",
    [["--initlab", "."], [".", "--initlab"], ["test_ordinary.py", "--initlab", "initlab.lock"]],
    ids=" ".join,
)
def test_locks_are_tested_beside_what_else_is_collected(words, tested, locked):
    code, out = tested(*words)
    assert (code, "5 passed" in out) == (0, True), out


def test_a_failure_is_the_row_of_what_changed_without_a_traceback(tested, locked, tmp_path):
    def alter(content):
        content["base"]["init.sigma"] = 0.5
        content["words"][1] = "seed=0,2"

    change(locked, alter)
    code, out = tested("--initlab", "initlab.lock", "--junitxml", "report.xml")
    assert (code, "5 failed, 1 passed" in out) == (1, True), out
    assert "\nconfig: init.sigma: 0.5 -> 0.01 (all values are the same)\n" in out
    assert "\nnew run: the lock does not hold it\n" in out
    assert "\nmissing run: the lock's words declare it no longer\n" in out
    assert "Traceback" not in out
    assert ".py:" not in out
    report = ElementTree.parse(tmp_path / "report.xml").getroot()
    messages = [failure.get("message") for failure in report.iter("failure")]
    assert len(messages) == 5
    assert "config: init.sigma: 0.5 -> 0.01 (all values are the same)" in messages


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (
            lambda path: path.write_bytes(path.read_bytes()[:-30]),
            "initlab.lock: the lock is damaged (",
        ),
        (
            lambda path: change(path, lambda c: c.update(format="x")),
            "initlab.lock: this is no lock of format initlab-lock-1, found 'x' - write it",
        ),
        (
            lambda path: change(path, lambda c: c["words"].append("sead=1")),
            "initlab.lock: sead: no such key - did you mean 'seed'?",
        ),
        (
            lambda path: change(path, lambda c: c["plugins"].update({"my.py": "0" * 64})),
            "the lock was made with the plugin my.py - give it with",
        ),
    ],
)
def test_a_lock_that_cannot_be_used_is_one_line_of_collection(alter, message, tested, locked):
    alter(locked)
    code, out = tested("--initlab", "initlab.lock")
    said = out.partition("ERROR collecting initlab.lock")[2].splitlines()
    assert code == 2
    assert message in said[1]
    assert said[2].startswith("====")


def test_a_missing_plugin_is_one_line(tested, locked):
    code, out = tested("--initlab", "initlab.lock", "--initlab-plugin", "none.py")
    assert (
        code,
        "\n--plugin none.py: cannot be read (No such file or directory) - give the path of a Python file\n"
        in out,
    ) == (
        2,
        True,
    ), out


def test_a_file_that_is_none_of_ours_is_refused_and_one_that_is_not_there_too(
    tested, locked, tmp_path
):
    (tmp_path / "notes.txt").write_text("x")
    code, out = tested("--initlab", "notes.txt")
    assert (
        code,
        "notes.txt: is neither a lock (.lock) nor a YAML file in a folder called experiment or sweep - give"
        in out,
    ) == (
        2,
        True,
    ), out
    code, out = tested("--initlab", "nowhere.lock")
    assert (code, "file or directory not found: nowhere.lock" in out) == (4, True)


def test_locks_of_other_tools_are_left_alone(tested, locked, tmp_path):
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "second.lock").write_text(locked.read_text())
    code, out = tested("--initlab", ".")
    assert (code, "9 passed" in out) == (0, True), out


def experiment(
    folder: Path, name: str, group: str = "experiment", init: str = "normal", **more: str
) -> Path:
    """A user's own experiment file."""
    file = folder / group / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# @package _global_",
        "defaults:",
        f"  - override /init: {init}",
        "  - override /probe: none",
        f"name: {name}",
    ]
    file.write_text("\n".join([*lines, *(f"{key}: {value}" for key, value in more.items())]) + "\n")
    return file


def test_experiments_and_sweeps_of_ones_own_are_run_and_verified(tested, tmp_path):
    experiment(tmp_path / "conf", "good")
    experiment(tmp_path / "conf", "many", "sweep", sweep="{grid: {seed: 'range(0,3)'}}")
    (tmp_path / "conf" / "experiment" / "none.yaml").write_text("# @package _global_\n")
    code, out = tested("--initlab", "conf", "-v")
    assert (code, "2 passed" in out) == (0, True), out
    assert "conf/experiment/good.yaml::experiment=good PASSED" in out
    assert "conf/sweep/many.yaml::sweep=many PASSED" in out
    assert not (tmp_path / "outputs").exists()


def test_our_own_experiments_are_tests_too(tested):
    code, out = tested(
        "--initlab",
        str(ROOT / "conf" / "experiment" / "article.yaml"),
        f"--rootdir={ROOT}",
        "-c",
        "pytest.ini",
    )
    assert (code, "1 passed" in out) == (0, True), out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"seed": "-1"}, "seed: must be a whole number from 0 to 2^64-1, got -1"),
        ({"sead": "1"}, "sead: no such key - did you mean 'seed'?"),
        ({"init": "norml"}, "init: no option 'norml' - did you mean 'normal'?"),
        (
            {"init": "orthogonal", "snapshot": "{kind: none}"},
            "experiment=bad: parameter '0.weight' is unverifiable: its law Haar(1)",
        ),
    ],
)
def test_an_experiment_that_fails_says_why_without_a_traceback(more, message, tested, tmp_path):
    experiment(tmp_path / "conf", "bad", **more)
    code, out = tested("--initlab", "conf")
    assert (code, "1 failed" in out, "Traceback" in out) == (1, True, False), out
    assert message in out.partition("experiment=bad ____")[2]


def claim(id: str, predicted: float, **more: str) -> str:
    options = {
        "id": id,
        "cite": "'Nobody 2020'",
        "quantity": "layers.*.rms.mean",
        "predicted": predicted,
        "error": 0,
        "within": 1,
    } | more
    return "{" + ", ".join(f"{key}: {value}" for key, value in options.items()) + "}"


def test_each_claim_of_an_experiment_is_a_test_with_its_row_as_the_message(tested, tmp_path):
    expect = f"[{claim('right', 0.5, floor='1')}, {claim('wrong', 700)}, {claim('vague', 0.5, error='runs')}]"
    experiment(
        tmp_path / "conf", "claimed", probe="{}", measure="{layers: {kind: layers}}", expect=expect
    )
    code, out = tested("--initlab", "conf", "-v")
    assert (code, "2 failed, 1 passed" in out, "Traceback" in out) == (1, True, False), out
    assert "conf/experiment/claimed.yaml::experiment=claimed: right PASSED" in out
    assert "claim wrong  predicted 700  measured " in out and "verdict refuted" in out
    assert "layers.*.rms.mean: Nobody 2020" in out
    assert "verdict inconclusive" in out and "one sample has no error" in out


def test_invalid_claims_are_an_error_of_collection(tested, tmp_path):
    experiment(
        tmp_path / "conf",
        "claimed",
        measure="{layers: {kind: layers}}",
        expect=f"[{claim('a', 1, quantity='layers.*.rsm.mean')}]",
    )
    code, out = tested("--initlab", "conf")
    assert code == 2
    assert (
        "expect.0 (a): 'layers.*.rsm.mean': layers has no column 'rsm' - did you mean 'rms'?" in out
        and "Traceback" not in out
    )


def test_an_experiment_that_ours_would_hide_is_refused(tested, tmp_path):
    experiment(tmp_path / "conf", "article")
    code, out = tested("--initlab", "conf")
    said = "conf/experiment/article.yaml: initlab has experiment=article of its own, which would be run - give the file another name"
    assert (code, said in out) == (2, True), out


def test_a_test_that_uses_hydra_itself_is_not_disturbed_and_disturbs_nothing(
    tested, locked, tmp_path
):
    experiment(tmp_path / "conf", "good")
    (tmp_path / "test_ordinary.py").write_text(
        "from hydra import compose, initialize_config_dir\nfrom hydra.core.global_hydra import GlobalHydra\n\n\n"
        "def test_own(tmp_path):\n    assert not GlobalHydra.instance().is_initialized()\n"
        "    (tmp_path / 'x.yaml').write_text('a: 1')\n"
        "    with initialize_config_dir(version_base='1.3', config_dir=str(tmp_path)):\n        assert compose('x').a == 1\n"
        "    GlobalHydra.instance().clear()\n"
    )
    code, out = tested("conf", "test_ordinary.py", "initlab.lock", "test_ordinary.py", "--initlab")
    assert (code, "6 passed" in out) == (0, True), out


def test_the_seed_and_the_names_of_blocks_in_other_tests_are_left_alone(tested, locked, tmp_path):
    experiment(tmp_path / "conf", "good")
    text = (
        "from initlab.engine import naming, streams\nfrom initlab.engine.gluon import nn\n\n\n"
        "def test_{name}():\n"
        "    streams.seed(7) if {number} == 0 else None\n"
        "    naming._state.counters.clear() if {number} == 0 else None\n"
        "    assert (streams.current_seed(), nn.Dense(1).prefix) == (7, 'dense{number}_')\n"
    )
    for number, name in enumerate(("first", "second")):
        (tmp_path / f"test_{name}.py").write_text(text.format(name=name, number=number))
    code, out = tested("test_first.py", "conf", "initlab.lock", "test_second.py", "--initlab")
    assert code == 0, out


def test_options_and_plugins_of_ones_own_are_given_by_name(tested, tmp_path):
    (tmp_path / "conf" / "init").mkdir(parents=True)
    (tmp_path / "conf" / "init" / "ours.yaml").write_text(
        "# @package _global_.init\nkind: my_init\n"
    )
    (tmp_path / "my_init.py").write_text((ROOT / "examples" / "my_init.py").read_text())
    words = ["--plugin", "my_init.py", "--config-dir", "conf", "init=ours", *SMALL]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
    }  # in this process the plugin would stay known to other tests
    subprocess.run(
        [sys.executable, "-m", "runner.lock", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    code, out = tested(
        "--initlab",
        "initlab.lock",
        "--initlab-plugin",
        "my_init.py",
        "--initlab-config-dir",
        "conf",
    )
    assert (code, "1 passed" in out) == (0, True), out
    code, out = tested("--initlab", "initlab.lock", "--initlab-plugin", "my_init.py")
    assert (code, "\ninitlab.lock: init: no option 'ours'" in out) == (2, True), out


def test_a_search_is_skipped_with_its_reason(tested):
    code, out = tested("--initlab", str(ROOT / "conf" / "sweep" / "tune_sigma.yaml"), "-rs")
    assert code == 0
    assert "run it with hydra/sweeper=optuna" in out and "1 skipped" in out
