"""`initlab compare A B`: 0 identical, 1 different, 2 where there is nothing to compare."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from initlab.engine import formats
from initlab.engine.formats import Snapshot
from initlab.runner.check import compare, distance
from initlab.runner.check.distance import smirnov
from initlab.runner.cli import run_command


@pytest.fixture
def tell(capsys):
    """`tell(A, B, …)` compares and gives (exit code, stdout, stderr)."""

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(["compare", *(str(word) for word in words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def line(text: str, name: str) -> list[str]:
    """The words of a table's row."""
    return next(found.split() for found in text.splitlines() if found.split()[:1] == [name])


def save(path: Path, tensors: dict[str, np.ndarray], aliases: dict[str, str] | None = None) -> Path:
    formats.get(path).write(path, Snapshot(tensors, aliases or {}))
    return path


def test_a_run_is_identical_to_itself_and_to_its_snapshot(only_run, tell):
    folder = only_run("init=normal", "model=shared")
    for other in (folder, folder / "snapshot.safetensors"):
        code, out, err = tell(folder, other)
        assert (code, err) == (0, "")
        assert line(out, "0.weight") == ["0.weight", "8x20", "identical"]
        assert out.splitlines()[-1] == "identical: 4 tensors, 2 tied alike"
        assert "setting" not in out


@pytest.mark.parametrize("suffix", ["npz", "params"])
def test_one_snapshot_in_two_formats_is_identical(suffix, only_run, tell, tmp_path):
    folder = only_run("init=normal", "model=shared")
    found = formats.get("safetensors").read(folder / "snapshot.safetensors")
    other = save(tmp_path / f"x.{suffix}", found.tensors, found.aliases)
    code, out, _ = tell(folder, other)
    assert code == 0
    said = {
        "npz": "identical: 4 tensors, 2 tied alike",
        "params": "identical: 6 tensors, ties not compared (x.params cannot hold any)",
    }
    assert out.splitlines()[-1] == said[suffix]


def test_a_sharded_snapshot_and_a_whole_one_are_identical(only_run, tell, tmp_path):
    words = ("init=normal", "init_mode=streamed", "probe=none")
    whole, first, second = (
        only_run(*words),
        only_run(*words, "shard=1/2"),
        only_run(*words, "shard=2/2"),
    )
    for part in first.glob("model-*"):
        (second / part.name).write_bytes(part.read_bytes())
    assert tell(whole, second / "model.safetensors.index.json")[0] == 0
    (second / "manifest.json").unlink()
    code, out, _ = tell(whole, second)
    assert (code, out.splitlines()[-1]) == (0, "identical: 4 tensors")


def test_two_runs_differ_by_stated_figures_and_the_settings_are_beside_them(only_run, tell):
    a, b = only_run("init=normal", "seed=1"), only_run("init=normal", "init.sigma=0.02", "seed=1")
    code, out, _ = tell(a, b)
    assert code == 1
    assert line(out, "0.bias") == ["0.bias", "256", "identical"]
    assert line(out, "0.weight")[:6] == ["0.weight", "256x20", "different", "5120", "of", "5120"]
    assert line(out, "0.weight")[7] == "1"  # twice as far out: ||a - 2a|| = ||a||
    assert line(out, "init.sigma") == ["init.sigma", "0.01", "0.02"]
    assert "init.kind" not in out
    assert out.splitlines()[-1] == "different: 2 identical, 2 different"


def test_a_config_that_differs_beside_the_same_values_is_said_and_is_identical(only_run, tell):
    code, out, _ = tell(only_run("init=normal"), only_run("init=normal", "init_mode=eager"))
    assert code == 0
    assert line(out, "init_mode") == ["init_mode", "deferred", "eager"]


def test_seed_stream_and_versions_are_compared(only_run, tell):
    a, b = only_run("init=normal"), only_run("init=normal", "seed=4", "stream=mxnet-1.9.1")
    path = b / "manifest.json"
    content = json.loads(path.read_text())
    content["versions"]["numpy"] = "1.0.0"
    path.write_text(json.dumps(content))
    code, out, _ = tell(a, b)
    assert code == 1
    assert line(out, "seed") == ["seed", "0", "4"]
    assert line(out, "stream") == ["stream", "initlab-1", "mxnet-1.9.1"]
    assert line(out, "versions.numpy") == ["versions.numpy", np.__version__, "1.0.0"]


