"""What is listed of one run, whatever became of it."""

from __future__ import annotations

import fcntl
import json
import os
import socket

import pytest

import initlab
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.record import (
    FACTS,
    Record,
    Sections,
    at_work,
    record_in,
    utc,
)
from initlab.runner.evidence.status import COMPLETED, FAILED, RUNNING, TIMED_OUT, Status, write

CONFIG = "name: mine\nseed: 3\ninit:\n  kind: he\n  slope: 0.1\n"


@pytest.fixture
def finished(tmp_path):
    words = ["init=normal", "model=mlp", "probe=forward"]
    return initlab.declare(*words).run(tmp_path / "done").path


@pytest.fixture
def begun(tmp_path):
    """A run that began and did not end."""
    folder = tmp_path / "mine" / "he-seed3-0"
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text(CONFIG)
    (folder / "plan.json").write_text("{}")
    return folder


def test_a_finished_run_has_every_fact(finished):
    record = record_in(finished)
    facts = record.facts
    manifest = initlab.load(finished).manifest
    assert set(facts) == {*FACTS, "provenance"}
    assert facts["when"] == manifest.provenance.ended
    assert facts["provenance"]["host"] == socket.gethostname()
    assert (facts["state"], facts["run_id"]) == ("finished", manifest.run_id)
    assert facts["name"] == finished.parent.name
    assert (facts["root"], facts["seconds"]) == (manifest.digests.root, manifest.seconds)
    assert (facts["diagnosis"], facts["finding"]) == ("odd", "signal-vanishes")
    assert (facts["model"], facts["tags"], facts["note"], facts["off"]) == ("mlp", [], None, 0)
    assert facts["folder"] == str(finished) and facts["error"] is None
    sizes = sum(f.stat().st_size for f in finished.rglob("*") if f.is_file())
    assert facts["bytes"] == sizes - (finished / "runner.log").stat().st_size
    assert record.config == manifest.config
    assert record.figures == initlab.load(finished).stats.figures
    assert record.sections == list(initlab.load(finished).stats.by_name)


def test_the_facts_of_a_run_are_the_same_whatever_they_are_kept_as(finished):
    record = record_in(finished)
    assert Record(*json.loads(json.dumps(record.to_json()))) == record


def test_tags_and_note_of_the_config_are_facts(finished):
    path = finished / "manifest.json"
    content = json.loads(path.read_text())
    content["config"] |= {"tags": ["wide", "baseline"], "note": "the first"}
    path.write_text(json.dumps(content))
    facts = record_in(finished).facts
    assert (facts["tags"], facts["note"]) == (["wide", "baseline"], "the first")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("manifest.json", "manifest.json: the manifest is damaged"),
        ("stats.json", "stats.json: is damaged"),
        ("diagnosis.json", "diagnosis.json: is damaged"),
    ],
)
def test_a_damaged_file_is_a_state_with_what_is_wrong(file, said, finished):
    (finished / file).write_text('{"a": ')
    facts = record_in(finished).facts
    assert facts["state"] == "damaged" and said in facts["error"]
    assert "\n" not in facts["error"]


def test_a_run_that_failed_says_why(begun):
    write(begun, Status(FAILED, "he-seed3-0", ["init=he"], "ValueError: no\nreally", "…", 1.5))
    record = record_in(begun)
    facts = record.facts
    assert (facts["state"], facts["error"]) == ("failed", "ValueError: no")
    assert (facts["name"], facts["words"], facts["seconds"]) == ("mine", ["init=he"], 1.5)
    assert record.config["init"] == {"kind": "he", "slope": 0.1}


def test_a_failure_after_the_manifest_is_a_failure(finished):
    write(finished, Status(FAILED, "x", [], "no such figure"))
    record = record_in(finished)
    assert (record.facts["state"], record.facts["error"]) == ("failed", "no such figure")
    assert record.figures


