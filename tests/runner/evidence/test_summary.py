"""The sum of a sweep, from what its runs left on disk."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from kept_runs import keep

from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.evidence.members import Member, write_members
from initlab.runner.evidence.status import COMPLETED, Status, write
from initlab.runner.evidence.summary import write_summary


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_new_sweep_removes_the_summary_of_an_older_one(tmp_path, members):
    write_summary(tmp_path, members)
    write_members(tmp_path, [], members)
    assert not (tmp_path / "summary.csv").exists()
    assert not (tmp_path / "summary.md").exists()


def test_columns_are_what_was_swept_how_it_ended_and_what_was_measured(tmp_path, members):
    write_summary(tmp_path, members)
    with open(tmp_path / "summary.csv", encoding="utf-8") as file:
        assert file.read().splitlines() == [
            "run_id,seed,state,seconds,parameters_off,loss,root,error,sweep,started",
            "x-0,0,completed,0.25,1,2.302585093,0123456789abcdef,,,",
            "x-1,1,failed,0.5,,,,ValueError: a | b,,",
            "x-2,2,pending,,,,,,,",
        ]


def test_the_table_for_people_says_how_many_completed_and_keeps_its_columns(tmp_path, members):
    write_summary(tmp_path, members)
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[:2] == ["1 of 3 runs completed", ""]
    assert (
        lines[10]
        == "| run_id | seed | state | seconds | parameters_off | loss | root | error | sweep | started |"
    )
    assert lines[12] == "| x-0 | 0 | completed | 0.25 | 1 | 2.30259 | 0123456789abcdef |  |  |  |"
    assert lines[13] == "| x-1 | 1 | failed | 0.5 |  |  |  | ValueError: a \\| b |  |  |"


def test_a_completed_run_whose_figures_are_gone_keeps_its_row(tmp_path, members):
    (Path(members[0].folder) / "stats.json").write_text("{")
    write_summary(tmp_path, members)
    assert [row["state"] for row in rows(tmp_path)] == ["completed", "failed", "pending"]
    assert "loss" not in rows(tmp_path)[0]


def test_before_the_runs_it_has_a_row_for_each_setting(tmp_path, members):
    write_summary(tmp_path, members)
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[2] == "## Settings: mean ± standard deviation over seeds"
    assert lines[4:7] == ["| runs | loss | off |", "| --- | --- | --- |", "| 1 of 3 | 2.303 | 1 |"]


def swept(
    folder: Path, found: dict[str, list[float | str]], section: str = "figures"
) -> list[Member]:
    """A finished sweep over `init` and the seed whose runs had these objectives or losses."""
    made = []
    for init, values in found.items():
        for seed, value in enumerate(values):
            member = Member(
                f"{init}-{seed}", str(folder / f"{init}-{seed}"), [f"init={init}", f"seed={seed}"]
            )
            place = keep(Path(member.folder), member.overrides, figures={"loss": value})
            objective = value if isinstance(value, float) else None
            write(place, Status(COMPLETED, member.run_id, seconds=0.1, objective=objective))
            made.append(member)
    return made


def test_the_best_setting_is_first_and_those_with_a_run_that_diverged_come_after(tmp_path):
    members = swept(
        tmp_path, {"a": [3.0, 3.0], "b": ["nan", "nan"], "c": [0.1, "inf"], "d": [1.0, 2.0]}
    )
    summary = write_summary(tmp_path, members)
    assert summary.order == "smallest objective first"
    assert [summary.cells(setting) for setting in summary.ranked] == [
        ["d", "2", "1.5 ± 0.71", "1.5 ± 0.71"],
        ["a", "2", "3 ± 0", "3 ± 0"],
        ["c", "2", "0.1 (1 of 2)", "0.1 (1 of 2)"],
        ["b", "2", "-", "nan"],
    ]
    assert summary.headings == ["init", "runs", "objective", "loss"]


def test_the_largest_objective_is_the_best_if_a_search_says_so(tmp_path):
    members = swept(tmp_path, {"a": [3.0], "b": [4.0], "c": ["nan"]})
    summary = write_summary(tmp_path, members, largest=True)
    assert [setting.values["init"] for setting in summary.ranked] == ["b", "a", "c"]
    assert summary.order == "largest objective first"


def test_gradients_are_figures_of_a_summary(tmp_path, members):
    stats = {
        "parameters": [
            {"path": path, "shape": shape, "verdict": "ok"}
            for path, shape in (
                ("a.weight", [2, 3]),
                ("a.bias", [2]),
                ("b.weight", [4, 2]),
                ("b.bias", [4]),
            )
        ],
        "gradients": [
            {"path": "a.weight", "rms": 0.5, "max_abs": 1.0},
            {"path": "a.bias", "rms": 7.0, "max_abs": 7.0},
            {"path": "b.weight", "rms": 0.25, "max_abs": 1.0},
            {"path": "b.bias", "rms": 9.0, "max_abs": 9.0},
        ],
        "figures": {"loss": 1.0},
    }
    (Path(members[0].folder) / "stats.json").write_text(json.dumps(stats))
    write_summary(tmp_path, members)
    row = rows(tmp_path)[0]
    assert (row["gradient_first"], row["gradient_last"]) == ("0.5", "0.25")


def test_a_trained_run_has_the_gradients_of_its_first_step_and_the_norm_of_its_last(
    tmp_path, members
):
    stats = {
        "parameters": [{"path": "a.weight", "shape": [2, 3], "verdict": "ok"}],
        "updates": [{"path": "a.weight", "gradient_rms": 0.5}],
        "training": [{"epoch": 1, "gradient_norm": 3.0}, {"epoch": 2, "gradient_norm": 2.0}],
        "figures": {},
    }
    (Path(members[0].folder) / "stats.json").write_text(json.dumps(stats))
    write_summary(tmp_path, members)
    row = rows(tmp_path)[0]
    assert (row["gradient_first"], row["gradient_norm"]) == ("0.5", "2.0")


def test_the_worst_finding_is_a_column_and_orders_settings_without_an_objective(tmp_path):
    members = swept(tmp_path, {"bad": ["nan"], "none": ["nan"], "good": ["nan"]})
    finding = Finding("loud", "0", 1.0, None, "m", "e", "w", "s", (), 2.0)
    for name, found in (("bad", (finding,)), ("good", ())):
        content = json.dumps(Diagnosis(found, ("all",)).to_json())
        (tmp_path / f"{name}-0" / "diagnosis.json").write_text(content)
    summary = write_summary(tmp_path, members)
    assert summary.headings == ["init", "runs", "diagnosis", "loss"]
    assert [summary.cells(setting)[:3] for setting in summary.ranked] == [
        ["good", "1", "none"],
        ["bad", "1", "fatal: loud"],
        ["none", "1", "-"],
    ]
    assert summary.order == "fewest fatal, harmful, odd findings first"
    assert [row["diagnosis"] for row in rows(tmp_path)] == ["fatal: loud", "", "none"]
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[2].endswith(f"over seeds, {summary.order}")
    assert lines[4] == "| init | runs | diagnosis | loss |"


def test_a_damaged_diagnosis_counts_as_none_and_the_row_stays(tmp_path, members):
    (Path(members[0].folder) / "diagnosis.json").write_text("{")
    write_summary(tmp_path, members)
    assert rows(tmp_path)[0]["loss"] == "2.302585093" and "diagnosis" not in rows(tmp_path)[0]