def test_names_shapes_dtypes_and_ties_that_differ_are_told_apart(tmp_path, tell):
    values = np.arange(6, dtype=np.float32)
    shared = {"same": values, "shape": values.reshape(2, 3), "dtype": values, "tied": values}
    a = save(tmp_path / "a.safetensors", {**shared, "old": values}, {"alias": "same"})
    b = save(
        tmp_path / "b.npz",
        {
            **shared,
            "shape": values.reshape(3, 2),
            "dtype": values.astype(np.float64),
            "new": values,
        },
        {"alias": "tied"},
    )
    code, out, _ = tell(a, b)
    assert code == 1
    assert line(out, "shape") == ["shape", "2x3", "/", "3x2", "other", "shape", "0.0000"]
    assert line(out, "dtype")[:7] == ["dtype", "6", "float32", "/", "float64", "other", "dtype"]
    assert line(out, "old") == ["old", "6", "only", "in", "A"]
    assert line(out, "new") == ["new", "6", "only", "in", "B"]
    assert line(out, "alias")[:3] == ["alias", "6", "identical"]
    assert [row.split() for row in out.splitlines() if row.startswith("alias")][1] == [
        "alias",
        "=",
        "same",
        "=",
        "tied",
    ]
    assert (
        out.splitlines()[-1]
        == "different: 3 identical, 1 only in A, 1 only in B, 1 other dtype, 1 other shape, 1 tied otherwise"
    )


def test_a_tie_against_values_of_its_own_is_a_difference_though_the_values_are_the_same(
    tmp_path, tell
):
    values = np.ones(3, np.float32)
    a = save(tmp_path / "a.safetensors", {"x": values}, {"y": "x"})
    b = save(tmp_path / "b.safetensors", {"x": values, "y": values})
    code, out, _ = tell(a, b)
    assert (code, out.splitlines()[-1]) == (1, "different: 2 identical, 1 tied otherwise")
    assert "values of its own" in out


def test_nan_and_infinities_have_a_column_of_their_own(tmp_path, tell):
    a = save(tmp_path / "a.npz", {"x": np.array([1, np.nan, np.inf], np.float32)})
    b = save(tmp_path / "b.npz", {"x": np.array([1, 2, np.inf], np.float32)})
    code, out, _ = tell(a, b)
    assert code == 1
    assert "1 NaN, 1 inf / 1 inf" in out
    assert tell(a, a)[0] == 0


def test_json_says_the_same_and_holds_no_nan(tmp_path, tell):
    a = save(tmp_path / "a.npz", {"x": np.zeros(2, np.float32), "y": np.zeros(2, np.float32)})
    b = save(tmp_path / "b.npz", {"x": np.ones(2, np.float32), "y": np.zeros(2, np.float32)})
    code, out, _ = tell(a, b, "--json")
    found = json.loads(out, parse_constant=lambda text: pytest.fail(text))
    assert (code, found["format"], found["identical"]) == (1, "initlab-comparison-1", False)
    assert found["counts"] == {"identical": 1, "different": 1}
    first = found["tensors"][0]
    assert (first["name"], first["differing"], first["first"], first["max_abs"]) == (
        "x",
        2,
        [0],
        1.0,
    )
    assert (first["relative_l2"], first["correlation"]) == ("inf", None)
    assert first["ks"] == {"least": 1.0, "most": 1.0, "method": "exact"}
    assert json.loads(tell(a, a, "--json")[1])["identical"] is True


def test_a_run_without_a_snapshot_is_compared_by_its_digests(only_run, tell):
    kept, bare, other = (
        only_run("init=normal"),
        only_run("init=normal", "snapshot=none"),
        only_run("init=he", "snapshot=none"),
    )
    code, out, _ = tell(kept, bare)
    assert code == 0
    assert (
        "B kept no snapshot: compared by digest, which is of dtype, shape and values together"
        in out
    )
    assert tell(bare, bare)[0] == 0
    code, out, _ = tell(bare, other)
    assert (code, line(out, "0.weight")) == (1, ["0.weight", "-", "different"])


