"""Sweeps: deterministic folders, no run stops or hides another, what is finished is skipped, and a kill loses nothing."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def python(tmp_path):
    """`python(word, …)` runs `python -m runner word …` in a process of its own."""

    def call(*words: str, **options) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "runner", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, **options
        )

    return call


def runs(folder: Path, name: str = "runs") -> dict[str, Path]:
    return {path.name: path for path in (folder / "outputs" / name).iterdir() if path.is_dir()}


def status(folder: Path) -> dict:
    return json.loads((folder / "status.json").read_text(encoding="utf-8"))


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "outputs" / "runs" / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_grid_makes_one_finished_folder_a_combination_with_the_ids_of_single_runs(python, tmp_path):
    done = python("-m", "init=normal,xavier,he", "seed=range(0,5)")
    assert done.returncode == 0, done.stderr
    found = runs(tmp_path)
    assert len(found) == 15
    assert all((folder / "manifest.json").exists() for folder in found.values())
    assert len(done.stdout.splitlines()) == 16
    assert done.stdout.endswith("15 of 15 runs completed: outputs/runs/summary.md\n")
    before = {name: json.loads((f / "manifest.json").read_text())["digests"]["root"] for name, f in found.items()}
    single = python("init=he", "seed=3")
    assert single.returncode == 0
    assert set(runs(tmp_path)) == set(found)
    name = single.stdout.splitlines()[-1].split()[0].rsplit("/", 1)[-1]
    assert json.loads((found[name] / "manifest.json").read_text())["digests"]["root"] == before[name]
    rows = table(tmp_path)
    assert [row["init"] for row in rows] == ["normal"] * 5 + ["xavier"] * 5 + ["he"] * 5
    assert {row["state"] for row in rows} == {"completed"}
    assert all(float(row["output_rms"]) > 0 for row in rows)
    assert (tmp_path / "outputs" / "runs" / "summary.md").read_text().startswith("15 of 15 runs completed\n\n| run_id | init | seed |")
    members = json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())
    assert {run["run_id"] for run in members["runs"]} == set(found)


def test_a_failing_run_neither_stops_nor_hides_the_others(python, tmp_path):
    done = python("-m", "init=normal", "init.sigma=0.1,-1,0.2")
    assert done.returncode == 1
    assert done.stdout.endswith("2 of 3 runs completed: outputs/runs/summary.md\n")
    assert "Traceback" not in done.stdout + done.stderr
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["completed", "failed", "completed"]
    assert rows[1]["error"] == "init.sigma: must be a positive number, got -1.0"
    failed = runs(tmp_path)[rows[1]["run_id"]]
    assert "Traceback" in status(failed)["traceback"]
    assert "init.sigma: must be a positive number" in (failed / "runner.log").read_text()
    assert not (failed / "manifest.json").exists()


RAISES = """
import sys
from engine import init, nd, streams

@init.register
class Moody(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 1:
            raise RuntimeError("not today")
        if streams.current_seed() == 2:
            sys.exit(7)
        data[:] = nd.random.uniform(shape=data.shape)
"""


def test_an_exception_and_an_exit_end_only_their_own_run(python, tmp_path):
    (tmp_path / "moody.py").write_text(RAISES)
    done = python("--plugin", "moody.py", "-m", "init=moody", "seed=0,1,2,3")
    assert done.returncode == 1
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["completed", "failed", "failed", "completed"]
    assert [row["error"] for row in rows] == ["", "RuntimeError: not today", "SystemExit: 7", ""]
    assert "not today" in status(runs(tmp_path)[rows[1]["run_id"]])["traceback"]


def test_resuming_skips_what_is_finished_and_makes_the_rest(python, tmp_path):
    assert python("-m", "init=normal,he", "seed=0,1").returncode == 0
    found = runs(tmp_path)
    times = {name: (folder / "manifest.json").stat().st_mtime_ns for name, folder in found.items()}
    lost = sorted(found)[0]
    (found[lost] / "manifest.json").unlink()
    done = python("-m", "init=normal,he", "seed=0,1,2", "resume=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("finished before") == 3
    now = {name: (folder / "manifest.json").stat().st_mtime_ns for name, folder in runs(tmp_path).items()}
    assert len(now) == 6
    assert {name for name in times if now[name] != times[name]} == {lost}


SLEEPS = """
import time
from engine import init, nd, streams

@init.register
class Sleepy(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 2:
            open("asleep", "w").close()
            time.sleep(60)
        data[:] = 1
"""


def test_a_kill_in_the_middle_loses_nothing_finished(python, tmp_path):
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    words = ["--plugin", "sleepy.py", "-m", "init=sleepy", "seed=0,1,2,3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "runner", *words], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    for _ in range(300):
        if (tmp_path / "asleep").exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    members = json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())["runs"]
    assert len(members) == 4
    finished = [run for run in members if (tmp_path / run["folder"] / "manifest.json").exists()]
    assert [run["overrides"][-1] for run in finished] == ["seed=0", "seed=1"]
    from runner.sweep.status import read

    assert [read(tmp_path / run["folder"]).state for run in members] == ["completed", "completed", "crashed", "pending"]
    times = [(tmp_path / run["folder"] / "manifest.json").stat().st_mtime_ns for run in finished]
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    done = python(*[word.replace("0,1,2,3", "0,1,3") for word in words], "resume=true")
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / run["folder"] / "manifest.json").stat().st_mtime_ns for run in finished] == times


@pytest.mark.parametrize(
    "words", [["seed=0,1,0"], ["seed=0,1", "init=uniform,uniform"], ["seed=0,1", "init=uniform", "init.scale=0.07,0.070"]], ids=" ".join
)
def test_the_same_run_spelled_twice_runs_once(words, python, tmp_path):
    done = python("-m", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 of 2 runs completed: outputs/runs/summary.md\n")
    assert len(runs(tmp_path)) == 2


def test_misspelled_options_are_refused_all_at_once_before_anything_starts(python, tmp_path):
    done = python("-m", "init=normal,norml,xaver", "seed=0,1")
    assert done.returncode == 2
    assert done.stderr.count("error: ") == 2
    assert "init: no option 'norml' - did you mean 'normal'?" in done.stderr
    assert "init: no option 'xaver' - did you mean 'xavier'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("word", ["+hydra.callbacks.x._target_=os.system", "+init._target_=os.system,os.getcwd"])
def test_a_sweep_cannot_name_code(word, python, tmp_path):
    done = python("-m", "seed=0,1", word)
    assert done.returncode == 2
    assert "is refused" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_experiments_swept_together_keep_their_own_folders(python, tmp_path):
    done = python("-m", "experiment=article,digits")
    assert done.returncode == 0, done.stderr
    assert len(runs(tmp_path, "article")) == len(runs(tmp_path, "digits")) == 1


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


def test_a_launcher_that_is_not_installed_is_refused_clearly(python):
    done = python("-m", "seed=0,1", "hydra/launcher=slurmm")
    assert done.returncode == 2
    assert "error: hydra/launcher: no option 'slurmm'" in done.stderr
