"""`initlab audit FILE …`: a table, JSON, and an exit code."""

from __future__ import annotations

import json

import pytest
from foreign_files import FOLDER

from initlab.engine import formats
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


def test_infer_is_what_is_done_without_a_declaration(capsys):
    path = str(FOLDER / "state.pth")
    assert run_command(["audit", path, "--infer"]) == 0
    said = capsys.readouterr().out
    assert run_command(["audit", path]) == 0
    assert capsys.readouterr().out == said
    for option in ("--against", "--descends-from"):
        assert run_command(["audit", path, "--infer", option, "x"]) == 2
        assert capsys.readouterr().err == (
            f"error: --infer: has no meaning beside {option} - leave one of the two out\n"
        )


SUFFIXES = (".safetensors", ".npz", ".params", ".pth", ".bin", ".h5", ".onnx", ".index.json", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty - download or copy it again"),
        (b"<!DOCTYPE html><html>", "is a web page (HTML), not weights - download the file itself"),
        (b"404: Not Found", "is the answer of a server, not weights - download the file itself"),
        (b"Entry not found", "is the answer of a server, not weights - download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer, not the file"),
        (b"\x1f\x8b\x08\0" + bytes(99), "is a gzip file - unpack it with gunzip"),
        (bytes(257) + b"ustar\x0000" + bytes(99), "is a tar archive - unpack it with tar -xf"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_line_whatever_it_is_called(
    suffix, content, said, tmp_path, capsys
):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    assert run_command(["audit", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: {said}")


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".params"])
def test_a_file_without_tensors_is_not_said_to_be_as_declared(suffix, tmp_path, capsys):
    path = tmp_path / f"a{suffix}"
    formats.get(path).write(path, formats.Snapshot({}))
    assert run_command(["audit", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {path}: holds no tensors, so it is no file of weights\n"
    )


def test_a_run_that_kept_no_values_is_refused(only_run, command):
    folder = only_run("init=he", "probe=none", "snapshot=none")
    done = command("audit", str(folder))
    assert (done.code, done.out) == (2, "")
    said = "the run kept no snapshot - run it with snapshot=safetensors"
    assert done.err == f"error: {folder}: {said}\n"


def test_the_file_in_a_folder_is_named(tmp_path, capsys):
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    (tmp_path / "config.json").write_bytes(b"{}")
    assert run_command(["audit", str(tmp_path)]) == 2
    said = f"give the file in it: {tmp_path}/pytorch_model.bin\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_checkpoint_of_a_training_script_is_read(tmp_path, capsys):
    path = tmp_path / "model_best.pth.tar"
    path.write_bytes((FOLDER / "state.pth").read_bytes())
    assert run_command(["audit", str(path)]) == 0
