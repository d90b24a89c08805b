"""`initlab lock` and `initlab verify --lock`: what is written down, and what is
said of what changed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
from altered import Bent
from locks import SMALL

from initlab.runner.check import lock, lockfile
from initlab.runner.evidence.folder import RunFolder

ROOT = Path(__file__).parents[3]


def test_a_lock_holds_every_run_on_a_line_and_the_digests_that_the_runs_themselves_give(
    locked, only_run
):
    path = locked("init=normal,he", "seed=10,2", *SMALL)
    lines = [line for line in path.read_text().splitlines() if line.startswith('{"overrides"')]
    content = json.loads(path.read_text())
    assert [json.loads(line.rstrip(",")) for line in lines] == content["runs"]
    assert [run["overrides"][:2] for run in content["runs"]] == [
        [f"init={i}", f"seed={s}"] for i in ("he", "normal") for s in (2, 10)
    ]
    run = content["runs"][3]
    made = RunFolder(only_run("init=normal", "seed=10", *SMALL)).manifest
    assert (run["run_id"], run["root"]) == (made.run_id, made.digests.root)
    assert run["bits"]["0.weight"].split()[1] == made.digests.tensors["0.weight"][:16]
    assert content["laws"][run["bits"]["0.weight"].split()[0]] == "Normal(0, 0.01)"
    assert content["base"]["init.sigma"] == 0.01
    assert (content["runs"][2]["config"], content["runs"][0]["without"]) == (
        {"seed": 2},
        ["init.sigma"],
    )


def test_the_same_words_give_the_same_text_whatever_is_in_the_environment(locked, said, here):
    path = locked("init=normal,orthogonal", *SMALL)
    first = path.read_text()
    assert str(here) not in first
    assert "unchanged" in said("lock", "init=normal,orthogonal", *SMALL)[1]
    code, out, _ = said("lock", "init=normal,orthogonal", *SMALL, "-o", "other.lock")
    assert (code, out.splitlines()[-1]) == (
        0,
        "other.lock: 2 runs, 8 tensors, 2 of them exact to a tolerance; written",
    )
    assert (here / "other.lock").read_text() == first
    assert not (here / "outputs").exists()
    assert sorted(p.name for p in here.iterdir()) == ["initlab.lock", "other.lock"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["sweep=initializers", "seed=0"], marks=pytest.mark.slow),
        ["experiment=article"],
        ["init=mixed"],
        ["model=shared", "init=normal", "init_mode=eager"],
        ["init=normal", "init_mode=streamed", "probe=none"],
        ["init=orthogonal", "init_mode=streamed", "probe=none"],
        ["init=orthogonal", "dtype=float16"],
        ["model=lenet", "init=delta_orthogonal"],
        ["init=normal", "stream=mxnet-1.9.1"],
    ],
    ids=" ".join,
)
def test_what_was_locked_is_verified_in_a_fresh_process(words, locked, here):
    locked(*words)
    command = [sys.executable, "-m", "runner.verify", "--lock", "initlab.lock"]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=here,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"initlab\.lock: (1 run is|[0-9]+ runs are) as locked\n", done.stdout)


REFUSED = {
    "an option": (["init=norml"], "init: no option 'norml' - did you mean 'normal'?"),
    "a key": (["init=normal", "sead=1,2"], "sead: no such key - did you mean 'seed'?"),
    "a sweep": (
        ["sweep=initialisers"],
        "sweep: no option 'initialisers' - did you mean 'initializers'?",
    ),
    "no word": (["foo"], "foo: is no override"),
    "a value of one run": (
        ["init=normal", "init.sigma=0.1,-1"],
        "init.sigma: must be a positive number, got -1.0",
    ),
    "a plugin": (
        ["init=normal", "--plugin", "none.py"],
        "--plugin none.py: cannot be read (No such file or directory) - give the path of a Python file",
    ),
    "a folder": (
        ["init=normal", "-o", "no/x.lock"],
        "no/x.lock: cannot be written (there is no such folder) - give another file with -o",
    ),
    "a target that is a folder": (
        ["init=normal", "-o", "."],
        ".: cannot be written (it is a folder) - give another file with -o",
    ),
    "code": (["init=normal", "+model._target_=os.system"], "model._target_"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_said_in_a_line_and_nothing_is_written(what, here, said):
    words, message = REFUSED[what]
    code, _, err = said("lock", *words)
    assert (code, message in err) == (2, True), err
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert list(here.iterdir()) == []


def test_a_lock_that_cannot_be_written_leaves_the_old_one(locked, said, monkeypatch, here):
    path = locked("init=normal", *SMALL)
    before = path.read_bytes()

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lockfile.shutil, "copyfileobj", full)
    code, _, err = said("lock", "init=he", *SMALL)
    assert (code, err) == (
        2,
        "error: initlab.lock: cannot be written (No space left on device) - give another file with -o\n",
    )
    assert (path.read_bytes(), list(here.iterdir())) == (before, [path])


def test_a_run_that_breaks_its_invariants_is_not_locked(said, monkeypatch, here):
    again = lock.Recomputed
    monkeypatch.setattr(lock, "Recomputed", lambda config: Bent(again(config), 0.5))
    code, _, err = said("lock", "init=orthogonal", *SMALL)
    assert code == 1
    assert "parameter '1.weight': distance of the Gram matrix from gain^2 I is" in err
    assert list(here.iterdir()) == []


def test_a_plugin_must_be_given_and_its_change_is_said(here):
    def python(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
        )

    source = (ROOT / "examples" / "my_init.py").read_text()
    (here / "my_init.py").write_text(source)
    done = python("runner.lock", "--plugin", "my_init.py", "init=my_init", *SMALL)
    assert done.returncode == 0, done.stderr
    assert (
        python("runner.verify", "--plugin", "my_init.py", "--lock", "initlab.lock").returncode == 0
    )
    done = python("runner.verify", "--lock", "initlab.lock")
    said = "error: initlab.lock: the lock was made with the plugin my_init.py - give it with --plugin my_init.py\n"
    assert (done.returncode, done.stderr) == (2, said)
    done = python("runner.verify", "--plugin", "none.py", "--lock", "initlab.lock")
    assert (done.returncode, "--plugin none.py: cannot be read" in done.stderr) == (2, True)
    (here / "my_init.py").write_text(source + "\n# changed\n")
    done = python("runner.verify", "--plugin", "my_init.py", "--lock", "initlab.lock")
    assert done.returncode == 1
    assert re.search(
        r"config +plugins\[0\]\[1\]: [0-9a-f]{64} -> [0-9a-f]{64} \(all values are the same\)",
        done.stdout,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give folders of runs or sweeps, or --lock FILE"),
        (["x", "--lock", "y"], "give folders of runs or sweeps, or --lock FILE"),
        (["x", "--junit", "y"], "--junit: is for --lock FILE"),
        (["x", "--config-dir", "y"], "--config-dir: is for --lock FILE"),
    ],
)
def test_verify_takes_folders_or_a_lock(words, message, said):
    code, _, err = said("verify", *words)
    assert (code, message in err) == (2, True)


def test_memory_does_not_grow_with_the_values_of_the_runs(here, monkeypatch):
    """Hundreds of runs of 32 kB, of which memory keeps a name each; composing them is not what is
    measured.
    """
    [first] = lock.runs_of(["init=normal", "probe=none"])
    config = first.config
    assert sum(row.bytes for row in config.rows) > 30_000

    def peak(count: int) -> int:
        def runs(words, config_dir):
            for number in range(count):
                yield SimpleNamespace(
                    config=config,
                    member=SimpleNamespace(overrides=["init=normal", f"seed={number}"]),
                )

        monkeypatch.setattr(lock, "runs_of", runs)
        tracemalloc.start()
        try:
            assert lock.write(["init=normal"], here / f"{count}.lock") == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    few, many = peak(105), peak(305)
    assert len(lockfile.read(here / "305.lock").runs) == 305
    assert many - few < 200 * 5000, (few, many)
