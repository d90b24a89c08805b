"""A streamed run writes, byte for byte, what a run in memory writes, with nothing of a model in
memory, and goes on after a kill.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from initlab.engine import formats, laws
from initlab.engine.formats import pages
from initlab.runner.cli import run_command
from initlab.runner.evidence import journal
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.run import streamed

ROOT = Path(__file__).parents[3]


WORDS = [
    "init=normal",
    "model.input=[700]",
    "model.layers=[{kind: dense, units: 2000}, {kind: dense, units: 600}, {kind: dense, units: 3}]",
]


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def stats_of(folder: Path) -> dict:
    return json.loads((folder / "stats.json").read_text())


def same_file(a: Path, b: Path) -> bool:
    return (a / "snapshot.safetensors").read_bytes() == (b / "snapshot.safetensors").read_bytes()


def test_without_a_snapshot_the_digests_are_the_same_and_nothing_is_kept(only_run, capsys):
    held = only_run(*WORDS, "init_mode=eager")
    written = only_run(*WORDS, "init_mode=streamed", "snapshot=none", "probe=none")
    assert manifest_of(held)["digests"] == manifest_of(written)["digests"]
    assert not list(written.glob("*snapshot*"))
    assert run_command(["verify", str(written)]) == 0


def test_training_on_the_mapped_file_is_training_in_memory_and_changes_nothing_in_it(only_run):
    words = ["experiment=digits_lenet", "probe.epochs=1"]
    held, written = (only_run(*words, f"init_mode={mode}") for mode in ("eager", "streamed"))
    assert same_file(held, written)
    assert stats_of(held)["training"] == stats_of(written)["training"]


def test_statistics_that_want_all_values_at_once_get_them_from_the_file(only_run, command):
    words = [*WORDS, "stats=[moments,histogram,law]", "stats.histogram.exact=true"]
    held, written = (only_run(*words, f"init_mode={mode}") for mode in ("eager", "streamed"))
    assert stats_of(held) == stats_of(written)
    assert (held / "stats.csv").read_text() == (written / "stats.csv").read_text()
    done = command(*words, "init_mode=streamed", "snapshot=none", "probe=none")
    said = "needs all 1400000 values of '0.weight' at once, which a streamed run without a snapshot never has - use snapshot=safetensors"
    assert (done.code, done.err) == (2, f"error: stats.histogram: {said}\n")


class Killed(BaseException):
    """Stands for the end of a process."""


def killed_after(monkeypatch, tensors: int) -> None:
    """Let the next streamed run end, with all that it has noted, once so many tensors are in its
    journal.
    """
    real = journal.Journal.add
    noted = []

    def add(self, finished):
        real(self, finished)
        noted.extend(finished)
        if len(noted) >= tensors:
            monkeypatch.setattr(journal.Journal, "add", real)
            raise Killed

    monkeypatch.setattr(journal.Journal, "add", add)
    monkeypatch.setattr(streamed, "COMMIT", 0.0)


def interrupted(command, monkeypatch, *words: str, tensors: int = 2) -> Path:
    """The folder of a run that ended before it was finished."""
    killed_after(monkeypatch, tensors)
    with pytest.raises(Killed):
        command(*WORDS, "init_mode=streamed", *words)
    (folder,) = Path("outputs/runs").iterdir()
    return folder


def test_a_run_that_was_killed_keeps_what_was_finished_and_draws_the_rest(
    command, only_run, monkeypatch
):
    folder = interrupted(command, monkeypatch, "threads=1")
    assert {p.name for p in folder.iterdir()} >= {
        "snapshot.safetensors.partial",
        "snapshot.journal",
    }
    assert (
        not (folder / "snapshot.safetensors").exists() and not (folder / "manifest.json").exists()
    )
    drawn = []
    real = streamed.Pass
    monkeypatch.setattr(
        streamed,
        "Pass",
        lambda tensors, *rest: (drawn.extend(t.row.path for t in tensors), real(tensors, *rest))[1],
    )
    assert command(*WORDS, "init_mode=streamed", "resume=true").code == 0
    assert 0 < len(drawn) < 6
    held = only_run(*WORDS, "init_mode=eager")
    assert same_file(folder, held) and stats_of(folder) == stats_of(held)
    assert not (folder / "snapshot.journal").exists() and not list(folder.glob("*.partial"))


def test_what_the_journal_vouches_for_and_the_file_does_not_hold_is_drawn_again(
    command, only_run, monkeypatch
):
    folder = interrupted(command, monkeypatch)
    partial = folder / "snapshot.safetensors.partial"
    data = np.fromfile(partial, np.uint8)
    data[len(data) // 3 :] ^= 1
    data.tofile(partial)
    assert command(*WORDS, "init_mode=streamed", "resume=true").code == 0
    assert same_file(folder, only_run(*WORDS, "init_mode=eager"))
    assert "is not as its journal says: drawn again" in (folder / "runner.log").read_text()


def test_without_resume_a_run_starts_over(command, only_run, monkeypatch):
    folder = interrupted(command, monkeypatch)
    (folder / "snapshot.safetensors.partial").write_bytes(b"rubbish")
    (folder / "snapshot.journal").write_bytes(b"rubbish\n")
    assert command(*WORDS, "init_mode=streamed").code == 0
    assert same_file(folder, only_run(*WORDS, "init_mode=eager"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.replace(b'"path"', b'"pfad"', 1), "line 2 of the journal is damaged"),
        (lambda t: b"x" + t, "line 1 of the journal is damaged"),
        (lambda t: t.replace(b"\n", b"", 1), "line 1 of the journal is damaged"),
    ],
)
def test_a_damaged_journal_is_refused_and_nothing_is_lost(damage, message, command, monkeypatch):
    folder = interrupted(command, monkeypatch)
    path = folder / "snapshot.journal"
    path.write_bytes(damage(path.read_bytes()))
    done = command(*WORDS, "init_mode=streamed", "resume=true")
    assert (done.code, done.err) == (
        2,
        f"error: {folder}/snapshot.journal: {message}, its checksum is another - run without resume=true to start over\n",
    )
    assert (folder / "snapshot.safetensors.partial").exists()


def test_a_journal_cut_off_within_its_last_line_is_good_up_to_there(command, only_run, monkeypatch):
    folder = interrupted(command, monkeypatch)
    path = folder / "snapshot.journal"
    path.write_bytes(path.read_bytes()[:-5])
    assert command(*WORDS, "init_mode=streamed", "resume=true").code == 0
    assert same_file(folder, only_run(*WORDS, "init_mode=eager"))


def test_a_run_killed_between_its_file_and_its_manifest_is_finished_by_resume(
    command, only_run, monkeypatch
):
    def die(*rest):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_manifest", die)
        with pytest.raises(Killed):
            command(*WORDS, "init_mode=streamed")
    (folder,) = Path("outputs/runs").iterdir()
    assert (folder / "snapshot.safetensors").exists() and (folder / "snapshot.journal").exists()
    assert command(*WORDS, "init_mode=streamed", "resume=true").code == 0
    assert same_file(folder, only_run(*WORDS, "init_mode=eager"))


def test_a_process_that_is_killed_leaves_what_resume_finishes(tmp_path):
    often = "import sys; from initlab.runner import cli; from initlab.runner.run import streamed; streamed.COMMIT = 0.05; cli.main()"
    words = [
        sys.executable,
        "-c",
        often,
        "init=normal",
        "init_mode=streamed",
        "probe=none",
        "stats=[moments]",
        "threads=1",
    ]
    model = [
        "model.input=[3000]",
        "model.layers=[{kind: repeat, times: 12, layers: [{kind: dense, units: 3000}]}]",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*words, *model], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        books = list(tmp_path.rglob("snapshot.journal"))
        if books and books[0].read_bytes().count(b"\n") > 1:
            process.kill()
            break
        time.sleep(0.01)
    assert process.wait() == -9, "the run was over before it could be killed"
    (folder,) = (tmp_path / "outputs" / "runs").iterdir()
    assert (
        not (folder / "manifest.json").exists() and not (folder / "snapshot.safetensors").exists()
    )
    subprocess.run(
        [*words, *model, "resume=true"],
        cwd=tmp_path,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert "tensors kept from the unfinished snapshot" in (folder / "runner.log").read_text()
    assert run_command(["verify", str(folder)]) == 0


def test_the_file_is_read_by_the_official_library(only_run):
    from safetensors.numpy import load_file

    folder = only_run(*WORDS, "init_mode=streamed")
    tensors = load_file(folder / "snapshot.safetensors")
    ours = formats.get("safetensors").read(folder / "snapshot.safetensors").tensors
    assert {name: values.tobytes() for name, values in tensors.items()} == {
        name: values.tobytes() for name, values in ours.items()
    }


def test_verify_names_a_streamed_value_that_was_changed(only_run, capsys):
    folder = only_run(*WORDS, "init_mode=streamed")
    path = folder / "snapshot.safetensors"
    with open(path, "r+b") as file:
        entry = formats.safetensors.read_layout(file, path.stat().st_size).entries["0.weight"]
        file.seek(entry.start + 4 * 700 * 5)
        file.write(np.float32(9).tobytes())
    assert run_command(["verify", str(folder)]) == 1
    said = capsys.readouterr().err
    assert (
        "parameter '0.weight': the snapshot's values differ from the manifest's digest in 1 of 1400000 elements"
        in said
    )
    assert "first at [5, 0]" in said


@pytest.fixture
def loading(only_run, tmp_path):
    """The words of a run that loads the values of another one, in the given dtype."""

    def words(dtype: str = "float32") -> list[str]:
        source = only_run(*WORDS, "init_mode=streamed", "probe=none")
        tensors = formats.get("safetensors").read(source / "snapshot.safetensors").tensors
        path = tmp_path / "given.safetensors"
        cast = {name: values.astype(dtype) for name, values in tensors.items()}
        formats.get("safetensors").write(path, formats.Snapshot(cast))
        return [*WORDS[1:], "init=load", f"init.param={path}"]

    return words


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_a_streamed_run_that_loads_is_one_in_memory(loading, only_run, dtype):
    words = [*loading(dtype), "stats=[moments,histogram,law]", "stats.histogram.exact=true"]
    held, written, deferred = (
        only_run(*words, f"init_mode={mode}") for mode in ("eager", "streamed", "deferred")
    )
    assert same_file(held, written) and same_file(held, deferred)
    assert stats_of(held) == stats_of(written) == stats_of(deferred)
    assert all(row["invariants_ok"] for row in stats_of(written)["parameters"])
    unkept = only_run(*words, "init_mode=streamed", "snapshot=none", "probe=none")
    assert stats_of(unkept)["parameters"] == stats_of(held)["parameters"]


def test_a_streamed_run_fetches_each_element_once_and_in_parts(loading, only_run, monkeypatch):
    fetched = []
    real = pages.elements

    def elements(array, start, stop):
        fetched.extend((array.shape, at) for at in range(start, stop, 1000))
        assert stop - start <= pages.BLOCK
        return real(array, start, stop)

    words = loading()
    monkeypatch.setattr(pages, "elements", elements)
    only_run(*words, "init_mode=streamed", "probe=none", "stats=[]")
    assert len(fetched) == len(set(fetched)) > 2600


@pytest.mark.parametrize("mode", ["eager", "streamed"])
def test_a_file_that_changes_while_it_is_loaded_is_said(loading, command, monkeypatch, mode):
    words = loading()
    path = Path(words[-1].removeprefix("init.param="))
    real = laws.Loaded._write

    def write(self, *arguments):
        real(self, *arguments)
        os.utime(path, (0, 0))

    monkeypatch.setattr(laws.Loaded, "_write", write)
    done = command(*words, f"init_mode={mode}", "probe=none")
    said = f"error: init: {path}: was changed while it was read - run again\n"
    assert (done.code, done.err) == (2, said)


@pytest.mark.parametrize("mode", ["eager", "deferred", "streamed"])
@pytest.mark.parametrize("stats", ["[]", "[law]"])
def test_a_value_beyond_the_dtype_is_refused_in_each_mode(command, tmp_path, mode, stats):
    path = tmp_path / "given.npz"
    np.savez(path, **{"0.weight": np.full((2, 3), 1e6, np.float32), "0.bias": np.zeros(2)})
    words = ["model.input=[3]", "model.layers=[{kind: dense, units: 2}]", "dtype=float16"]
    words += ["init=load", f"init.param={path}", "probe=none", f"stats={stats}"]
    done = command(*words, f"init_mode={mode}")
    said = "Loaded(given.npz: 0.weight) gives 1000000.0, which is beyond the range of float16"
    assert (done.code, said in done.err) == (2, True), done.err
    assert "cannot fill '0.weight': " in done.err
