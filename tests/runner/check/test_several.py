"""`initlab verify` of a sweep, and of all that a shell's `*` names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from altered import change, change_manifest

from initlab.runner.check.several import verify_all

WORDS = [
    "init=normal",
    "model.input=[3]",
    "model.layers=[{kind: dense, units: 2}]",
    "probe=none",
]


@pytest.fixture
def sweep(command) -> Path:
    """A sweep of two runs."""
    assert command("-m", *WORDS, "seed=1,2", "name=s").code == 0
    return Path("outputs/s")


def runs_of(sweep: Path) -> list[Path]:
    return [path for path in starred(sweep) if path.is_dir()]


def starred(folder: Path) -> list[Path]:
    """What a shell makes of `folder/*`."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def test_every_run_of_a_sweep_is_verified(sweep, command):
    done = command("verify", str(sweep))
    lines = done.out.splitlines()
    assert (done.code, done.err, len(lines)) == (0, "", 3)
    for folder, line in zip(runs_of(sweep), lines, strict=False):
        assert line.startswith(f"{folder}: verified, values, snapshot, figures and 6 files")
    assert lines[-1] == ("outputs/s: 2 of 2 runs verified; not covered: summary.csv, summary.md")


def test_a_run_that_differs_or_did_not_finish_is_named_and_counted(sweep, command):
    one, two = runs_of(sweep)
    change_manifest(one, lambda m: m.update(seconds=-1))
    (two / "manifest.json").unlink()
    change(two, "status.json", lambda s: s.update(state="failed", error="no memory\nmore"))
    done = command("verify", str(sweep))
    assert (done.code, done.out.splitlines()[0]) == (
        2,
        "outputs/s: 0 of 2 runs verified, 1 different, 1 that cannot be used; not covered: "
        "summary.csv, summary.md",
    )
    assert done.err.splitlines() == [
        f"{one}: the manifest's seconds are -1",
        f"error: {two}: did not finish, it is failed (no memory) - run the sweep again with resume=true",
    ]
    shutil.rmtree(two)
    done = command("verify", str(sweep))
    assert (done.code, "did not finish, it is pending - " in done.err) == (2, True)


def test_a_run_in_the_place_of_another_is_found(sweep, command):
    one, two = runs_of(sweep)
    shutil.rmtree(one)
    two.rename(sweep / "kept")
    change(
        sweep,
        "sweep.json",
        lambda s: [run.update(folder=str(sweep / "kept")) for run in s["runs"]],
    )
    done = command("verify", str(sweep))
    assert (done.code, "1 of 2 runs verified, 1 different" in done.out) == (1, True)
    assert done.err == (f"{sweep}/kept: holds another run than the sweep's list says, {one.name}\n")


def test_every_run_of_a_name_is_verified_where_it_was_moved_or_those_of_the_last_sweep(
    sweep, command, only_run, monkeypatch, tmp_path
):
    only_run(*WORDS, "seed=3", "name=s")
    [other] = Path("outputs/s").glob("normal-seed3-*")
    assert command("seal", str(other)).code == 0
    assert command("-m", *WORDS, "seed=4", "name=s").code == 0
    shutil.move(sweep, tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    done = command("verify", ".")
    assert (done.code, "4 of 4 runs verified; not covered: summary.csv" in done.out) == (0, True)
    done = command("verify", ".", "--last")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert "1 of 1 runs verified" in done.out.replace("1 run verified", "1 runs verified")
    assert other.name in done.out


def test_single_runs_of_a_name_are_verified_and_last_needs_a_sweep(command, only_run):
    run = only_run(*WORDS, "name=alone")
    done = command("verify", "outputs/alone")
    assert (done.code, done.out.splitlines()[-1]) == (0, "outputs/alone: 1 of 1 run verified")
    for folder in ("outputs/alone", str(run)):
        refused = command("verify", folder, "--last")
        assert (refused.code, "leave out --last" in refused.err) == (2, True)
    assert "is for folders" in command("verify", "--lock", "x", "--last").err
    (run / "manifest.json").unlink()
    refused = command("verify", "outputs/alone")
    assert "did not finish, it is unfinished - run it again with resume=true" in refused.err


def test_a_line_without_room_says_what_matters(sweep):
    [first, *_] = verify_all([sweep])
    assert first.fitting(10_000) == first.text
    assert (
        first.fitting(80) == f"{first.folder}: verified, root {first.text.split('root ')[1][:16]}"
    )


def test_a_sweep_whose_list_is_damaged_or_empty_is_refused(sweep, command):
    (sweep / "sweep.json").write_text("{")
    done = command("verify", str(sweep))
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert done.err.startswith("error: outputs/s/sweep.json: is damaged (")
    (sweep / "sweep.json").write_text(json.dumps({"format": "initlab-sweep-1", "runs": []}))
    for run in runs_of(sweep):
        shutil.rmtree(run)
    done = command("verify", str(sweep))
    assert (done.code, done.err.startswith("error: outputs/s: 0 of 0 runs verified")) == (2, True)


def test_what_a_star_names_beside_the_runs_is_skipped_in_one_line(sweep, command):
    one, _ = runs_of(sweep)
    assert command("seal", str(one)).code == 0
    done = command("verify", *map(str, starred(sweep)))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2:] == [
        f"skipped, no runs: {one.name}.seal.json, summary.csv, summary.md, sweep.json"
    ]
    done = command("verify", str(sweep / "summary.csv"), str(sweep / "summary.md"))
    assert (done.code, done.out) == (2, "")
    assert "summary.csv, summary.md: no run is among these - give the folder" in done.err


def test_any_other_file_beside_runs_is_refused(sweep, command):
    (sweep / "notes.txt").write_text("x")
    (sweep / "x.seal.json").write_text("x")
    done = command("verify", *map(str, starred(sweep)))
    assert done.code == 2
    assert [line.partition(" - ")[0] for line in done.err.splitlines()] == [
        "error: outputs/s/notes.txt: is a file",
        "error: outputs/s/x.seal.json: is a file",
    ]
