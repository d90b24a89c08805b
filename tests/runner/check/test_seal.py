"""A seal lists every file of a finished run with its SHA-256, in the form that model-signing states,
and says whether a folder is still as sealed.
"""

from __future__ import annotations

import hashlib
import json

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
    assert check(folder, path, capsys) == (0, f"{folder}: as sealed, 8 files\n")
    (folder / "more.txt").write_text("")
    assert check(folder, path, capsys) == (1, f"{folder}: more.txt is not sealed\n")
    (folder / "more.txt").unlink()
    (folder / "stats.csv").write_text("x")
    assert check(folder, path, capsys) == (1, f"{folder}: stats.csv differs\n")
    (folder / "stats.csv").unlink()
    assert check(folder, path, capsys) == (1, f"{folder}: stats.csv is missing\n")


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
