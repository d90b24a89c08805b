"""What is written into a run's folder: JSON that a person can read and every reader understands."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from initlab.runner.evidence.folder import RunFolder
from initlab.runner.files import in_json, json_text, write_json
from initlab.runner.run import stages, streamed

VALUES = [
    {},
    [],
    {"a": [], "b": {}, "c": None, "d": True, 'é\n"': 'é\n"\\ \u2028 \U0001f600'},
    [1, 2.5, -0.0, 1e300, 5e-324, 10**30],
    [[1, 2], [3, [4]], {"x": [{"y": []}]}],
    {1: "a", 2.5: "b", False: "c", None: "d"},
    (1, (2, 3)),
    {"nan": float("nan"), "in a list": [float("inf"), -float("inf"), 1.0]},
    {"numpy": np.float32(0.1), "whole": np.int64(3), "flags": [np.bool_(True), np.float64(2)]},
    "text",
    3,
]


ROOT = Path(__file__).parents[2]


WORDS = [
    "init=normal",
    "model.input=[700]",
    "model.layers=[{kind: dense, units: 2000}, {kind: dense, units: 600}]",
    "probe=none",
]


def in_a_small_disk(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line on a file system of 3 MB; skip where this user may not make one."""
    script = f"mount -t tmpfs -o size=3m none {folder}"
    probe = (
        subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True)
        if shutil.which("unshare")
        else None
    )
    if probe is None or probe.returncode:
        pytest.skip("a small file system cannot be mounted here")
    command = " ".join([sys.executable, "-m", "runner", *(f"'{word}'" for word in words)])
    listing = (
        f"{command}; code=$?; find outputs -name 'snapshot*' -o -name manifest.json; exit $code"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{script} && cd {folder} && {listing}"],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_says_what_pythons_own_writer_says(value):
    text = json_text(value)
    expected = json.dumps(in_json(value), ensure_ascii=False, allow_nan=False)
    assert json.loads(text) == json.loads(expected)
    assert "".join(text.split()) == "".join(expected.split())


def test_a_part_stands_on_a_line_and_a_list_of_plain_values_on_one():
    assert json_text({"a": {"b": [1, 2]}, "c": [{"d": 1}]}) == (
        '{\n "a": {\n  "b": [1, 2]\n },\n "c": [\n  {\n   "d": 1\n  }\n ]\n}'
    )


@pytest.mark.parametrize(
    "value",
    [{"a": {1, 2}}, {"a": [object()]}, {(1, 2): 3}],
    ids=["a set", "an object", "a key that is no text"],
)
def test_what_json_cannot_say_is_an_error_and_leaves_no_file(value, tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["deferred", "streamed"])
def test_a_disk_that_is_too_small_is_said_and_nothing_is_left_under_its_final_name(mode, tmp_path):
    done = in_a_small_disk(tmp_path, *WORDS, f"init_mode={mode}")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert ": the disk is full: the run writes 0.0104 GB, 0.003" in line
    assert line.endswith("are free - make room and go on with resume=true")
    assert done.stdout == ""


@pytest.mark.parametrize("mode", ["eager", "streamed"])
def test_a_disk_that_fills_on_the_way_leaves_what_can_be_resumed(
    mode, command, only_run, monkeypatch
):
    real, written = os.pwrite, []

    def fills(descriptor, data, offset):
        written.append(len(data))
        if sum(written) > 6_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data, offset)

    words = [*WORDS, f"init_mode={mode}"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fills)
        if mode == "eager":
            patch.setattr(os, "fsync", lambda descriptor: fills(descriptor, bytes(7_000_000), 0))
        done = command(*words)
    assert done.code == 2 and "the disk is full" in done.err, done.err
    assert not list(Path("outputs").rglob("manifest.json")) and not list(
        Path("outputs").rglob("snapshot.safetensors")
    )
    assert command(*words, "resume=true").code == 0
    (folder,) = Path("outputs/runs").iterdir()
    whole = only_run(*WORDS, "init_mode=deferred")
    assert (folder / "snapshot.safetensors").read_bytes() == (
        whole / "snapshot.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("mode", ["eager", "streamed"])
def test_a_folder_that_disappears_is_said(mode, command, monkeypatch):
    real = stages.judge

    def vanish(*rest):
        shutil.rmtree("outputs")
        return real(*rest)

    monkeypatch.setattr(stages, "judge", vanish)
    done = command(*WORDS, f"init_mode={mode}")
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("error: outputs/runs/normal-seed0-")
    assert line.endswith(": the folder disappeared while the run was writing it - run again")


def test_a_folder_that_disappears_while_a_file_is_streamed_is_said(command, monkeypatch):
    real = streamed.os.replace

    def vanish(source, target):
        if str(source).endswith(".partial"):
            shutil.rmtree("outputs")
        return real(source, target)

    monkeypatch.setattr(streamed.os, "replace", vanish)
    done = command(*WORDS, "init_mode=streamed")
    assert (done.code, "the folder disappeared while the run was writing it" in done.err) == (
        2,
        True,
    ), done.err


@pytest.mark.parametrize("mode", ["eager", "streamed"])
def test_a_second_process_on_the_same_run_is_refused_and_disturbs_nothing(mode, command):
    words = [*WORDS, f"init_mode={mode}"]
    assert command(*words).code == 0
    (folder,) = Path("outputs/runs").iterdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = command(*words)
    finally:
        os.close(descriptor)
    assert done.code == 2
    assert (
        "another process is at work on this very run - wait for it to end, or give name=… for a folder of its own"
        in done.err
    )
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert command(*words).code == 0


def test_a_file_system_without_locks_is_used_without(command, monkeypatch):
    def refuse(*rest):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert command(*WORDS).code == 0


def test_an_error_of_another_file_is_not_taken_for_the_folders(command, monkeypatch):
    def missing(*rest):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/elsewhere/values.bin")

    monkeypatch.setattr(stages, "judge", missing)
    with pytest.raises(FileNotFoundError, match=r"/elsewhere/values\.bin"):
        command(*WORDS)


@pytest.mark.parametrize("threads", ["0", "-1", "two", "1.5", "true"])
def test_an_invalid_number_of_threads_is_refused(threads, command):
    done = command(f"threads={threads}")
    assert done.code == 2
    assert done.err.startswith(
        "error: threads: must be a whole number of at least 1, or null for all processors, got "
    )


def test_a_manifest_is_written_only_when_the_file_has_its_name(command, monkeypatch):
    seen = []
    real = RunFolder.write_manifest
    monkeypatch.setattr(
        RunFolder,
        "write_manifest",
        lambda run, content: (
            seen.extend(p.name for p in run.path.iterdir()),
            real(run, content),
        ),
    )
    assert command(*WORDS, "init_mode=streamed").code == 0
    assert "snapshot.safetensors" in seen and not [
        name for name in seen if name.endswith(".partial")
    ]
