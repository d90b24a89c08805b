"""`initlab gc` removes what unfinished runs left, and nothing of a finished one."""

from __future__ import annotations

import fcntl
import os
import sys
import time

import pytest

from initlab.runner.evidence.status import FAILED, RUNNING, Status, write
from initlab.runner.keeping import leftovers


@pytest.fixture
def outputs(command, tmp_path, monkeypatch):
    """Two finished runs, one that failed, one that was killed while it streamed, and temporary files."""
    assert command("-m", "init=he,normal", "probe=forward").code == 0
    root = tmp_path / "outputs"
    failed, killed = root / "runs" / "x-1", root / "study" / "y-2"
    for folder in (failed, killed):
        folder.mkdir(parents=True)
    write(failed, Status(FAILED, "x-1", ["init=x"], "ValueError: no"))
    write(killed, Status(RUNNING, "y-2", pid=2**22 - 1))
    (killed / "snapshot.journal").write_text("")
    (killed / "snapshot.safetensors.partial").write_bytes(b"0" * 5000)
    old = [
        root / "runs" / "summary.md.9-0a.tmp",
        next(root.glob("runs/he-*")) / "stats.json.9-0a.tmp",
    ]
    for path in old:
        path.write_text("")
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    (root / "runs" / "new.1-0b.tmp").write_text("")
    return root


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_leftovers_are_listed_with_what_resume_would_lose_and_removed(command, outputs):
    before = files(outputs)
    done = command("gc", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "2 runs without manifest (1 crashed, 1 failed), 2 files; " in done.out
    assert "resume=true would go on with 5 kB of 1 streamed run" in done.out
    assert done.out.endswith("removed 2 runs and 2 files\n")
    left = files(outputs)
    assert left < before
    assert {path.partition("/")[0] for path in left} == {"runs"} and "runs/new.1-0b.tmp" in left
    assert all("x-1" not in path and "9-0a" not in path for path in left)
    assert command("verify", "outputs/runs").code == 0
    assert command("gc").out == "nothing is left over\n"


def test_nobody_is_asked_without_a_terminal(command, outputs):
    before = files(outputs)
    done = command("gc")
    assert done.code == 2 and "--yes: is needed where nobody can be asked" in done.err
    assert files(outputs) == before


def test_a_run_that_is_being_made_is_no_leftover(command, outputs):
    descriptors = [os.open(outputs / name, os.O_RDONLY) for name in ("runs/x-1", "study/y-2")]
    for descriptor in descriptors:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = command("gc", "--yes")
    for descriptor in descriptors:
        os.close(descriptor)
    assert done.code == 0 and done.out.endswith("removed 2 files\n")
    assert (outputs / "runs" / "x-1").exists() and (outputs / "study" / "y-2").exists()


def test_the_list_of_a_sweep_still_has_the_runs_that_it_declared(command, outputs, tmp_path):
    assert command("-m", "init=he,normal", "name=mine", "probe=forward").code == 0
    [folder] = outputs.glob("mine/he-*")
    (folder / "manifest.json").unlink()
    assert command("gc", "--yes").code == 0
    assert not folder.exists()
    assert "1 of 2 runs completed" in (outputs / "mine" / "summary.md").read_text()
    assert command("-m", "init=he,normal", "name=mine", "probe=forward", "resume=true").code == 0
    assert folder.exists()


def test_nothing_is_collected_through_a_link(command, outputs, tmp_path):
    os.rename(outputs / "study", tmp_path / "far")
    (outputs / "study").symlink_to(tmp_path / "far")
    command("gc", "--yes")
    assert (tmp_path / "far" / "y-2" / "snapshot.journal").exists()


def test_a_run_that_ended_well_while_the_question_was_asked_stays(command, outputs, monkeypatch):
    def answer(said):
        (outputs / "runs" / "x-1" / "manifest.json").write_text("{}")
        (outputs / "study" / "y-2" / "runner.log").write_text("made again")
        return "y"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)
    done = command("gc")
    assert done.code == 1 and done.err.count("has changed since it was listed") == 2
    assert (outputs / "runs" / "x-1" / "manifest.json").exists()
    assert (outputs / "study" / "y-2" / "snapshot.journal").exists()


def test_folders_of_other_programs_and_what_lies_in_them_stay(command, outputs):
    (outputs / "runs" / "status.json").write_text('{"ok": true}')
    for folder in (outputs / "other" / "data", outputs / "mixed" / "data"):
        folder.mkdir(parents=True)
        (folder / "thesis.txt").write_text("mine")
    (outputs / "other" / "status.json").write_text('{"ok": true}')
    write(outputs / "mixed", Status(FAILED, "mixed", [], "no"))
    done = command("gc", "--yes")
    assert done.code == 1 and "mixed: holds the folder 'data', which no run writes" in done.err
    assert (outputs / "other" / "data" / "thesis.txt").exists()
    assert (outputs / "mixed" / "data" / "thesis.txt").exists()
    assert len(list(outputs.glob("runs/*/manifest.json"))) == 2


def test_without_a_journal_resume_begins_anew(command, outputs):
    (outputs / "study" / "y-2" / "snapshot.journal").unlink()
    assert "nothing of these runs can be resumed" in command("gc", "--yes").out


def test_a_folder_that_is_not_there_is_refused(command, tmp_path):
    assert command("gc").code == 2
    assert leftovers.AGE == 60.0
