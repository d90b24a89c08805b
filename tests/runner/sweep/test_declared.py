"""Sweeps declared in `conf/sweep/`: grids, cases, unions and exclusions; listed, checked, run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from initlab.runner.sweep.declared import declared
from initlab.runner.sweep.plugin import register


@pytest.fixture
def declare(tmp_path):
    """`declare(text)` writes the sweep `mine` and gives the words that choose it."""

    def call(text: str) -> list[str]:
        file = tmp_path / "my_conf" / "sweep" / "mine.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("# @package _global_\n" + text)
        return ["--config-dir", "my_conf", "sweep=mine"]

    return call


def table(tmp_path: Path, name: str = "mine") -> list[dict[str, str]]:
    with open(tmp_path / "outputs" / name / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


MINE = """
name: mine
sweep:
  grid: {seed: "range(0,2)"}
  cases: [{init: normal, init.sigma: 0.1}, {init: xavier, model: shared}, {init: zero}]
  exclude: [{init.kind: zero, seed: 1}]
"""


def test_a_declared_sweep_runs_its_grid_and_cases_but_not_what_is_excluded(
    declare, command, tmp_path
):
    done = command("-m", *declare(MINE))
    assert done.code == 0, done.err
    assert done.err == ""
    found = [
        (row["init"], row["seed"], row["model"], row["init.sigma"], row["state"])
        for row in table(tmp_path)
    ]
    assert found == [
        ("normal", "0", "mlp", "0.1", "completed"),
        ("normal", "1", "mlp", "0.1", "completed"),
        ("xavier", "0", "shared", "", "completed"),
        ("xavier", "1", "shared", "", "completed"),
        ("zero", "0", "mlp", "", "completed"),
    ]


def test_its_runs_have_the_ids_of_single_runs_with_the_same_settings(
    declare, command, only_run, tmp_path
):
    assert command("-m", *declare(MINE)).code == 0
    alone = only_run("init=xavier", "model=shared", "seed=1", "name=mine")
    assert alone.name in {row["run_id"] for row in table(tmp_path)}
    kept = json.loads((alone / "manifest.json").read_text())
    again = json.loads((alone / "manifest.json").read_text())
    assert kept["digests"] == again["digests"]


def test_a_runs_manifest_and_config_do_not_hold_the_whole_sweep(declare, command, tmp_path):
    assert command("-m", *declare(MINE)).code == 0
    folder = Path(tmp_path / "outputs" / "mine" / table(tmp_path)[0]["run_id"])
    sweep = json.loads((folder / "manifest.json").read_text())["config"]["sweep"]
    assert sweep == {
        "grid": {},
        "cases": [],
        "exclude": [],
        "union": [],
        "on_error": "continue",
        "retries": 0,
    }
    assert "xavier" not in (folder / ".hydra" / "config.yaml").read_text()


def test_the_command_line_narrows_a_declared_sweep(declare, command, tmp_path):
    assert command("-m", *declare(MINE), "seed=1").code == 0
    assert [row["init"] for row in table(tmp_path)] == ["normal", "xavier"]


def test_duplicates_of_a_union_are_run_once(declare, command, tmp_path):
    words = declare(
        "name: mine\nsweep: {union: [{grid: {seed: [0, 1]}}, {grid: {seed: [1, 2], init: uniform}}]}\n"
    )
    done = command("-m", *words, "dry_run=true")
    assert done.code == 0
    assert done.out.endswith("\n3 runs: 3 to run, 1 duplicate removed; nothing was written\n")
    assert command("-m", *words).code == 0
    assert [row["seed"] for row in table(tmp_path)] == ["0", "1", "2"]


def test_a_dry_run_lists_ids_and_states_and_writes_nothing(declare, command, tmp_path):
    words = declare(MINE)
    done = command("-m", *words, "dry_run=true")
    assert done.code == 0
    assert not (tmp_path / "outputs").exists()
    assert done.out.splitlines()[-1] == "5 runs: 5 to run, 1 excluded; nothing was written"
    assert command("-m", *words, "seed=0").code == 0
    done = command("-m", *words, "dry_run=true")
    assert (
        done.out.splitlines()[-1] == "5 runs: 3 finished, 2 to run, 1 excluded; nothing was written"
    )
    listed = [line.split()[:2] for line in done.out.splitlines()[1:6]]
    assert [state for state, _ in listed] == ["finished", "to", "finished", "to", "finished"]
    assert command("-m", *words).code == 0
    ids = {row["run_id"] for row in table(tmp_path)}
    assert all(
        line.split()[1] in ids or line.split()[2] in ids for line in done.out.splitlines()[1:6]
    )


def test_a_dry_run_checks_every_run_and_names_what_is_wrong(command, tmp_path):
    done = command("-m", "init=normal", "init.sigma=0.1,-1,0.2,-2", "dry_run=true")
    assert done.code == 2
    assert done.out.endswith("4 runs: 2 to run, 2 refused; nothing was written\n")
    assert done.err.splitlines() == [
        "error: init.sigma: must be a positive number, got -1.0 (in the run init=normal init.sigma=-1 dry_run=true)",
        "error: init.sigma: must be a positive number, got -2.0 (in the run init=normal init.sigma=-2 dry_run=true)",
    ]
    assert not (tmp_path / "outputs").exists()


def test_a_dry_run_of_one_run_says_where_it_would_go(command, only_run, tmp_path):
    done = command("dry_run=true", "init=he")
    assert done.code == 0 and done.out.startswith("to run  he-seed0-")
    assert not (tmp_path / "outputs").exists()
    only_run("init=he")
    assert command("dry_run=true", "init=he").out.startswith("finished  he-seed0-")


def test_a_declared_sweep_without_m_is_refused(declare, command, tmp_path):
    done = command(*declare(MINE))
    assert done.code == 2
    assert (
        done.err
        == "error: sweep: sweep.grid declares several runs - add -m to run them, and dry_run=true to see them; in Python, declare each of them\n"
    )
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sweep: {grid: {sead: [1, 2]}}", "sead: no such key - did you mean 'seed'?"),
        (
            "sweep: {grid: {init: [normal, norml]}}",
            "init: no option 'norml' - did you mean 'normal'?",
        ),
        (
            "sweep: {cases: [{init: normal, init.sgima: 1}]}",
            "init.sgima: no such key - did you mean 'sigma'?",
        ),
        ("sweep: {gird: {}}", "sweep.gird: no such key - did you mean 'grid'?"),
        ("sweep: {on_error: halt}", "sweep.on_error: cannot be 'halt' - Known: continue, stop."),
        ("sweep: {retries: -1}", "sweep.retries: must be a whole number of at least 0, got -1"),
        (
            "sweep: {grid: {seed: [0, 1]}, exclude: [{inti.kind: zero}]}",
            "sweep.exclude.0.inti.kind: no run has such a key - did you mean 'init'?",
        ),
        (
            "sweep: {grid: {seed: [0, 1]}, exclude: [{seed: [0, 1]}]}",
            "sweep: declares no run: all are excluded",
        ),
        ("sweep: {grid: {dry_run: [true]}}", "sweep.grid.dry_run: cannot be swept over"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_wrong_with_a_declared_sweep_refuses_it_before_anything_starts(
    text, said, declare, command, tmp_path
):
    done = command("-m", *declare(text + "\n"))
    assert done.code == 2
    assert f"error: {said}" in done.err, done.err
    assert done.out == ""
    assert not (tmp_path / "outputs").exists()


def test_an_exclusion_that_leaves_out_nothing_is_a_warning(declare, command):
    done = command(
        "-m",
        *declare("sweep: {grid: {seed: [0, 1]}, exclude: [{seed: 7}, {init: uniform, seed: 1}]}\n"),
    )
    assert done.code == 0
    assert done.err == "warning: sweep.exclude[0] leaves out no run\n"
    assert done.out.endswith("1 of 1 runs completed: outputs/runs/summary.md\n")


def test_an_exclusion_tells_true_from_one_and_takes_lists(declare, command):
    done = command(
        "-m",
        *declare("sweep: {grid: {seed: [0, 1, 2]}, exclude: [{seed: true}, {seed: [1, 2]}]}\n"),
        "dry_run=true",
    )
    assert done.out.endswith("1 run: 1 to run, 2 excluded; nothing was written\n")


def test_the_runs_of_a_sweep_can_be_had_from_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    register()
    runs = list(declared(["sweep=initializers", "seed=0"]))
    assert len(runs) == 8
    assert all(run.config.run_id == run.member.run_id for run in runs)
    assert not list(tmp_path.iterdir())


def test_every_shipped_sweep_can_be_run(command):
    done = command("-m", "sweep=initializers", "dry_run=true")
    assert done.code == 0, done.err
    assert done.out.endswith("24 runs: 24 to run; nothing was written\n")


def test_a_sweep_may_be_declared_or_changed_on_the_command_line(command, tmp_path):
    done = command("-m", "sweep.cases=[{init: he}, {init: zero, seed: 3}]", "dry_run=true")
    assert done.code == 0, done.err
    assert {"he-seed0", "zero-seed3"} == {
        line.split()[2].rsplit("-", 1)[0] for line in done.out.splitlines()[1:3]
    }
    assert done.out.splitlines()[-1] == "2 runs: 2 to run; nothing was written"
    done = command("-m", "sweep=initializers", "sweep.grid.seed=[7]", "dry_run=true")
    assert done.out.splitlines()[-1] == "8 runs: 8 to run; nothing was written"
    done = command("-m", "sweep.exclude=[{seed: 0}]", "seed=0,1", "dry_run=true")
    assert done.out.splitlines()[-1] == "1 run: 1 to run, 1 excluded; nothing was written"
    done = command("-m", "sweep.gird.seed=[7]")
    assert done.err.startswith("error: sweep.gird: no such key - did you mean 'grid'?")
