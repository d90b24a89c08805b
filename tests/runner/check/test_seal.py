"""A seal lists every file of a finished run with its SHA-256, in the form that model-signing states,
and says whether a folder is still as sealed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from initlab.runner.cli import run_command


@pytest.fixture
def sealed(small, capsys):
    """The folder of a run, and the path of its seal."""
    folder = small()
    assert run_command(["seal", str(folder)]) == 0
    path = folder.parent / f"{folder.name}.seal.json"
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    return folder, path


def check(folder, path, capsys) -> tuple[int, str]:
    capsys.readouterr()
    code = run_command(["seal", str(folder), "--check", str(path)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_a_seal_is_the_statement_of_model_signing(sealed):
    folder, path = sealed
    content = json.loads(path.read_text())
    resources = content["predicate"]["resources"]
    names = [entry["name"] for entry in resources]
    assert names == sorted(names) and "manifest.json" in names and "runner.log" not in names
    assert ".hydra/config.yaml" in names
    digests = [hashlib.sha256((folder / name).read_bytes()) for name in names]
    assert [entry["digest"] for entry in resources] == [one.hexdigest() for one in digests]
    whole = hashlib.sha256(b"".join(one.digest() for one in digests)).hexdigest()
    assert content["subject"] == [{"name": folder.name, "digest": {"sha256": whole}}]
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == "https://model_signing/signature/v1.0"
    assert content["predicate"]["serialization"]["method"] == "files"


def test_a_folder_is_as_sealed_until_a_file_of_it_changes(sealed, capsys):
    folder, path = sealed
    (folder / "runner.log").write_text("later")
    (folder / "report.html").write_text("later")
    assert check(folder, path, capsys) == (0, f"{folder}: as sealed, 9 files\n")
    (folder / "more.txt").write_text("")
    assert check(folder, path, capsys) == (1, f"{folder}: more.txt is not sealed\n")
    (folder / "more.txt").unlink()
    (folder / "stats.csv").write_text("x")
    assert check(folder, path, capsys) == (1, f"{folder}: stats.csv differs\n")
    (folder / "stats.csv").unlink()
    assert check(folder, path, capsys) == (1, f"{folder}: stats.csv is missing\n")
    (folder / "manifest.json").unlink()
    assert check(folder, path, capsys) == (
        1,
        f"{folder}: manifest.json, stats.csv are missing\n",
    )


def test_the_seal_of_another_run_is_named(sealed, small, capsys):
    folder, path = sealed
    other = small("seed=4")
    assert check(other, path, capsys) == (
        1,
        f"{other}: holds {other.name}, and {path} is the seal of {folder.name}\n",
    )
    path.write_text(path.read_text().replace(folder.name, other.name))
    assert check(folder, path, capsys) == (
        1,
        f"{folder}: holds {folder.name}, and {path} is the seal of {other.name}\n",
    )
    code, text = check(folder.parent, path, capsys)
    assert (code, "is no run (it has no manifest.json)" in text) == (2, True)


@pytest.fixture
def sweep(command) -> Path:
    """A sweep of two runs, sealed."""
    words = ["init=normal", "model.input=[3]", "model.layers=[{kind: dense, units: 2}]"]
    assert command("-m", *words, "probe=none", "seed=1,2", "name=s").code == 0
    assert command("seal", "outputs/s").code == 0
    return Path("outputs/s")


def test_a_seal_of_a_sweep_covers_its_runs_its_list_and_its_summary(sweep, command):
    done = command("seal", str(sweep), "--check", "outputs/s.seal.json")
    assert (done.code, done.out) == (0, "outputs/s: as sealed, 17 files\n")
    assert json.loads(Path("outputs/s.seal.json").read_text())["subject"][0]["name"] == (
        "a sweep of 2 runs"
    )
    for name in ("report.html", "notes.txt", ".stop"):
        (sweep / name).write_text("later")
    moved = sweep.rename("moved")
    check = ("seal", "moved", "--check", "outputs/s.seal.json")
    assert command(*check).code == 0
    [one, two] = sorted(path for path in moved.glob("normal-*"))
    (one / "stats.csv").write_text("x")
    (moved / "summary.csv").write_text("x")
    done = command(*check)
    assert (done.code, done.err) == (1, f"moved: {one.name}/stats.csv, summary.csv differ\n")
    done = command("seal", str(two), "--check", "outputs/s.seal.json")
    assert (done.code, done.err) == (
        1,
        f"{two}: holds {two.name}, and outputs/s.seal.json is the seal of a sweep of 2 runs\n",
    )
    (moved / "sweep.json").unlink()
    assert (command(*check).code, "sweep.json is missing" in command(*check).err) == (1, True)


def test_a_sweep_with_a_run_that_is_not_there_or_elsewhere_is_not_sealed(sweep, command):
    words = ["init=normal", "model.input=[3]", "model.layers=[{kind: dense, units: 2}]"]
    [one, _] = sorted(sweep.glob("normal-*"))
    (one / "manifest.json").unlink()
    done = command("seal", str(sweep))
    assert (done.code, "no manifest, so the run did not finish" in done.err) == (2, True)
    assert command("-m", *words, "probe=none", "name=a,b").code == 0
    done = command("seal", "outputs/a")
    assert (done.code, "error: outputs/a: its run outputs/b/normal-" in done.err) == (2, True)
    assert done.err.endswith(" is in another folder - seal each run\n")


def test_a_file_that_cannot_be_written_is_one_line(sealed, command, tmp_path):
    folder, path = sealed
    for target, said in ((tmp_path, "it is a folder"), ("no/x.json", "there is no such folder")):
        done = command("seal", str(folder), "-o", str(target))
        assert (done.code, done.err) == (
            2,
            f"error: {target}: cannot be written ({said}) - give another file with -o\n",
        )
    done = command("seal", str(folder), "-o", "x.json", "--check", str(path))
    assert (done.code, done.err.startswith("error: -o: is for writing a seal")) == (2, True)


def test_what_is_not_as_its_manifest_says_is_not_sealed(sealed, tmp_path, capsys):
    folder, path = sealed
    (folder / "stats.csv").write_text("x")
    assert run_command(["seal", str(folder)]) == 2
    assert f"error: {folder}: stats.csv is not as the manifest says: " in capsys.readouterr().err
    for missing in (tmp_path, tmp_path / "missing"):
        assert run_command(["seal", str(missing)]) == 2
    assert check(tmp_path / "missing", path, capsys)[0] == 2


def test_a_seal_lies_outside_of_what_it_seals(sealed, tmp_path, capsys):
    folder, _ = sealed
    assert run_command(["seal", str(folder), "-o", str(folder / "x.json")]) == 2
    assert "a seal cannot be in the folder that it seals" in capsys.readouterr().err
    assert run_command(["seal", str(folder), "-o", str(tmp_path / "x.json")]) == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: "[" * 100_000,
        lambda text: text.replace("stats.csv", "../stats.csv"),
        lambda text: text.replace("stats.csv", "plan.json"),
        lambda text: text.replace('"sha256": "', '"sha256": "0'),
        lambda text: text.replace("in-toto", "in-tot"),
        lambda text: text.replace('"name": ', '"name": 3, "x": '),
        lambda text: text.replace("resources", "resource"),
        lambda text: text.replace("{", '{"x": 1, "x": 2, ', 1),
    ],
)
def test_a_damaged_seal_is_refused_in_one_line(damage, sealed, capsys):
    folder, path = sealed
    path.write_text(damage(path.read_text()))
    code, text = check(folder, path, capsys)
    assert (code, len(text.splitlines())) == (2, 1)
    assert text.startswith(f"error: {path}: is ")
    path.unlink()
    assert check(folder, path, capsys)[0] == 2


def test_a_link_is_not_sealed(sealed, tmp_path, capsys):
    folder, path = sealed
    (folder / "more.txt").symlink_to(tmp_path)
    assert run_command(["seal", str(folder)]) == 2
    assert "is a link, which no seal covers" in capsys.readouterr().err
