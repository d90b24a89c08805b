"""The same sweep under every launcher: the same ids and digests, and no kill loses a run."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PACKAGES = {
    "processes": "hydra_joblib_launcher",
    "ray_local": "hydra_ray_launcher",
    "slurm_local": "hydra_submitit_launcher",
}
LAUNCHERS = sorted(PACKAGES)
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "OPENBLAS_NUM_THREADS": "1",
}
SLEEPS = """
import os
import time
from initlab.engine import init, streams

@init.register
class Sleepy(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 1 and not os.path.exists(os.environ["AWAKE"]):
            with open(os.environ["AWAKE"] + ".pid", "w") as file:
                file.write(str(os.getpid()))
            time.sleep(120)
        data[:] = 1
"""
SWEEP = ["--plugin", "sleepy.py", "-m", "init=sleepy", "seed=0,1,2"]


def installed(launcher: str) -> list[str]:
    """The words that choose a launcher; skips where its package is not installed."""
    if (
        importlib.util.find_spec("hydra_plugins") is None
        or importlib.util.find_spec(f"hydra_plugins.{PACKAGES[launcher]}") is None
    ):
        pytest.skip(f"{PACKAGES[launcher]} is not installed")
    few = {
        "processes": ["hydra.launcher.n_jobs=2"],
        "ray_local": ["+hydra.launcher.ray.init.num_cpus=2"],
        "slurm_local": [],
    }
    return [f"hydra/launcher={launcher}", *few[launcher]]


@pytest.fixture
def begin(tmp_path):
    """`begin(word, …)` starts the runner in a session of its own, all of which ends with the test."""
    started = []

    def call(*words: str) -> subprocess.Popen[str]:
        environment = {**ENVIRONMENT, "AWAKE": str(tmp_path / "awake")}
        command = [sys.executable, "-m", "runner", *words]
        with open(tmp_path / "out.txt", "w") as out, open(tmp_path / "err.txt", "w") as err:
            process = subprocess.Popen(
                command,
                cwd=tmp_path,
                env=environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield call
    for process in started:
        kill_session(process.pid)
        process.wait()


def kill_session(session: int) -> None:
    """Kill whatever is left of a session, Ray's own processes included."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[3]) == session:
                    os.kill(int(entry.name), signal.SIGKILL)
            except (OSError, IndexError, ValueError):
                continue


@pytest.fixture
def run(begin, tmp_path):
    """`run(word, …)` is how the runner ended: its code and what it said."""

    def call(*words: str) -> tuple[int, str, str]:
        code = begin(*words).wait(timeout=180)
        return code, (tmp_path / "out.txt").read_text(), (tmp_path / "err.txt").read_text()

    return call


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "outputs" / "runs" / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, str]:
    found = {}
    for row in table(folder):
        content = json.loads(
            (folder / "outputs" / "runs" / row["run_id"] / "manifest.json").read_text()
        )
        found[row["run_id"]] = content["digests"]["root"]
    return found