def damaged(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """A name -> (what is given, what is said of it)."""
    good = save(tmp_path / "good.safetensors", {"x": np.ones(3, np.float32)})
    (tmp_path / "cut.safetensors").write_bytes(good.read_bytes()[:-1])
    (tmp_path / "cut.npz").write_bytes(b"PK")
    (tmp_path / "x.params").write_bytes(b"no")
    (tmp_path / "initlab.lock").write_text("{}")
    (tmp_path / "x.index.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "half.safetensors").mkdir()
    return {
        "nowhere": (tmp_path / "nowhere", "no such file or folder - give a run folder"),
        "cut safetensors": (
            tmp_path / "cut.safetensors",
            "is cut short within its data: 12 bytes announced, 11 there - write the file again",
        ),
        "cut npz": (tmp_path / "cut.npz", "is damaged, cut short or no npz file"),
        "params": (tmp_path / "x.params", "Invalid NDArray file format"),
        "a lock": (tmp_path / "initlab.lock", "no snapshot format for"),
        "an index": (tmp_path / "x.index.json", "is no index of a sharded snapshot"),
        "empty folder": (
            tmp_path / "empty",
            "a folder without manifest.json or model.safetensors.index.json is neither a finished run nor",
        ),
    }


@pytest.mark.parametrize(
    "what",
    ["nowhere", "cut safetensors", "cut npz", "params", "a lock", "an index", "empty folder"],
)
def test_what_cannot_be_compared_is_one_line_that_names_the_file(what, tmp_path, tell):
    place, said = damaged(tmp_path)[what]
    code, out, err = tell(tmp_path / "good.safetensors", place)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert str(place) in err
    assert said in err


def test_both_sides_are_complained_about_at_once(tmp_path, tell):
    code, _, err = tell(tmp_path / "one", tmp_path / "two")
    assert (code, len(err.splitlines())) == (2, 2)


def test_a_plugin_that_cannot_be_read_is_refused_first(tmp_path, tell):
    code, _, err = tell(tmp_path / "one", tmp_path / "two", "--plugin", str(tmp_path / "three.py"))
    assert (code, len(err.splitlines())) == (2, 1)
    assert (
        "three.py: cannot be read (No such file or directory) - give the path of a Python file"
        in err
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "snapshot.safetensors").unlink(),
            "the snapshot is missing - run the config again",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{"), "the manifest is damaged"),
        (
            lambda folder: (folder / "manifest.json").unlink(),
            "is neither a finished run nor a snapshot",
        ),
        (
            lambda folder: save(folder / "snapshot.safetensors", {"x": np.ones(1)}),
            "does not hold the parameters that the manifest names",
        ),
        (
            lambda folder: (folder / "manifest.json").write_text(
                (folder / "manifest.json")
                .read_text()
                .replace(': "snapshot.saf', ': "../snapshot.saf')
            ),
            "is no file name",
        ),
    ],
)
def test_a_damaged_run_is_one_line(change, said, only_run, tell):
    folder = only_run("init=normal")
    change(folder)
    code, _, err = tell(folder, folder)
    assert (code, len(err.splitlines())) == (2, 1)
    assert said in err


def test_figures_of_large_tensors_say_how_ks_was_found(tmp_path, tell, monkeypatch):
    monkeypatch.setattr(distance, "EXACT", 100)
    monkeypatch.setattr(distance, "SAMPLE", 40)
    rng = np.random.default_rng(0)
    a = save(tmp_path / "a.safetensors", {"x": rng.normal(size=(50, 40))})
    b = save(tmp_path / "b.safetensors", {"x": rng.normal(size=(50, 40)) + 1})
    out = tell(a, b)[1]
    assert (
        "KS of large tensors: at 4096 quantiles of a sample of both sides, from least to most possible"
        in out
    )
    ks = json.loads(tell(a, b, "--json")[1])["tensors"][0]["ks"]
    assert ks["method"] == "at 4096 quantiles of a sample"
    assert ks["least"] < ks["most"]
    assert f"{ks['least']:.4f} … {ks['most']:.4f}" in out


@pytest.mark.slow
def test_large_files_are_read_in_blocks(tmp_path, tell):
    """Two files of 160 MB within 100 MB of memory, which does not count what the system maps."""
    place = save(tmp_path / "a.safetensors", {"x": np.ones(40_000_000, np.float32)})
    other = tmp_path / "b.safetensors"
    other.write_bytes(place.read_bytes()[:-4] + b"\0\0\0\0")
    tracemalloc.start()
    try:
        code, out, _ = tell(place, other)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (code, line(out, "x")[:6]) == (1, ["x", "40000000", "different", "1", "of", "40000000"])
    assert peak < 100e6


NAMES = st.sampled_from(["a", "b.weight", "ü"])
TENSORS = st.dictionaries(
    NAMES,
    arrays.arrays(
        st.sampled_from([np.float32, np.float16, np.int32]),
        arrays.array_shapes(min_dims=1, max_dims=2, max_side=3),
        elements=st.integers(0, 3),
    ),
    min_size=1,
)


@settings(deadline=None, max_examples=40)
@given(TENSORS, TENSORS)
def test_comparing_is_reflexive_and_finds_the_same_from_both_sides(x, y):
    a, b = (
        compare.Side(Path(name), tensors, {}, {}, None) for name, tensors in (("a", x), ("b", y))
    )
    assert compare.compare(a, a).identical
    there, back = compare.compare(a, b), compare.compare(b, a)
    assert there.identical == back.identical
    turned = {"only in A": "only in B", "only in B": "only in A"}
    assert [(p.name, p.result) for p in there.pairs] == [
        (p.name, turned.get(p.result, p.result)) for p in back.pairs
    ]
    for one, other in zip(there.pairs, back.pairs, strict=True):
        assert one.ks == other.ks
        if one.distance is not None:
            assert (one.distance.correlation, one.distance.max_abs) == (
                other.distance.correlation,
                other.distance.max_abs,
            )
            assert one.ks == smirnov(a.values(one.name), b.values(one.name))
