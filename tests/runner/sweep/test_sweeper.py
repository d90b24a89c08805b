"""Sweeps: deterministic folders, no run stops or hides another, what is finished is skipped, and a
kill loses nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from swept import table

ROOT = Path(__file__).parents[3]


def runs(folder: Path, name: str = "runs") -> dict[str, Path]:
    return {
        path.name: path
        for path in (folder / "outputs" / name).iterdir()
        if path.is_dir() and path.name != ".hydra"
    }


def test_a_grid_makes_one_finished_folder_a_combination_with_the_ids_of_single_runs(
    python, tmp_path
):
    done = python("-m", "init=normal,xavier,he", "seed=range(0,5)")
    assert done.returncode == 0, done.stderr
    found = runs(tmp_path)
    assert len(found) == 15
    assert all((folder / "manifest.json").exists() for folder in found.values())
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:15]] == ["completed"] * 15
    assert lines[16].split()[:3] == ["init", "runs", "diagnosis"]
    assert sorted(line.split()[:2] for line in lines[17:20]) == [
        ["he", "5"],
        ["normal", "5"],
        ["xavier", "5"],
    ]
    assert done.stdout.endswith("15 of 15 runs completed: outputs/runs/summary.md\n")
    before = {
        name: json.loads((f / "manifest.json").read_text())["digests"]["root"]
        for name, f in found.items()
    }
    single = python("init=he", "seed=3")
    assert single.returncode == 0
    assert set(runs(tmp_path)) == set(found)
    name = single.stdout.splitlines()[-1].split()[0].rsplit("/", 1)[-1]
    assert (
        json.loads((found[name] / "manifest.json").read_text())["digests"]["root"] == before[name]
    )
    rows = table(tmp_path)
    assert [row["init"] for row in rows] == ["normal"] * 5 + ["xavier"] * 5 + ["he"] * 5
    assert {row["state"] for row in rows} == {"completed"}
    assert all(float(row["output_rms"]) > 0 for row in rows)
    assert (
        (tmp_path / "outputs" / "runs" / "summary.md")
        .read_text()
        .startswith("15 of 15 runs completed\n\n## Settings: ")
    )
    members = json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())
    assert {run["run_id"] for run in members["runs"]} == set(found)


@pytest.mark.parametrize(
    "words",
    [
        ["seed=0,1,0"],
        ["seed=0,1", "init=uniform,uniform"],
        ["seed=0,1", "init=uniform", "init.scale=0.07,0.070"],
    ],
    ids=" ".join,
)
def test_the_same_run_spelled_twice_runs_once(words, python, tmp_path):
    done = python("-m", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 of 2 runs completed: outputs/runs/summary.md\n")
    assert len(runs(tmp_path)) == 2


@pytest.mark.parametrize(
    "word", ["+hydra.callbacks.x._target_=os.system", "+init._target_=os.system,os.getcwd"]
)
def test_a_sweep_cannot_name_code(word, python, tmp_path):
    done = python("-m", "seed=0,1", word)
    assert done.returncode == 2
    assert "is refused" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_experiments_swept_together_keep_their_own_folders(python, tmp_path):
    done = python("-m", "experiment=article,digits")
    assert done.returncode == 0, done.stderr
    assert len(runs(tmp_path, "article")) == len(runs(tmp_path, "digits")) == 1


def test_a_fixed_word_may_be_about_an_option_that_is_swept(command):
    done = command("-m", "init=truncated_normal,normal", "init.std=0.1")
    assert done.code == 2
    assert done.err.startswith(
        "error: init.std: no such key - did you mean 'sigma'? Known: kind, sigma. (in the run init=normal"
    )
    assert command("-m", "init=he,he_uniform", "init.slope=0.1").code == 0


def test_what_was_not_swept_is_no_column(command, tmp_path):
    assert command("-m", "init=normal", "seed=0,1", "dtype=float16").code == 0
    assert list(table(tmp_path)[0])[:3] == ["run_id", "seed", "state"]


def test_a_sweep_without_values_is_one_run(command, tmp_path):
    done = command("-m")
    assert done.code == 0
    [name] = runs(tmp_path)
    assert done.out.startswith(f"completed  {name}  (")


def test_the_same_run_under_two_names_is_two(command, tmp_path):
    assert command("-m", "name=a,b").code == 0
    assert list(runs(tmp_path, "a")) == list(runs(tmp_path, "b"))


def test_a_folder_for_the_sweep_is_honoured(command, tmp_path):
    done = command("-m", "seed=0,1", "hydra.sweep.dir=mine")
    assert done.code == 0
    assert done.out.endswith("2 of 2 runs completed: mine/summary.md\n")
    assert (
        len([path for path in (tmp_path / "mine").iterdir() if (path / "manifest.json").exists()])
        == 2
    )
    assert not (tmp_path / "outputs").exists()


def test_hydras_own_way_to_keep_sweep_parameters_works(command, tmp_path):
    assert command("-m", "hydra.sweeper.params={seed: '0,1'}", "init=he").code == 0
    assert [row["seed"] for row in table(tmp_path)] == ["0", "1"]


def test_planning_a_sweep_writes_nothing(python, tmp_path):
    done = python("-m", "task=plan", "init=normal,he")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing was allocated") == 2
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written_is_refused(python, tmp_path):
    (tmp_path / "outputs").write_text("a file")
    done = python("-m", "seed=0,1")
    assert done.returncode == 2
    assert "error: output folder outputs/runs: cannot be written" in done.stderr