def test_a_run_that_hung_until_it_was_killed_is_timed_out(begun):
    write(begun, Status(RUNNING, "x", pid=2**22 - 1, limit=5.0))
    assert record_in(begun).facts["state"] == "crashed"
    (begun / "runner.log").write_text("Timeout (0:00:05)!\n")
    assert record_in(begun).facts["state"] == "timed out"
    write(begun, Status(TIMED_OUT, "x", error="it took longer"))
    assert record_in(begun).facts["error"] == "it took longer"


def test_a_run_without_status_is_unfinished_and_running_while_its_folder_is_locked(begun):
    assert record_in(begun).facts["state"] == "unfinished"
    descriptor = os.open(begun, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert record_in(begun).facts["state"] == "running" and at_work(begun)
    os.close(descriptor)
    assert record_in(begun).facts["state"] == "unfinished" and not at_work(begun)


def test_a_run_whose_process_is_gone_is_crashed(begun):
    write(begun, Status(RUNNING, "x", pid=2**22 - 1))
    assert (record_in(begun).facts["state"], record_in(begun).facts["error"]) == (
        "crashed",
        f"its process {2**22 - 1} is gone",
    )
    write(begun, Status(RUNNING, "x"))  # this process has it, and no lock: it has ended
    assert record_in(begun).facts["state"] == "crashed"
    write(begun, Status(COMPLETED, "x"))
    assert record_in(begun).facts["error"] == "it has no manifest"


def test_a_run_of_another_machine_is_believed(begun):
    write(begun, Status(RUNNING, "x", host=f"not-{socket.gethostname()}"))
    assert record_in(begun).facts["state"] == "running"


def test_without_locks_the_process_of_the_status_counts(begun, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    write(begun, Status(RUNNING, "x"))
    assert record_in(begun).facts["state"] == "running"
    write(begun, Status(RUNNING, "x", pid=2**22 - 1))
    assert record_in(begun).facts["state"] == "crashed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "a: &x [1]\nb: *x",
        "a: &x [*x]",
        "!!python/object:os.system a",
        "\x00",
        "a: [",
        "3: x",
    ],
)
def test_a_config_that_we_did_not_write_is_none_or_plain(text, begun):
    (begun / ".hydra" / "config.yaml").write_text(text)
    record = record_in(begun)
    assert record.facts["state"] == "unfinished"
    assert record.config in ({}, {"3": "x"})


def test_the_manifest_of_something_else_is_no_run(tmp_path):
    for name in ("manifest.json", "status.json"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text('{"name": "a web page"}')
        with pytest.raises(EvidenceError, match="is no run - give the folder of"):
            record_in(folder)
    (tmp_path / "status" / "data.csv").write_text("")
    (tmp_path / "status" / "plan.json").write_text("{}")
    with pytest.raises(EvidenceError, match="is no run - give the folder of"):
        record_in(tmp_path / "status")
    os.rename(tmp_path / "status", tmp_path / "he-seed0-ccc50c2e58e273b0")
    assert record_in(tmp_path / "he-seed0-ccc50c2e58e273b0").facts["state"] == "unfinished"
    (tmp_path / "manifest" / "manifest.json").write_text("{")
    assert record_in(tmp_path / "manifest").facts["state"] == "damaged"


def test_sections_of_the_statistics_are_read_when_they_are_asked_for(finished):
    record = record_in(finished)
    sections = Sections(record, finished)
    assert sections["figures"] is record.figures and sections["state"] == "finished"
    assert set(sections) == {*FACTS, "provenance", *record.sections} and len(sections) == len(
        set(sections)
    )
    assert sections["layers"][0]["path"] == "0"
    with pytest.raises(KeyError):
        sections["none"]
    (finished / "stats.json").write_text("{")
    with pytest.raises(EvidenceError, match=r"stats\.json: is damaged"):
        Sections(record, finished)["layers"]


def test_a_time_is_a_text_that_sorts_like_times():
    assert utc(1_000_000_000_123_456_789) == "2001-09-09T01:46:40.123Z"
    assert utc(0) is None and utc(10**30) is None
