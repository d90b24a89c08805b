"""What `initlab run` refuses of Hydra's own flags, and what it leaves to Hydra, and what each answer imports."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--experimental-rerun", "x"], "--experimental-rerun: is refused: it unpickles a file"),
        (["--config-path", "x"], "--config-path: is refused: there is one root config"),
        (["--config-name", "x"], "--config-name: is refused: there is one root config"),
    ],
)
def test_flags_that_would_load_something_else_are_refused(words, said, command):
    done = command(*words)
    assert (done.code, done.err.startswith(f"error: {said}")) == (2, True)


def test_the_composed_config_is_printed_by_hydra(command):
    done = command("--cfg", "job", "init=he")
    assert (done.code, "kind: he" in done.out) == (0, True)


def test_an_answer_imports_what_it_needs_only():
    """`--help` needs no network and no sweep; a run no sweep and no kind that was not chosen."""
    program = (
        "import sys; from initlab.runner.cli import run_command; code = run_command(sys.argv[1:]);"
        "print(); print(*sys.modules)"
    )

    def imported(*words):
        done = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines()[-1].split())

    assert not imported("--help") & {"initlab.runner.declare", "initlab.runner.sweep.sweeper"}
    assert not imported("init=normal", "task=plan") & {
        "initlab.runner.sweep.sweeper",
        "initlab.runner.measures.spectrum",
        "initlab.runner.trackers.mlflow",
        "initlab.runner.theory.meanfield",
        "initlab.runner.report.run_page",
    }
