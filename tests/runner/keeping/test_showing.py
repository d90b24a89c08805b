"""`initlab show` prints what the run printed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from initlab.engine import formats
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.status import FAILED, Status, write
from initlab.runner.keeping.showing import find, show

BLOCKS = (
    "model.layers=[{kind: dense, name: stem, units: 8},"
    "{kind: repeat, name: blocks, times: 6, layers: [{kind: dense, name: fc, units: 8}]},"
    "{kind: dense, name: head, units: 4}]"
)


def folder_of(out: str) -> str:
    return out.splitlines()[-1].split("  ")[0]


@pytest.mark.parametrize(
    "words",
    [
        ["init=normal"],
        ["init=he", "model=shared", "probe=none"],
        [BLOCKS, "init=he", "probe=backward", "measure=[spectrum,jacobian]"],
        [BLOCKS, "init=he", "fold=false", "show=[layers,parameters]"],
        ["init=zero", "show=[]"],
        ["init=constant", "init.value=1e38", "dtype=float32", "probe=backward"],
        ["init=normal", "init.sigma=1e30", "dtype=float32", "model=deep_mlp"],
        ["probe=train", "data=digits", "model.input=[64]", "probe.epochs=2"],
        ["init_mode=streamed", "init=he"],
        ["init=he", "dtype=float16", "stats=[moments]"],
        ["model=residual_mlp", "init=fixup", "measure=[layers,cosine]"],
        ["model=mlp", "model.freeze=['0[.].*']"],
    ],
    ids=lambda words: " ".join(words)[-40:],
)
def test_a_run_is_shown_as_it_was_printed(words, command):
    done = command(*words)
    assert done.code == 0, done.err
    shown = command("show", folder_of(done.out))
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == done.out


def test_a_run_of_a_sweep_is_shown_as_if_made_alone(command):
    assert command("-m", "init=he,normal").code == 0
    alone = command("init=he", "name=alone").out
    [folder] = Path("outputs/runs").glob("he-*")
    shown = command("show", str(folder)).out
    assert shown.splitlines()[:-1] == alone.splitlines()[:-1]


def test_what_was_converted_is_said_as_long_as_its_file_is_there(command, tmp_path):
    values = {"0.weight": np.ones((256, 20)), "1.weight": np.ones((10, 256))}
    zeros = {"0.bias": np.zeros(256), "1.bias": np.zeros(10)}
    formats.get("safetensors").write(tmp_path / "v.safetensors", formats.Snapshot(values | zeros))
    done = command("init=load", "init.param=v.safetensors")
    assert done.code == 0 and "converted from float64 to float32" in done.out
    folder = folder_of(done.out)
    assert command("show", folder).out == done.out
    (tmp_path / "v.safetensors").unlink()
    shown = command("show", folder)
    assert shown.code == 0 and "converted" not in shown.out and "root " in shown.out


def test_a_sweep_is_shown_with_its_result(command):
    done = command("-m", "init=he,normal", "seed=0,1")
    shown = command("show", "outputs/runs")
    assert shown.code == 0
    table = [line for line in done.out.splitlines() if "±" in line]
    assert table == [line for line in shown.out.splitlines() if "±" in line] and len(table) == 3
    assert shown.out.splitlines()[-1] == "4 of 4 runs completed"
    assert command("init=xavier").code == 0
    assert "outputs/runs holds 1 more run" in command("show", "runs").out


def test_a_run_that_did_not_finish_is_shown_with_its_state_and_its_error(command):
    folder = Path("outputs/runs/x-0")
    folder.mkdir(parents=True)
    write(folder, Status(FAILED, "x-0", ["init=he", "seed=0"], "ValueError: [no]", "…", 1.5))
    (folder / "runner.log").write_text("")
    done = command("show", "runs/x-0")
    lines = done.out.splitlines()
    assert (done.code, lines[0]) == (0, "failed  x-0: ValueError: [no]")
    assert lines[1] == "words  init=he seed=0" and lines[-1] == f"log    {folder}/runner.log"


def test_a_run_that_failed_after_its_manifest_is_shown_with_both(command):
    folder = folder_of(command("init=he").out)
    write(Path(folder), Status(FAILED, "x", [], "no such figure"))
    lines = command("show", folder).out.splitlines()
    assert any(line.startswith("root ") for line in lines)
    assert "failed  " in "\n".join(lines) and "no such figure" in "\n".join(lines)


@pytest.mark.parametrize("file", ["manifest.json", "stats.json", "plan.json", "diagnosis.json"])
def test_a_damaged_file_is_one_line(file, command):
    folder = folder_of(command("init=he").out)
    (Path(folder) / file).write_text("{")
    done = command("show", folder)
    assert done.code == 2 and len(done.err.splitlines()) == 1 and file in done.err


@pytest.mark.parametrize("given", ["nowhere", "", "file", "outputs"])
def test_what_is_neither_a_run_nor_a_name_is_refused(given, command, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "outputs" / "empty").mkdir(parents=True)
    done = command("show", given)
    assert done.code == 2 and "give the folder of a finished run" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_folder_is_meant_as_it_is_given_before_one_of_the_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("a", "outputs/a", "outputs/b"):
        (tmp_path / place).mkdir(parents=True)
    assert find("a") == Path("a") and find("b") == Path("outputs/b")
    with pytest.raises(EvidenceError, match="no such folder"):
        find("/b")


def test_a_narrow_screen_breaks_no_number(command):
    folder = folder_of(command("init=he").out)
    out = Console(file=io.StringIO(), width=40, color_system=None)
    show(folder, out)
    assert "0.weight" in out.file.getvalue()
