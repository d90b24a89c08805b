"""Parts of a run, made without a word between them, are the whole run; what is no complete set of
parts is refused.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import formats, laws
from initlab.engine.errors import FormatError
from initlab.engine.streams import Key
from initlab.runner.cli import run_command
from initlab.runner.plan import shards
from initlab.runner.plan.row import Row

WORDS = ["init=normal", "model=shared", "init_mode=streamed", "probe=none"]


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def row(path: str, size: int) -> Row:
    return Row(
        path,
        (size,),
        "float32",
        None,
        None,
        None,
        None,
        "init",
        "Zero",
        laws.Constant(0),
        Key(0, path),
        "initlab-1",
        None,
        4 * size,
    )


@pytest.fixture
def parts(only_run) -> list[Path]:
    return [only_run(*WORDS, f"shard={i}/3") for i in (1, 2, 3)]


@given(sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=30), data=st.data())
def test_every_tensor_is_in_one_part_in_order_and_no_part_is_empty(sizes, data):
    rows = [row(f"{i:03}", size) for i, size in enumerate(sizes)]
    count = data.draw(st.integers(1, len(rows)))
    divided = shards.divide(rows[::-1], count)
    assert [r for part in divided for r in part] == rows
    assert len(divided) == count and all(divided)


def test_parts_are_even_where_tensors_are():
    assert [len(part) for part in shards.divide([row(f"{i:03}", 10) for i in range(12)], 4)] == [
        3,
        3,
        3,
        3,
    ]


def test_parts_together_have_the_values_the_figures_and_the_root_of_the_whole(
    parts, only_run, capsys, tmp_path
):
    whole = only_run(*WORDS, "name=whole")
    assert run_command(["join", *(str(part) for part in parts[::-1])]) == 0
    root, folder = capsys.readouterr().out.split()[-2:]
    joined = tmp_path / folder
    assert root == manifest_of(whole)["digests"]["root"]
    assert joined.name == whole.name
    assert (joined / "stats.json").read_text() == (whole / "stats.json").read_text()
    for key in (
        "run_id",
        "config",
        "canonical",
        "digests",
        "aliases",
        "exactness",
        "totals",
        "ledger",
    ):
        if key != "config":
            assert manifest_of(joined)[key] == manifest_of(whole)[key], key
    assert run_command(["verify", *(str(folder) for folder in [joined, whole, *parts])]) == 0


def test_the_layout_is_hugging_faces_and_any_part_tells_of_all(parts):
    from safetensors.numpy import load_file

    texts = {(part / "model.safetensors.index.json").read_text() for part in parts}
    assert len(texts) == 1
    index = json.loads(texts.pop())
    assert set(index) == {"metadata", "weight_map"}
    assert set(index["weight_map"].values()) == {
        f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)
    }
    for i, part in enumerate(parts, 1):
        name = f"model-0000{i}-of-00003.safetensors"
        assert set(load_file(part / name)) == {
            path for path, file in index["weight_map"].items() if file == name
        }


def test_a_shard_without_a_snapshot_keeps_no_index(only_run):
    folder = only_run(*WORDS, "shard=1/2", "snapshot=none")
    assert not (folder / "model.safetensors.index.json").exists()


def test_an_index_that_does_not_fit_its_files_is_refused(parts, tmp_path, capsys):
    run_command(["join", *(str(part) for part in parts)])
    joined = Path(capsys.readouterr().out.split()[-1])
    index = joined / "model.safetensors.index.json"
    shutil.copyfile(joined / "model-00001-of-00003.safetensors", tmp_path / "copy")
    (joined / "model-00002-of-00003.safetensors").unlink()
    shutil.copyfile(tmp_path / "copy", joined / "model-00002-of-00003.safetensors")
    with pytest.raises(
        FormatError,
        match=r"says of '.*' that it is (not )?in model-00002-of-00003.safetensors, which is not so",
    ):
        formats.get(index).read(index)
    index.write_text("{}")
    with pytest.raises(FormatError, match="it has no proper weight_map"):
        formats.get(index).read(index)
    index.write_text("{")
    with pytest.raises(FormatError, match="it is no JSON"):
        formats.get(index).read(index)
    with pytest.raises(FormatError, match="made of several files"):
        formats.get(index).write(index, formats.Snapshot({}))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shard=4/3"], "shard: must be a part from 1 to 3, got '4/3'"),
        (["shard=0/3"], "shard: must be a part from 1 to 3, got '0/3'"),
        (["shard=1/0"], "shard: must be of at least 1 part, got '1/0'"),
        (["shard=2"], "shard: must be i/n, part i of n like 1/4, got 2"),
        (["shard=a/b"], "shard: must be i/n, part i of n like 1/4, got 'a/b'"),
        (["shard=1/9"], "shard: cannot be 9 parts of 4 tensors - at most 4"),
        (
            ["shard=1/2", "init_mode=eager"],
            "shard: is for init_mode=streamed, which never holds a model whole, got init_mode=eager",
        ),
        (
            ["shard=1/2", "probe=forward"],
            "probe: a shard holds a part of the network only, which cannot be probed - use probe=none",
        ),
    ],
    ids=" ".join,
)
def test_an_invalid_shard_is_refused(words, message, command):
    given = {word.partition("=")[0] for word in words}
    done = command(*(word for word in WORDS if word.partition("=")[0] not in given), *words)
    assert done.code == 2
    assert f"error: {message}" in done.err
    assert not list(Path(".").rglob("manifest.json"))


def test_parts_are_runs_of_a_sweep_like_any_other(command):
    done = command("-m", *WORDS, "shard=1/2,2/2")
    assert done.code == 0, done.err
    assert len(list(Path("outputs/runs").glob("*/manifest.json"))) == 2
