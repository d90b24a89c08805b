"""`initlab audit FILE …`: a table, JSON, and an exit code."""

from __future__ import annotations

import json

import pytest
from foreign_files import FOLDER

from initlab.runner.cli import run_command


def test_a_file_of_torch_is_audited(capsys):
    assert run_command(["audit", str(FOLDER / "state.pth")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{FOLDER}/state.pth  (12 tensors)" or "12 tensors" in " ".join(lines[:2])
    assert any("torch's default, 1/sqrt(3 fan_in)" in line for line in lines)
    assert "no contradiction" in " ".join(lines[-2:])


def test_json_lists_the_files(capsys):
    assert run_command(["audit", str(FOLDER / "state.pth"), "--json", "--layers", "12"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["format"] == "initlab-audit-1"


def test_a_run_is_what_it_declares(only_run, command):
    folder = only_run("init=he", "probe=none")
    done = command("audit", str(folder))
    assert done.code == 0 and "he, fan_in" in done.out


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"<html>", "is a web page"), (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS")],
)
def test_what_is_no_weights_is_refused_in_one_line(content, said, tmp_path, capsys):
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(content)
    assert run_command(["audit", str(path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_facts_must_be_positive(capsys):
    assert run_command(["audit", "x", "--layers", "0", "--std", "-1"]) == 2
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == [
        "--layers:",
        "--std:",
    ]
