"""What can go wrong around a sweep: a second one, a full disk, damaged or foreign files. After
each, `resume=true` ends with all runs finished and verified."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from initlab.runner.check.verify import verify
from initlab.runner.files import locked

ROOT = Path(__file__).parents[3]
SWEEP = ["-m", "init=normal,he", "seed=0,1"]


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "outputs" / "runs" / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run_folders(folder: Path) -> list[Path]:
    return [folder / "outputs" / "runs" / row["run_id"] for row in table(folder)]


@pytest.fixture
def resumed_whole(command, tmp_path):
    """`resumed_whole()` resumes the sweep and proves that it ends with the full table, each run of
    it verified.
    """

    def call() -> str:
        done = command(*SWEEP, "resume=true")
        assert done.code == 0, done.err
        assert [row["state"] for row in table(tmp_path)] == ["completed"] * 4
        assert [verify(folder).code for folder in run_folders(tmp_path)] == [0] * 4
        return done.out

    return call


def test_a_second_sweep_into_the_same_folder_is_refused_and_touches_nothing(
    command, tmp_path, resumed_whole
):
    assert command(*SWEEP).code == 0
    before = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "outputs").rglob("*")
        if path.is_file()
    }
    with locked(tmp_path / "outputs" / "runs"):
        done = command("-m", "init=zero,one")
    assert done.code == 2
    assert done.err == (
        "error: outputs/runs: another sweep is at work in this folder - wait for it to end, or give name=… for a folder of its own\n"
    )
    assert {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "outputs").rglob("*")
        if path.is_file()
    } == before
    assert resumed_whole().count("finished before") == 4


def test_a_sweep_into_another_folder_may_run_beside_it(command, tmp_path):
    assert command(*SWEEP).code == 0
    with locked(tmp_path / "outputs" / "runs"):
        assert command("-m", "init=zero,one", "name=other").code == 0


def test_a_run_that_another_process_is_making_is_waited_for_and_then_taken(command, tmp_path):
    assert command("init=he", "seed=1").code == 0
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with locked(folder):
        words = [sys.executable, "-m", "runner", *SWEEP, "resume=true"]
        process = subprocess.Popen(
            words,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert (
            process.stderr.readline()
            == f"waiting: another process is at work in {folder.relative_to(tmp_path)}\n"
        )
        assert process.poll() is None
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert [line.split()[-2:] for line in out.splitlines() if folder.name in line] == [
        ["(finished", "before)"]
    ]
    assert out.endswith("4 of 4 runs completed: outputs/runs/summary.md\n")


DAMAGES = {
    "an empty status": ("status.json", ""),
    "a status cut short": ("status.json", '{"state": "compl'),
    "a status that is a list": ("status.json", "[1]"),
    "a status of another kind": ("status.json", '{"state": 7, "run_id": null}'),
    "a status of another version": (
        "status.json",
        '{"state": "completed", "run_id": "x", "overrides": [], "pid": 1, "colour": "red"}',
    ),
    "a status that says it runs": (
        "status.json",
        '{"state": "running", "run_id": "x", "overrides": [], "pid": 999999999, "host": "elsewhere"}',
    ),
    "a manifest of another version": ("manifest.json", '{"format": "initlab-manifest-99"}'),
    "a manifest cut short": ("manifest.json", '{"format": "initlab-man'),
    "a snapshot cut short": ("snapshot.safetensors", "short"),
    "statistics cut short": ("stats.json", "{"),
    "a plan of another run": ("plan.json", "{}"),
    "a changed config": (".hydra/config.yaml", "seed: 7"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_made_again_or_its_status_does_not_matter(
    damage, command, tmp_path, resumed_whole
):
    assert command(*SWEEP).code == 0
    name, text = DAMAGES[damage]
    (run_folders(tmp_path)[2] / name).write_text(text)
    resumed_whole()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": "initlab-sweep-9", "runs": []}',
        '{"format": "initlab-sweep-1", "runs": [{}]}',
    ],
)
def test_a_damaged_list_of_runs_is_written_anew(text, command, tmp_path, resumed_whole):
    assert command(*SWEEP).code == 0
    (tmp_path / "outputs" / "runs" / "sweep.json").write_text(text)
    assert resumed_whole().count("finished before") == 4
    assert len(json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())["runs"]) == 4


def test_a_stop_that_a_killed_sweep_left_behind_stops_nothing(command, tmp_path, resumed_whole):
    assert command(*SWEEP).code == 0
    (tmp_path / "outputs" / "runs" / ".stop").touch()
    done = command(*SWEEP, "sweep.on_error=stop")
    assert done.code == 0
    resumed_whole()


def test_a_typo_in_one_swept_value_starts_nothing(command, tmp_path):
    done = command("-m", "init=normal,hee", "seed=0,1")
    assert done.code == 2
    assert done.err.startswith("error: init: no option 'hee' - did you mean 'he'?")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_during_a_sweep_loses_no_finished_run(tmp_path):
    """Runs of 1.3 MB on 4 MB; then room is made and the same command goes on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=4m none {folder}"
    probe = (
        subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True)
        if shutil.which("unshare")
        else None
    )
    if probe is None or probe.returncode:
        pytest.skip("a small file system cannot be mounted here")
    command = f"{sys.executable} -m runner -m seed=0,1,2,3 model.layers.0.units=10000 init=normal"
    again = f"{command} resume=true && {sys.executable} -m runner.verify outputs/runs/normal-*"
    script = f"{mount} && cd {folder} && {command}; echo code $?; mount -o remount,size=50m {folder} && {again}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, env=environment
    )
    first, _, second = done.stdout.partition("code ")
    assert "the disk is full: the run writes 0.00124 GB" in first
    assert first.count("completed  ") in (1, 2, 3)
    assert second.startswith(("1\n", "2\n"))
    assert "4 of 4 runs completed" in second
    assert second.count("verified") == 4
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_a_sweep_whose_folder_disappears_says_so(tmp_path):
    (tmp_path / "vanish.py").write_text(
        "import shutil\nfrom engine import init, streams\n\n"
        "@init.register\nclass Vanish(init.Initializer):\n"
        "    def _init_weight(self, name, data):\n"
        "        if streams.current_seed() == 1:\n            shutil.rmtree('outputs', ignore_errors=True)\n        data[:] = 1\n"
    )
    words = [
        sys.executable,
        "-m",
        "runner",
        "--plugin",
        "vanish.py",
        "-m",
        "init=vanish",
        "seed=0,1,2",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert "disappeared" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    again = subprocess.run(
        [*words[:-1], "seed=0,2", "resume=true"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
