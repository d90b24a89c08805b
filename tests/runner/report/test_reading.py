"""Evidence that reports are made of, and what is none."""

from __future__ import annotations

import pytest

from initlab.runner.cli import run_command


def test_the_command_writes_reports_of_runs_and_of_sweeps(run_folder, sweep_folder, capsys):
    assert run_command(["report", str(run_folder), str(sweep_folder)]) == 0
    assert capsys.readouterr().out == f"{run_folder}/report.html\n{sweep_folder}/report.html\n"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: folder / "nowhere", "no such folder - give the folder of a finished run"),
        (
            lambda folder: folder.mkdir() or folder,
            "is neither a finished run (no manifest.json) nor a folder of runs",
        ),
    ],
    ids=["missing", "empty"],
)
def test_a_folder_without_a_run_or_sweep_is_refused(prepare, said, tmp_path, capsys):
    assert run_command(["report", str(prepare(tmp_path / "x"))]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and said in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("file", ["manifest.json", "stats.json", "plan.json"])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rows": [{}], "parameters": [{}]}', '{"rows": 3, "parameters": 3}']
)
def test_a_damaged_file_is_named_and_an_older_report_stays(file, text, run_folder, capsys):
    (run_folder / "report.html").write_text("older")
    (run_folder / file).write_text(text)
    assert run_command(["report", str(run_folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {run_folder}/") and len(err.splitlines()) == 1
    assert "run its config again" in err or "no manifest of format" in err
    assert (run_folder / "report.html").read_text() == "older"


@pytest.mark.parametrize("text", ["{", '{"format": "initlab-sweep-9"}'])
def test_a_damaged_list_of_runs_is_named(text, sweep_folder, capsys):
    (sweep_folder / "sweep.json").write_text(text)
    assert run_command(["report", str(sweep_folder)]) == 2
    assert f"error: {sweep_folder}/sweep.json: " in capsys.readouterr().err


def test_runs_and_sweeps_write_the_reports_that_were_asked_for(command, tmp_path):
    assert command("report=all").code == 0
    [alone] = (tmp_path / "outputs" / "runs").glob("*/report.html")
    done = command("-m", "seed=1,2", "report=sweep")
    assert done.out.splitlines()[-2] == "report: outputs/runs/report.html"
    assert list((tmp_path / "outputs" / "runs").glob("*/report.html")) == [alone]
    assert command("-m", "seed=1,2", "report=all").code == 0
    assert len(list((tmp_path / "outputs" / "runs").glob("*/report.html"))) == 3
    assert (
        command("report=some").err == "error: report: cannot be 'some' - Known: all, none, sweep.\n"
    )
