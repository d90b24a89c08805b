"""`initlab rm` removes what matches, and nothing else; what is left stays true."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from initlab.runner.evidence.status import FAILED, Status, write


@pytest.fixture
def outputs(command, tmp_path):
    """A sweep of two initializers and two seeds, a single run of its name, and another name."""
    assert command("-m", "init=he,normal", "seed=0,1", "probe=forward").code == 0
    assert command("init=xavier", "probe=forward").code == 0
    assert command("init=he", "name=deep", "probe=forward").code == 0
    os.renames(tmp_path / "outputs" / "deep", tmp_path / "outputs" / "other" / "deep")
    return tmp_path / "outputs"


def runs_in(folder):
    return sorted(path.parent.name.partition("-")[0] for path in folder.rglob("manifest.json"))


def table(folder):
    with open(folder / "summary.csv", newline="") as file:
        return sorted(row["run_id"].partition("-")[0] for row in csv.DictReader(file))


def listed(folder):
    return [run["overrides"] for run in json.loads((folder / "sweep.json").read_text())["runs"]]


def test_nobody_is_asked_without_a_terminal_and_nothing_is_removed(command, outputs):
    done = command("rm", "init.kind == 'he'")
    assert done.code == 2 and "removed" not in done.out
    assert done.err.startswith(
        "error: --yes: is needed where nobody can be asked whether to remove"
    )
    assert len(runs_in(outputs)) == 6


def test_what_matches_is_listed_and_removed_and_the_sweep_stays_true(command, outputs):
    done = command("rm", "init.kind == 'he'", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "remove 3 runs, " in done.out and done.out.endswith("removed 3 runs\n")
    assert sum("he-seed" in line for line in done.out.splitlines()) == 3
    assert runs_in(outputs) == ["normal", "normal", "xavier"]
    assert table(outputs / "runs") == ["normal", "normal", "xavier"]
    assert [words[:2] for words in listed(outputs / "runs")] == [
        ["init=normal", "seed=0"],
        ["init=normal", "seed=1"],
    ]
    assert "3 of 3 runs completed" in (outputs / "runs" / "summary.md").read_text()
    assert not (outputs / "other").exists()
    assert command("verify", "outputs/runs").code == 0
    assert command("ls").out.endswith("3 runs: 3 finished\n")


def test_a_name_whose_runs_are_all_removed_is_gone_but_not_what_else_lies_there(command, outputs):
    (outputs / "other" / "deep" / "notes.txt").write_text("mine")
    assert command("rm", "seed >= 0", "--yes").code == 0
    assert sorted(path.name for path in outputs.rglob("*") if path.is_file()) == ["notes.txt"]
    assert command("ls").out == "\nno runs\n"


def test_no_match_removes_nothing(command, outputs):
    done = command("rm", "seed == 99", "--yes")
    assert (done.code, done.out) == (0, "none of 6 runs matches; nothing was removed\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sed == 0"], "did you mean 'seed'"),
        ([], "the following arguments are required: WHERE"),
        (["outputs/runs"], "takes a condition, not a folder"),
        (["seed == 0", "--root", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_wrong_word_removes_nothing(words, said, command, outputs):
    done = command("rm", *words, "--yes")
    assert done.code == 2 and said in done.err and len(runs_in(outputs)) == 6


@pytest.mark.parametrize(("answer", "left"), [("y", 3), ("no", 6), ("", 6)])
def test_the_answer_counts(answer, left, command, outputs, monkeypatch):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda said: asked.append(said) or answer)
    done = command("rm", "init.kind == 'he'")
    assert (
        done.code == 0
        and asked[0].startswith("\nremove 3 runs, ")
        and asked[0].endswith("? [y/N] ")
    )
    assert len(runs_in(outputs)) == left


def test_a_run_that_was_made_again_while_the_question_was_asked_stays(
    command, outputs, monkeypatch
):
    [folder] = outputs.glob("runs/xavier-*")

    def answer(said):
        content = json.loads((folder / "manifest.json").read_text())
        content["provenance"]["ended"] = "2099-01-01T00:00:00.000Z"
        (folder / "manifest.json").write_text(json.dumps(content))
        return "y"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    done = command("rm", "seed == 0")
    assert done.code == 1 and "has changed since it was listed" in done.err
    assert runs_in(outputs) == ["he", "normal", "xavier"]


def test_a_run_that_lies_in_another_run_is_not_removed_with_it(command, outputs):
    [outer], [inner] = outputs.glob("runs/xavier-*"), outputs.glob("runs/he-seed0-*")
    os.rename(inner, outer / "copy")
    assert command("ls").out.endswith("6 runs: 6 finished\n")
    done = command("rm", "init.kind == 'xavier'", "--yes")
    assert done.code == 1 and "holds the folder 'copy', which no run writes" in done.err
    assert (outer / "copy" / "manifest.json").exists() and (outer / "manifest.json").exists()
    assert command("rm", "seed == 0", "--yes").code == 0
    assert runs_in(outputs) == ["he", "normal"]


def test_a_run_that_is_being_made_stays(command, outputs):
    [folder] = (outputs / "runs").glob("xavier-*")
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = command("rm", "seed == 0", "--yes")
    os.close(descriptor)
    assert done.code == 1 and "a process is at work on this run" in done.err
    assert done.out.endswith("removed 3 runs, 1 not\n")
    assert runs_in(outputs) == ["he", "normal", "xavier"]


def test_the_runs_of_a_sweep_at_work_stay(command, outputs):
    descriptor = os.open(outputs / "runs", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = command("rm", "seed == 0", "--yes")
    os.close(descriptor)
    assert done.code == 1 and "a sweep is at work in this folder" in done.err
    assert len(runs_in(outputs)) == 5


def test_a_sweep_at_work_in_another_name_is_no_matter(command, outputs):
    descriptor = os.open(outputs / "runs", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = command("rm", "path < 'p'", "--yes")
    os.close(descriptor)
    assert (done.code, done.err) == (0, "") and len(runs_in(outputs)) == 5


def test_nothing_is_removed_through_a_link(command, outputs, tmp_path):
    far = tmp_path / "far"
    os.rename(outputs / "other", far)
    (outputs / "far").symlink_to(far)
    [run] = far.glob("deep/he-*")
    (outputs / "runs" / "one").symlink_to(run)
    inside = next((outputs / "runs").glob("he-*"))
    (inside / "link").symlink_to(far)
    done = command("rm", "init.kind == 'he'", "--yes")
    assert done.code == 1 and "lies behind a link, so it is not removed" in done.err
    assert run.exists() and (run / "manifest.json").exists() and not inside.exists()
    assert runs_in(outputs) == ["normal", "normal", "xavier"]


def test_a_root_that_is_a_link_is_emptied(command, outputs, tmp_path):
    os.rename(outputs, tmp_path / "disk")
    outputs.symlink_to(tmp_path / "disk")
    assert command("rm", "init.kind == 'he'", "--yes").code == 0
    assert runs_in(tmp_path / "disk") == ["normal", "normal", "xavier"]


def test_a_failed_and_a_damaged_run_are_removed_too(command, outputs):
    failed = outputs / "runs" / "x-1"
    failed.mkdir()
    write(failed, Status(FAILED, "x-1", [], "no"))
    next(outputs.glob("runs/he-*/manifest.json")).write_text("{")
    assert command("rm", "state in ['failed', 'damaged']", "--yes").code == 0
    assert not failed.exists() and len(runs_in(outputs)) == 5


def test_a_run_that_is_removed_in_part_never_passes_for_finished(command, outputs, monkeypatch):
    def fail(folder):
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr("shutil.rmtree", fail)
    done = command("rm", "init.kind == 'xavier'", "--yes")
    assert done.code == 1 and "Input/output error" in done.err
    monkeypatch.undo()
    [folder] = Path(outputs / "runs").glob("xavier-*")
    assert not (folder / "manifest.json").exists()
