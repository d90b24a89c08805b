"""The runs of a name: every run in its folder, whichever sweep made it, and what varies among them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from kept_runs import keep

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.members import Member, write_members
from initlab.runner.evidence.named import is_named, named, varied
from initlab.runner.evidence.status import FAILED, Status, write
from initlab.runner.files import locked


def listed(folder: Path, *names: str, words: tuple[str, ...] = ()) -> list[Member]:
    """Write the list of a sweep of these runs."""
    folder.mkdir(exist_ok=True)
    found = [Member(name, str(folder / name), [*words, f"seed={name[-1]}"]) for name in names]
    write_members(folder, [*words, "seed=…"], found)
    return found


def states(folder: Path) -> dict[str, str]:
    return {
        run.member.run_id: run.status(RunFolder(run.folder)).state for run in named(folder).runs
    }


def test_runs_of_the_last_sweep_come_first_then_those_of_earlier_ones_then_single_ones(tmp_path):
    for sweep in (("a-1", "a-2"), ("b-1",), ("c-2", "a-2")):
        listed(tmp_path, *sweep)
    for name in ("a-1", "a-2", "b-1", "c-2", "single"):
        keep(tmp_path / name)
    found = named(tmp_path)
    assert [
        (run.member.run_id, run.sweep and run.sweep.number, run.last) for run in found.runs
    ] == [
        ("c-2", 3, True),
        ("a-2", 3, True),
        ("b-1", 2, False),
        ("a-1", 1, False),
        ("single", None, False),
    ]
    assert [sweep.number for sweep in found.sweeps] == [3, 2, 1]
    assert [run.member.run_id for run in found.last] == ["c-2", "a-2"]


def test_a_name_without_a_sweep_has_its_single_runs(tmp_path):
    keep(tmp_path / "a", ["init=he"])
    assert is_named(tmp_path) and not is_named(tmp_path / "a") and not is_named(tmp_path / "none")
    [run] = named(tmp_path).runs
    assert (run.member.overrides, run.sweep, run.last) == (["init=he"], None, False)
    shutil.rmtree(tmp_path / "a")
    assert not is_named(tmp_path)


def test_every_run_is_there_in_its_state_and_other_folders_are_named(tmp_path):
    listed(tmp_path, "gone-1")
    keep(tmp_path / "done")
    (keep(tmp_path / "damaged") / "manifest.json").write_text("{")
    failed = tmp_path / "failed"
    failed.mkdir()
    write(failed, Status(FAILED, "failed", error="no"))
    for name in ("left", "held"):
        (tmp_path / name / ".hydra").mkdir(parents=True)
        (tmp_path / name / "runner.log").write_text("")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".cache").mkdir()
    with locked(tmp_path / "held"):
        assert states(tmp_path) == {
            "gone-1": "pending",
            "damaged": "damaged",
            "done": "completed",
            "failed": "failed",
            "held": "running",
            "left": "unfinished",
        }
    assert named(tmp_path).others == ["notes"]


def test_a_damaged_list_is_an_error_and_a_new_sweep_still_finds_the_runs(tmp_path):
    listed(tmp_path, "a-1")
    keep(tmp_path / "a-1")
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(EvidenceError, match="is damaged"):
        named(tmp_path)
    listed(tmp_path, "b-1")
    assert [run.member.run_id for run in named(tmp_path).runs] == ["b-1", "a-1"]


def test_a_list_of_an_older_version_counts_as_the_first_sweep(tmp_path):
    listed(tmp_path, "a-1")
    path = tmp_path / "sweep.json"
    content = json.loads(path.read_text())
    for key in ("number", "started", "earlier"):
        del content[key]
    path.write_text(json.dumps(content))
    keep(tmp_path / "a-1")
    listed(tmp_path, "b-1")
    assert [run.sweep.number for run in named(tmp_path).runs] == [2, 1]


def test_a_run_has_the_value_of_its_config_where_only_another_sweep_varied_it(tmp_path):
    config = {"seed": 1, "init": {"kind": "he", "gain": 2.0}, "vars": {}, "resume": False}
    keep(tmp_path / "a-1", ["seed=1"], config)
    found = [
        Member(f"b-{gain}", str(tmp_path / f"b-{gain}"), [f"init.gain={gain}", "resume=true"])
        for gain in ("0.50", "3")
    ]
    write_members(tmp_path, [], found)
    keys, values = varied(named(tmp_path))
    assert keys == ["init.gain", "seed"]
    assert values == [{"init.gain": "0.5"}, {"init.gain": "3"}, {"init.gain": "2", "seed": "1"}]


def test_a_run_that_failed_has_the_values_of_those_that_differ_in_the_seed_only(tmp_path):
    config = {"init": {"kind": "he", "gain": 2.0}}
    keep(tmp_path / "a", ["init=he", "seed=0"], config)
    words = [["init=he", "seed=0"], ["init=he", "seed=1"], ["init=he", "init.gain=3", "seed=0"]]
    found = [
        Member(name, str(tmp_path / name), given) for name, given in zip("abc", words, strict=True)
    ]
    write_members(tmp_path, [], found)
    assert [row["init.gain"] for row in varied(named(tmp_path))[1]] == ["2", "2", "3"]


def rows(folder: str) -> list[dict[str, str]]:
    with open(f"{folder}/summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_second_sweep_into_a_name_keeps_the_first_ones_runs_in_summary_and_report(command):
    small = ("name=mine", "probe=none")
    assert command("-m", *small, "init=normal", "seed=0,1").code == 0
    assert command(*small, "init=zero").code == 0
    done = command("-m", *small, "init=he,xavier", "report=sweep")
    assert (done.code, done.out.splitlines()[-1]) == (
        0,
        "2 of 2 runs completed: outputs/mine/summary.md",
    )
    assert "outputs/mine holds 3 more runs, which summary and report have too" in done.out
    found = rows("outputs/mine")
    assert [(row["init"], row["seed"], row["sweep"]) for row in found] == [
        ("he", "0", "2"),
        ("xavier", "0", "2"),
        ("normal", "0", "1"),
        ("normal", "1", "1"),
        ("zero", "0", ""),
    ]
    assert {row["state"] for row in found} == {"completed"} and all(row["root"] for row in found)
    page = Path("outputs/mine/report.html").read_text()
    assert page.count('<tr class="earlier">') == 5 and 'id="only-last"' in page
    assert "5 of 5 runs completed" in page and "2 of 2 runs completed" in page


def test_the_report_of_the_last_sweep_has_its_runs_only(command):
    assert command("-m", "probe=none", "name=mine", "init=normal", "seed=0,1").code == 0
    assert command("-m", "probe=none", "name=mine", "init=he,zero").code == 0
    assert command("report", "outputs/mine", "--last").code == 0
    page = Path("outputs/mine/report.html").read_text()
    assert "2 of 2 runs completed" in page and "normal-seed1" not in page
    assert command("probe=none", "name=alone").code == 0
    assert command("report", "outputs/alone").code == 0
    refused = command("report", "outputs/alone", "--last")
    assert (refused.code, refused.err) == (
        2,
        "error: outputs/alone: no sweep was run into this folder - leave out --last\n",
    )
