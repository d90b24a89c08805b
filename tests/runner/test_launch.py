"""What `initlab run` refuses of Hydra's own flags, and what it leaves to Hydra, and what each answer imports."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from initlab.runner.config import schema
from initlab.runner.config.hydra_internals import ROOT_KEYS


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--package", "init"], "--package: is for --cfg, which prints a config - add --cfg job"),
        (["--resolve"], "--resolve: is for --cfg, which prints a config - add --cfg job"),
        (["-m", "--cfg", "job"], "--multirun --cfg: cannot be given together - leave one out"),
        (["-m", "--cfg", "job", "seed=1,2"], "and for --cfg give one value of each key"),
        (["--cfg", "job", "--info"], "--cfg --info: cannot be given together - leave one out"),
        (["-m", "hydra.mode=RUN"], "hydra.mode: RUN contradicts -m - leave one of the two out"),
        (["hydra.verbose=true"], "hydra.verbose: cannot be set: InitLab does not use it"),
        (["-m", "hydra.verbose=true"], "hydra.verbose: cannot be set: InitLab does not use it"),
        (
            ["hydra.run.dir=s3://b/x"],
            "hydra.run.dir: must be a folder of this machine, got 's3://b/x' - copy",
        ),
        (
            ["-m", "hydra.sweep.dir=gs://b/x"],
            "hydra.sweep.dir: must be a folder of this machine, got 'gs://b/x' - copy",
        ),
        (["hydra/launcher=basic"], "hydra/launcher: is for a sweep, and this is a single run"),
        (["hydra.sweep.dir=x"], "hydra.sweep.dir: is for a sweep, and this is a single run"),
        (["+hydra.sweeper.params.seed='1,2'"], "hydra.sweeper.params.seed: is for a sweep, and"),
    ],
)
def test_a_flag_or_a_word_for_hydra_that_would_do_nothing_is_refused(
    words, said, command, tmp_path
):
    done = command("init=normal", *words)
    assert (done.code, len(done.err.splitlines()), said in done.err) == (2, 1, True), done.err
    assert not list(tmp_path.iterdir())


def test_the_mode_of_hydra_starts_a_sweep_like_m(command):
    done = command("hydra.mode=MULTIRUN", "seed=0,1", "dry_run=true")
    assert (done.code, "2 runs: 2 to run" in done.out) == (0, True), done.err


@pytest.mark.parametrize(
    "words",
    [
        ["init=he", "dry_run=true", "-m", "seed=0,1"],
        ["-m", "init=he", "dry_run=true", "seed=0,1"],
        ["init=he", "-m", "--config-dir", "mine", "seed=0,1", "dry_run=true"],
    ],
)
def test_words_and_options_may_stand_in_any_order(words, command, tmp_path):
    (tmp_path / "mine" / "init").mkdir(parents=True)
    (tmp_path / "mine" / "init" / "mine.yaml").write_text("kind: zero\n")
    done = command(*words)
    assert (done.code, "2 runs: 2 to run" in done.out) == (0, True), done.err


def test_words_after_an_option_of_hydras_own_are_its_words_too(command):
    done = command("init=he", "--cfg", "job", "seed=3")
    assert (done.code, "seed: 3\n" in done.out) == (0, True), done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seed", "3"], "--seed: is no option - a key is written without dashes: seed=…"),
        (["--dry-run"], "--dry-run: is no option - a key is written without dashes: dry_run=…"),
        (["--init.sigma=3"], "a key is written without dashes: init.sigma=3"),
        (["plan", "--json"], "--json: is no option - a run's folder has plan.json"),
        (
            ["--nothing", "3"],
            "--nothing: is no option - Known: --cfg, --config-dir, --help, --hydra",
        ),
        (["--plgin", "x"], "--plgin: is no option - did you mean '--plugin'? Known: "),
        (["-seed=3"], "- a key is written without dashes: seed=3"),
        (["--config-dri", "x"], "--config-dri: is no option - did you mean '--config-dir'?"),
        (["--cfg", "jobs"], "--cfg/-c: invalid choice: 'jobs' (choose from "),
        (
            ["init=he", "--cfg"],
            "--cfg/-c: expected one argument - initlab --help lists all options",
        ),
        (["init=he", "plan"], "plan: is a command, which comes first - write initlab plan …"),
    ],
)
def test_a_wrong_option_is_one_line(words, said, command):
    done = command(*words)
    assert (done.code, len(done.err.splitlines()), said in done.err) == (2, 1, True), done.err


def test_every_key_of_the_root_is_known_to_be_no_option():
    keys = {field.name for field in dataclasses.fields(schema.Config)}
    assert keys | {"experiment"} == ROOT_KEYS


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
        "initlab.runner.theory.dynamics",
        "initlab.runner.report.run_page",
        "initlab.runner.claims.claim",
        "initlab.runner.config.objective",
        "initlab.runner.layers.convolution",
        "initlab.engine.optimizer",
        "initlab.engine.gluon.data",
    }
