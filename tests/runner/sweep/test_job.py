"""One job of a sweep: what fails ends only its own run."""

from __future__ import annotations

import json
from pathlib import Path

from swept import RAISES, table

ROOT = Path(__file__).parents[3]


def runs(folder: Path, name: str = "runs") -> dict[str, Path]:
    return {
        path.name: path
        for path in (folder / "outputs" / name).iterdir()
        if path.is_dir() and path.name != ".hydra"
    }


def status(folder: Path) -> dict:
    return json.loads((folder / "status.json").read_text(encoding="utf-8"))


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
    assert (failed / "runner.log").read_text().count("Traceback") == 1
    assert not (failed / "manifest.json").exists()


def test_an_exception_and_an_exit_end_only_their_own_run(python, tmp_path):
    (tmp_path / "moody.py").write_text(RAISES)
    done = python("--plugin", "moody.py", "-m", "init=moody", "seed=0,1,2,3")
    assert done.returncode == 1
    rows = table(tmp_path)
    assert [row["state"] for row in rows] == ["completed", "failed", "failed", "completed"]
    assert [row["error"] for row in rows] == ["", "RuntimeError: not today", "SystemExit: 7", ""]
    failed = runs(tmp_path)[rows[1]["run_id"]]
    assert status(failed)["traceback"].endswith("RuntimeError: not today\n")
    assert "RuntimeError: not today" in (failed / "runner.log").read_text()
    assert not (failed / "manifest.json").exists()
    assert (
        done.stdout.splitlines()[1]
        == f"failed     {failed.name}  init=moody seed=1: RuntimeError: not today"
    )
    assert done.stderr == ""


def test_changing_into_the_runs_folder_changes_no_result(command, tmp_path):
    done = command("-m", "seed=0,1", "hydra.job.chdir=true")
    assert done.code == 0
    assert {row["state"] for row in table(tmp_path)} == {"completed"}
