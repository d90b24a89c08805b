"""`initlab ls`: the runs of every sweep, chosen and shown."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil

import pytest

from initlab.runner.evidence.status import FAILED, RUNNING, Status, write


@pytest.fixture
def outputs(command, tmp_path):
    """Two sweeps of one name, a name within a name, a run that failed and one that was killed."""
    assert command("-m", "init=he,normal", "probe=forward").code == 0
    assert command("-m", "init=xavier", "seed=0,1", "probe=forward").code == 0
    done = tmp_path / "outputs" / "runs"
    shutil.copytree(next(done.glob("he-*")), tmp_path / "outputs" / "my study" / "ü" / "he-0")
    write_failed(tmp_path / "outputs" / "runs" / "bad-seed0-1")
    (tmp_path / "outputs" / "killed").mkdir()
    write(tmp_path / "outputs" / "killed", Status(RUNNING, "killed", pid=2**22 - 1))
    return tmp_path / "outputs"


def write_failed(folder):
    folder.mkdir()
    write(folder, Status(FAILED, folder.name, ["init=bad", "seed=0"], "ValueError: a, b"))


def paths(done):
    assert done.code == 0, done.err
    return [row["path"] for row in json.loads(done.out)]


def test_every_run_is_listed_whichever_sweep_made_it(command, outputs):
    done = command("ls")
    assert done.code == 0 and done.err == ""
    head, *rows = done.out.splitlines()
    assert head.split()[:5] == ["path", "state", "when", "diagnosis", "output_rms"]
    assert rows[-1] == "7 runs: 5 finished, 1 crashed, 1 failed" and len(rows) == 9
    assert any(row.split("  ")[0] == "my study/ü/he-0" for row in rows)
    assert any(row.startswith("runs/bad-seed0-1  ") and " failed " in row for row in rows)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("init.kind == 'he' and figures.output_rms > 0", 2),
        ("state == 'failed'", 1),
        ("state in ['failed', 'crashed']", 2),
        ("name == 'runs' and init.kind == 'xavier'", 2),
        ("'seed=1' in words", 1),
        ("finding == 'signal-vanishes' and diagnosis == 'odd'", 1),
        ("layers[-1].rms > 0", 5),
        ("run_id == 'killed'", 1),
        ("when > '2001'", 7),
        ("provenance.host != ''", 5),
        ("tags == null", 0),
    ],
)
def test_a_condition_reaches_facts_config_and_figures(where, count, command, outputs):
    if where == "tags == null":
        assert command("ls", where).code == 2  # a list is no single value
    else:
        assert len(paths(command("ls", where, "--json"))) == count


def test_no_match_is_said_and_is_no_error(command, outputs):
    done = command("ls", "seed == 99")
    assert (done.code, done.out) == (0, "\nnone of 7 runs matches\n")
    assert command("ls", "seed == 99", "--json").out == "[]\n"
    assert command("ls", "seed == 99", "--csv", "--columns", "seed").out == "path,seed\r\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init.knd == 'he'"], "did you mean 'kind'?"),
        (["stte == 'failed'"], "did you mean 'state'?"),
        (["--columns", "figures.output_rmz"], "did you mean 'output_rms'?"),
        (["--sort", "-figures.output_rmz"], "did you mean 'output_rms'?"),
        (["--sort", "figurs.output_rms"], "did you mean 'figures'?"),
        (["seed = 3"], "column 6: there is no '=' - write =="),
        (["--columns", "init"], "is no single value - name one of them"),
        (["--root", "nowhere"], "nowhere: no such folder - give one that holds runs"),
        (["--csv", "--json"], "not allowed with argument"),
        (["--sort"], "expected one argument"),
    ],
)
def test_a_wrong_word_is_one_error_with_the_nearest_name(words, said, command, outputs):
    done = command("ls", *words)
    assert (done.code, done.out) == (2, "") and said in done.err
    assert len(done.err.splitlines()) == 1


def test_runs_are_sorted_both_ways(command, outputs):
    words = ("ls", "state == 'finished'", "--json", "--columns", "figures.output_rms")
    up = [
        row["figures.output_rms"]
        for row in json.loads(command(*words, "--sort", "figures.output_rms").out)
    ]
    down = [
        row["figures.output_rms"]
        for row in json.loads(command(*words, "--sort", "-figures.output_rms").out)
    ]
    assert up == sorted(up) == down[::-1] and len(up) == 5


def test_csv_and_json_have_everything(command, outputs):
    rows = list(csv.DictReader(io.StringIO(command("ls", "--csv").out, newline="")))
    whole = json.loads(command("ls", "--json").out)
    assert len(rows) == len(whole) == 7
    for row, same in zip(rows, whole, strict=True):
        assert list(row) == list(same)
        assert {
            "state",
            "run_id",
            "folder",
            "seed",
            "init.kind",
            "figures.output_rms",
        } <= row.keys()
        assert row["run_id"] == same["run_id"] and (row["seed"] == "") is (same["seed"] is None)
    failed = next(row for row in whole if row["state"] == "failed")
    assert failed["error"] == "ValueError: a, b" and failed["figures.output_rms"] is None


def test_the_folder_of_all_runs_is_given_or_in_the_environment(
    command, outputs, tmp_path, monkeypatch
):
    os.rename(outputs, tmp_path / "elsewhere")
    assert command("ls").code == 2
    assert len(paths(command("ls", "--root", "elsewhere", "--json"))) == 7
    monkeypatch.setenv("INITLAB_OUTPUTS", str(tmp_path / "elsewhere"))
    assert len(paths(command("ls", "--json"))) == 7
    (tmp_path / "empty").mkdir()
    assert command("ls", "--root", "empty").out == "\nno runs\n"


def test_a_damaged_run_is_listed_and_a_condition_that_it_cannot_answer_is_a_warning(
    command, outputs
):
    manifest = next(outputs.glob("runs/he-*/manifest.json"))
    manifest.write_text("{")
    assert "1 damaged" in command("ls").out
    done = command("ls", "seed == 0", "--json")
    assert done.err.startswith("warning: left out: ") and "the manifest is damaged" in done.err
    assert len(done.err.splitlines()) == 1
    assert command("ls", "state == 'damaged'").err == ""


def test_outputs_that_cannot_be_written_are_listed(command, outputs):
    os.chmod(outputs, 0o500)
    try:
        assert len(paths(command("ls", "--json"))) == 7
    finally:
        os.chmod(outputs, 0o700)