@pytest.fixture(scope="session")
def in_process(tmp_path_factory) -> dict[str, str]:
    """Run id -> root digest of a sweep in one process."""
    folder = tmp_path_factory.mktemp("in_process")
    words = [sys.executable, "-m", "runner", "-m", "init=normal,he", "seed=0,1"]
    subprocess.run(words, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    return digests(folder)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ids_and_digests_are_those_of_the_sweep_in_one_process(launcher, run, in_process, tmp_path):
    code, out, err = run("-m", "init=normal,he", "seed=0,1", *installed(launcher))
    assert code == 0, err
    assert digests(tmp_path) == in_process
    assert sum(line.startswith("completed") for line in out.splitlines()) == 4
    assert "4 of 4 runs completed" in out
    names = sorted(
        path.name
        for path in (tmp_path / "outputs" / "runs").iterdir()
        if not path.name.startswith(".")
    )
    assert names == sorted([*in_process, "summary.csv", "summary.md", "sweep.json"])


@pytest.mark.parametrize(("first", "second"), [("slurm_local", "processes"), ("processes", None)])
def test_what_one_launcher_began_another_finishes(first, second, run, in_process, tmp_path):
    assert run("-m", "init=normal", "seed=0,1", *installed(first))[0] == 0
    others = installed(second) if second else []
    code, out, err = run("-m", "init=normal,he", "seed=0,1", "resume=true", *others)
    assert code == 0, err
    assert out.count("finished before") == 2
    assert digests(tmp_path) == in_process


def sleeping(folder: Path, process: subprocess.Popen[str]) -> int:
    """The process that performs the run which sleeps; whatever begins from now on does not sleep."""
    path = folder / "awake.pid"
    for _ in range(1200):
        if path.exists() and path.read_text():
            break
        assert process.poll() is None, (folder / "err.txt").read_text()
        time.sleep(0.05)
    (folder / "awake").touch()
    return int(path.read_text())


def resumed_whole(run, folder: Path, *words: str) -> str:
    code, out, err = run(*SWEEP, *words, "resume=true")
    assert code == 0, err
    assert [row["state"] for row in table(folder)] == ["completed"] * 3
    return out


@pytest.fixture
def verified(tmp_path):
    """`verified()` proves every run of the sweep, by a process that knows the plugin."""

    def call() -> None:
        folders = [
            str(path.parent) for path in (tmp_path / "outputs" / "runs").glob("*/manifest.json")
        ]
        words = [sys.executable, "-m", "runner.verify", "--plugin", "sleepy.py", *folders]
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**ENVIRONMENT, "AWAKE": str(tmp_path / "awake")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("verified") == 3

    return call


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_worker_that_is_killed_takes_no_other_run_with_it(
    launcher, begin, run, verified, tmp_path
):
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    chosen = installed(launcher)
    process = begin(*SWEEP, *chosen)
    os.kill(sleeping(tmp_path, process), signal.SIGKILL)
    code = process.wait(timeout=180)
    states = [row["state"] for row in table(tmp_path)]
    assert code == 0 and states == ["completed"] * 3, (tmp_path / "err.txt").read_text()
    resumed_whole(run, tmp_path, *chosen)
    verified()


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_parent_that_is_killed_loses_nothing_finished(launcher, begin, run, verified, tmp_path):
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    chosen = installed(launcher)
    process = begin(*SWEEP, *chosen)
    worker = sleeping(tmp_path, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if (
        launcher != "ray_local"
    ):  # the worker goes on without it, as a cluster's jobs do, and a resumed sweep would wait for it
        os.kill(worker, 0)
        os.kill(worker, signal.SIGKILL)
    resumed_whole(run, tmp_path, *chosen)
    verified()


def is_alive(process: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def below(parent: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found + [deeper for child in found for deeper in below(child)]


@pytest.mark.parametrize(
    ("launcher", "number"),
    [
        ("processes", signal.SIGTERM),
        ("processes", signal.SIGHUP),
        ("slurm_local", signal.SIGTERM),
        ("ray_local", signal.SIGTERM),
    ],
)
def test_a_sweep_that_is_asked_to_end_leaves_no_worker_behind_and_loses_nothing_finished(
    launcher, number, begin, run, verified, tmp_path
):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the tests were started by nohup, whose processes ignore the signal")
    (tmp_path / "sleepy.py").write_text(SLEEPS)
    chosen = installed(launcher)
    process = begin(*SWEEP, *chosen)
    sleeping(tmp_path, process)
    for _ in range(200):
        done = list((tmp_path / "outputs" / "runs").glob("*/manifest.json"))
        if len(done) == 2:
            break
        time.sleep(0.05)
    workers = list(filter(is_alive, below(process.pid)))  # without those that ended already
    assert len(workers) >= 2
    os.kill(process.pid, number)
    assert process.wait(timeout=30) == 128 + number
    until = time.monotonic() + 10
    while any(map(is_alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_alive, workers))
    ended = {row["seed"]: (row["state"], row["error"]) for row in table(tmp_path)}
    assert ended.pop("1") == ("failed", f"stopped by {number.name}")
    assert [state for state, _ in ended.values()] == ["completed"] * 2
    said = (tmp_path / "err.txt").read_text()
    assert f"error: stopped by {number.name}\n" in said
    assert "Traceback" not in said
    out = resumed_whole(run, tmp_path, *chosen)
    assert out.count("finished before") == 2
    verified()


HANGS = """
from initlab.engine import init, streams

@init.register
class Hanging(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 1:
            WHILE
        data[:] = 1
"""
ENDLESS = {"python": "while True: pass", "c": "sum(range(10**12))"}


@pytest.mark.parametrize(
    ("launcher", "how"),
    [("processes", "python"), ("processes", "c"), ("slurm_local", "c"), ("ray_local", "python")],
)
def test_a_run_that_takes_too_long_times_out_and_the_sweep_goes_on(launcher, how, run, tmp_path):
    (tmp_path / "hanging.py").write_text(HANGS.replace("WHILE", ENDLESS[how]))
    chosen = installed(launcher)
    words = ["--plugin", "hanging.py", "-m", "init=hanging", "seed=0,1,2", "timeout=2", *chosen]
    code, out, err = run(*words)
    states = {row["seed"]: row["state"] for row in table(tmp_path)}
    assert (code, states) == (1, {"0": "completed", "1": "timed out", "2": "completed"}), err
    assert "it took longer than timeout=2 (seconds)" in out
    [folder] = (tmp_path / "outputs" / "runs").glob("*seed1*")
    assert json.loads((folder / "status.json").read_text())["state"] == "timed out"
    assert not (folder / "manifest.json").exists()


KILLS = """
import os
import signal
from initlab.engine import init, streams

@init.register
class Deadly(init.Initializer):
    def _init_weight(self, name, data):
        if streams.current_seed() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        data[:] = 1
"""


def test_a_run_that_kills_its_process_again_and_again_is_the_only_one_that_crashes(run, tmp_path):
    (tmp_path / "deadly.py").write_text(KILLS)
    code, out, err = run(
        "--plugin", "deadly.py", "-m", "init=deadly", "seed=0,1,2,3", *installed("processes")
    )
    assert code == 1
    assert [row["state"] for row in table(tmp_path)] == [
        "completed",
        "crashed",
        "completed",
        "completed",
    ]
    assert "error: the launcher stopped: TerminatedWorkerError" in err
    assert out.endswith("3 of 4 runs completed: outputs/runs/summary.md\n")


def test_where_there_is_no_slurm_nothing_passes_for_finished(run, tmp_path):
    installed("slurm_local")
    assert run("-m", "seed=0,1")[0] == 0
    code, out, err = run("-m", "seed=0,1", "hydra/launcher=slurm")
    assert code == 1
    assert "Could not detect" in err and "Traceback" not in err
    assert [row["state"] for row in table(tmp_path)] == ["pending", "pending"]
    assert out == "0 of 2 runs completed: outputs/runs/summary.md\n"
    assert run("-m", "seed=0,1", "resume=true")[1].count("finished before") == 2


@pytest.mark.parametrize(
    ("chosen", "package", "plugin", "extra"),
    [
        ("processes", "hydra_joblib_launcher", "joblib", "joblib"),
        ("joblib", "hydra_joblib_launcher", "joblib", "joblib"),
        ("ray_local", "hydra_ray_launcher", "ray", "ray"),
        ("ray", "hydra_ray_launcher", "ray", "ray"),
        ("slurm", "hydra_submitit_launcher", "submitit_slurm", "slurm"),
        ("slurm_local", "hydra_submitit_launcher", "submitit_local", "slurm"),
        ("submitit_slurm", "hydra_submitit_launcher", "submitit_slurm", "slurm"),
    ],
)
def test_a_launcher_that_is_not_installed_is_refused_with_its_extra(
    chosen, package, plugin, extra, tmp_path
):
    hiding = f"""
import importlib, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("hydra_plugins.{package}"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hidden())
import pkgutil
walk = pkgutil.walk_packages
pkgutil.walk_packages = lambda *rest, **more: (found for found in walk(*rest, **more) if "{package}" not in found.name)
"""
    (tmp_path / "sitecustomize.py").write_text(hiding)
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    words = [sys.executable, "-m", "runner", "-m", "seed=0,1", f"hydra/launcher={chosen}"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert (
        done.stderr
        == f"error: hydra/launcher: '{plugin}' is not installed - pip install 'initlab[{extra}]'\n"
    )
    assert not (tmp_path / "outputs").exists()
