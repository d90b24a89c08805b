"""Sweeps under other launchers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.plugins import Plugins
from swept import RAISES, table

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_launcher_that_stops_is_one_line_and_hides_no_run(command, tmp_path, monkeypatch):
    Plugins.instance()  # the first time it loads the launchers' modules anew, the class below too
    launcher = pytest.importorskip(
        "hydra_plugins.hydra_joblib_launcher.joblib_launcher",
        reason="hydra-joblib-launcher is not installed",
    )

    def stops(self, job_overrides, initial_job_idx):
        raise RuntimeError("a worker died\nand more")

    monkeypatch.setattr(launcher.JoblibLauncher, "launch", stops)
    done = command("-m", "seed=0,1", "hydra/launcher=joblib")
    assert done.code == 1
    assert done.err == "error: the launcher stopped: RuntimeError: a worker died\n"
    assert [row["state"] for row in table(tmp_path)] == ["pending", "pending"]


@pytest.mark.slow
def test_workers_of_another_launcher_know_the_plugins(python, tmp_path):
    pytest.importorskip(
        "hydra_plugins.hydra_joblib_launcher", reason="hydra-joblib-launcher is not installed"
    )
    (tmp_path / "moody.py").write_text(RAISES)
    done = python(
        "--plugin",
        "moody.py",
        "-m",
        "init=moody",
        "seed=0,1,2,3",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
    )
    assert done.returncode == 1
    assert [row["state"] for row in table(tmp_path)] == [
        "completed",
        "failed",
        "failed",
        "completed",
    ]
