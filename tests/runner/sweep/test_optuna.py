"""A search by Optuna: its trials are runs like any other, and nothing starts that is not allowed.

In processes of their own, since Optuna warns of itself, and warnings are errors here.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip(
    "hydra_plugins.hydra_optuna_sweeper",
    reason="hydra-optuna-sweeper is not installed",
    exc_type=ImportError,
)


pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[3]


SEARCH = ("-m", "hydra/sweeper=optuna", "init=normal", "model=deep_mlp", "name=s")


OBJECTIVE = "objective={figure: 'layers[body.11.fc].rms', target: 1, distance: ratio}"


SIGMA = "init.sigma=tag(log,interval(0.02,1))"


@pytest.fixture
def search(tmp_path, monkeypatch):
    """`search(word, …)` runs a search in the test's own folder; `n` trials."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def call(*words: str, n: int = 6) -> subprocess.CompletedProcess[str]:
        seed = (
            () if "hydra/sweeper/sampler=grid" in words else ("hydra.sweeper.sampler.seed=2",)
        )  # a grid has none
        command = [
            sys.executable,
            "-m",
            "runner",
            *SEARCH,
            f"hydra.sweeper.n_trials={n}",
            *seed,
            *words,
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return call


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "summary.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_study_improves_and_leaves_what_a_sweep_leaves(search, tmp_path):
    done = search(OBJECTIVE, SIGMA, "hydra.sweeper.n_jobs=1", n=8)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "outputs" / "s"
    rows = table(folder)
    values = [float(row["objective"]) for row in rows]
    assert len(rows) == 8
    assert min(values) < values[0]
    assert len(json.loads((folder / "sweep.json").read_text())["runs"]) == 8
    best = yaml.safe_load((folder / "optimization_results.yaml").read_text())
    assert best["best_value"] == min(values)
    last = done.stdout.splitlines()[-1]
    assert last.startswith(
        f"best: objective {min(values):.6g} with init.sigma={best['best_params']['init.sigma']}  ("
    )
    assert "8 of 8 runs completed" in done.stdout
    assert done.stdout.count("completed  deep_mlp-normal_sigma0.") == 8


def test_the_same_seed_makes_the_same_trials_and_resume_skips_them(search, tmp_path):
    search(OBJECTIVE, SIGMA, n=4)
    before = table(tmp_path / "outputs" / "s")
    done = search(OBJECTIVE, SIGMA, "resume=true")
    after = table(tmp_path / "outputs" / "s")
    assert [(row["run_id"], row["objective"]) for row in after[:4]] == [
        (row["run_id"], row["objective"]) for row in before
    ]
    assert done.stdout.count("(finished before)") == 4
    assert len(after) == 6


def test_a_trial_that_fails_ends_no_study(search, tmp_path):
    done = search(OBJECTIVE, "init.sigma=interval(-0.3,0.3)", "hydra.sweeper.n_jobs=1")
    assert done.returncode == 1
    states = [row["state"] for row in table(tmp_path / "outputs" / "s")]
    assert set(states) == {"completed", "failed"}
    assert len(states) == 6
    assert "init.sigma: must be a positive number" in done.stdout
    assert "best: objective" in done.stdout


def test_a_failure_stops_the_study_where_that_is_wanted(search, tmp_path):
    done = search(
        OBJECTIVE,
        "init.sigma=interval(-0.9,0.1)",
        "hydra.sweeper.n_jobs=1",
        "sweep.on_error=stop",
        n=8,
    )
    states = [row["state"] for row in table(tmp_path / "outputs" / "s")]
    assert done.returncode == 1
    assert states[-1] == "failed"
    assert states.count("failed") == 1
    assert len(states) < 8


def test_a_figure_that_no_run_can_have_is_refused_before_the_search(search, tmp_path):
    done = search("objective={figure: 'layers[-1].rsm'}", SIGMA, n=2)
    assert done.returncode == 2
    assert "objective.figure: 'layers[-1].rsm': layers[-1] has no 'rsm' - did you mean 'rms'?" in (
        done.stderr
    )
    assert not (tmp_path / "outputs").exists()


def test_a_figure_that_no_run_has_leaves_no_best(search, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom initlab.runner import stats\n\n@stats.register\n"
        "@dataclass\nclass Sparsity(stats.Statistic):\n    def measure(self, values, law):\n"
        "        return {'sparsity': 0.0}\n"
    )
    wrong = "objective={figure: 'parameters[0].sparsitty'}"
    done = search("--plugin=mine.py", "stats=[sparsity]", wrong, SIGMA, n=2)
    assert done.returncode == 1, done.stderr
    assert "parameters[0] has no 'sparsitty' - did you mean 'sparsity'?" in done.stdout
    assert done.stdout.splitlines()[-1] == "best: none, no run has an objective"


def test_a_search_suggests_the_values_of_a_range_and_a_grid_all_of_them(search, tmp_path):
    found = []
    for words in ((), ("hydra/sweeper/sampler=grid",)):
        falling = "init.sigma=sort(range(0.1,0.5,0.1),reverse=true)"
        done = search(OBJECTIVE, falling, *words, n=8)
        assert done.returncode == 0, done.stderr
        found.append({row["init.sigma"] for row in table(tmp_path / "outputs" / "s")})
    assert found[0] <= found[1] == {"0.1", "0.2", "0.3", "0.4"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((SIGMA,), "objective: is needed to search"),
        ((OBJECTIVE,), "hydra/sweeper: nothing is searched - give an interval"),
        (
            (OBJECTIVE, "init.sigm=interval(0.1,1)"),
            "init.sigm: no such key - did you mean 'sigma'?",
        ),
        ((OBJECTIVE, SIGMA, "data=normal,hee"), "data: no option 'hee'"),
        ((OBJECTIVE, SIGMA, "seed=-1"), "seed: must be a whole number"),
        ((OBJECTIVE, SIGMA, "task=plan"), "task: plan makes no run to search by"),
        ((OBJECTIVE, "resume=true,false"), "resume: cannot be searched - give one value"),
        (
            (OBJECTIVE, "init.sigma=interval(1,0.1)"),
            "init.sigma: 'init.sigma=interval(1,0.1)' holds no value",
        ),
        (
            (OBJECTIVE, "init.sigma=tag(log,interval(0,1))"),
            "reaches 0 or below, where there is no logarithm",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.direction=up"),
            "hydra.sweeper.direction: cannot be 'up'",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.n_jobs=0"),
            "hydra.sweeper.n_jobs: must be a whole number of at least 1, got 0",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.max_failure_rate=0.5"),
            "hydra.sweeper.max_failure_rate: is not used",
        ),
        (
            (OBJECTIVE, SIGMA, "+hydra.sweeper.sampler.sed=3"),
            "hydra.sweeper: cannot be made: TPESampler.__init__() got an unexpected",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.sampler._target_=os.system"),
            "hydra.sweeper.sampler._target_: 'os.system' is refused",
        ),
        (
            (OBJECTIVE, SIGMA, "+hydra.sweeper.sampler.constraints_func._target_=os.system"),
            "hydra.sweeper.sampler.constraints_func._target_: 'os.system' is refused",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.custom_search_space=os.system"),
            "hydra.sweeper.custom_search_space: is refused",
        ),
        (
            (OBJECTIVE, SIGMA, "hydra.sweeper.storage=sqlite:///x"),
            "hydra.sweeper.storage: is refused: Optuna unpickles",
        ),
        ((OBJECTIVE, "+x._target_=os.system,os.getcwd"), "x._target_: 'os.system' is refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_searched_starts_nothing(search, tmp_path, words, said):
    done = search(*words)
    assert done.returncode == 2, done.stdout
    assert f"error: {said}" in done.stderr or said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_dry_run_says_what_would_be_searched(search, tmp_path):
    done = search("sweep=tune_sigma", "dry_run=true", n=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        done.stdout
        == "30 trials of init.sigma=tag(log, interval(0.001, 1)), suggested by TPESampler; nothing was written\n"
    )
    assert not (tmp_path / "outputs").exists()
