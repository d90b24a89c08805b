"""`resume=true` and what it stands on: what is finished is kept through kills, damage and refusals,
and nothing else is believed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from initlab.runner.errors import ConfigError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.status import read

ROOT = Path(__file__).parents[3]
SLEEPS = """
import os
import time
from initlab.engine import init, streams

@init.register
class Sleepy(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 2 and not os.path.exists("awake"):
            open("asleep", "w").close()
            time.sleep(60)
        data[:] = 1
"""
SWEEP = ["--plugin", "sleepy.py", "-m", "init=sleepy", "seed=0,1,2,3"]


@pytest.fixture
def begin(tmp_path):
    """`begin(word, …)` starts `python -m runner word …` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = []

    def call(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "runner", *words]
        heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731  a shell's background jobs ignore it
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heard,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def asleep(begin, tmp_path) -> subprocess.Popen[str]:
    """A sweep in the middle of its third run."""
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    process = begin(*SWEEP)
    for _ in range(600):
        if (tmp_path / "asleep").exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    assert (tmp_path / "asleep").exists()
    (tmp_path / "awake").write_text("")
    return process


@pytest.fixture
def code(begin):
    """`code(word, …)` is how `python -m runner word …` ended, in a process of its own: a plugin
    stays loaded in one.
    """

    def call(*words: str) -> int:
        process = begin(*words)
        process.communicate()
        return process.returncode

    return call


def folders(tmp_path: Path) -> list[Path]:
    members = json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())["runs"]
    return [tmp_path / run["folder"] for run in members]


def states(tmp_path: Path) -> list[str]:
    return [read(folder).state for folder in folders(tmp_path)]


def times(found: list[Path]) -> list[int]:
    return [(folder / "manifest.json").stat().st_mtime_ns for folder in found]


def test_a_kill_in_the_middle_loses_nothing_finished_and_a_resumed_sweep_completes(
    asleep, begin, tmp_path
):
    asleep.send_signal(signal.SIGKILL)
    asleep.communicate()
    assert states(tmp_path) == ["completed", "completed", "crashed", "pending"]
    before = times(folders(tmp_path)[:2])
    process = begin(*SWEEP, "resume=true")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.count("finished before") == 2
    assert states(tmp_path) == ["completed"] * 4
    assert times(folders(tmp_path)[:2]) == before


def test_a_sweep_stopped_from_the_keyboard_says_so_and_sums_up(asleep, tmp_path):
    asleep.send_signal(signal.SIGINT)
    out, err = asleep.communicate()
    assert asleep.returncode == 130
    assert err == "error: stopped from the keyboard\n"
    assert out.endswith("2 of 4 runs completed: outputs/runs/summary.md\n")
    assert states(tmp_path) == ["completed", "completed", "failed", "pending"]
    assert read(folders(tmp_path)[2]).error == "KeyboardInterrupt"


def test_finished_runs_are_skipped_and_the_others_are_made(command, tmp_path):
    assert command("-m", "init=normal,he", "seed=0,1").code == 0
    found = folders(tmp_path)
    before = times(found)
    (found[0] / "manifest.json").unlink()
    (found[1] / "manifest.json").write_text("{ damaged")
    (found[2] / "snapshot.safetensors").unlink()
    done = command("-m", "init=normal,he", "seed=0,1,2", "resume=true")
    assert done.code == 0, done.err
    assert done.out.count("finished before") == 1
    now = times(found)
    assert [new != old for new, old in zip(now, before, strict=True)] == [True, True, True, False]
    assert states(tmp_path) == ["completed"] * 6
    assert all(RunFolder(folder).manifest.run_id == folder.name for folder in folders(tmp_path))


def test_without_resume_everything_is_made_again(command, tmp_path):
    assert command("-m", "seed=0,1").code == 0
    before = times(folders(tmp_path))
    done = command("-m", "seed=0,1")
    assert "finished before" not in done.out
    assert all(new != old for new, old in zip(times(folders(tmp_path)), before, strict=True))


def test_a_sweep_takes_up_what_single_runs_finished(command, tmp_path):
    assert command("seed=1").code == 0
    done = command("-m", "seed=0,1", "resume=true")
    assert done.code == 0
    assert done.out.count("finished before") == 1


def test_a_failed_run_is_made_again(code, tmp_path):
    (tmp_path / "moody.py").write_text(
        SLEEPS.replace('open("asleep", "w").close()', 'raise RuntimeError("not awake")')
    )
    words = ["--plugin", "moody.py", "-m", "init=sleepy", "seed=1,2"]
    assert code(*words) == 1
    assert states(tmp_path) == ["completed", "failed"]
    (tmp_path / "awake").write_text("")
    assert code(*words, "resume=true") == 0
    assert states(tmp_path) == ["completed", "completed"]


def test_a_machine_that_cannot_run_a_config_still_keeps_its_finished_run(
    command, tmp_path, monkeypatch
):
    assert command("-m", "seed=0,1").code == 0
    before = times(folders(tmp_path))

    def lacking(dtype: str, stream: str) -> None:
        raise ConfigError.of("", f"{dtype} is not there")

    monkeypatch.setattr("initlab.runner.plan.root._check_dtype", lacking)
    done = command("-m", "seed=0,1", "resume=true")
    assert done.code == 0, done.err
    assert done.out.count("finished before") == 2
    assert times(folders(tmp_path)) == before


def test_a_single_run_replaces_what_a_sweep_said_of_its_folder(code, tmp_path):
    (tmp_path / "moody.py").write_text(
        SLEEPS.replace('open("asleep", "w").close()', 'raise RuntimeError("not awake")')
    )
    assert code("--plugin", "moody.py", "-m", "init=sleepy", "seed=1,2") == 1
    (tmp_path / "awake").write_text("")
    assert code("--plugin", "moody.py", "init=sleepy", "seed=2") == 0
    assert states(tmp_path) == ["completed", "completed"]


def test_the_sweep_is_named_before_its_first_run(asleep, tmp_path):
    content = json.loads((tmp_path / "outputs" / "runs" / "sweep.json").read_text())
    assert content["format"] == "initlab-sweep-1"
    assert content["overrides"] == ["init=sleepy", "seed=0,1,2,3"]
    assert [run["overrides"] for run in content["runs"]] == [
        ["init=sleepy", f"seed={seed}"] for seed in range(4)
    ]
    assert states(tmp_path)[2:] == ["running", "pending"]
    assert not (tmp_path / "outputs" / "runs" / "summary.csv").exists()
