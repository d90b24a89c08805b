"""`initlab compare` of more than two runs, and of two folders of runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from kept_runs import keep

from initlab.runner.check.matching import match

WORDS = (
    "model.input=[3]",
    "model.layers=[{kind: dense, units: 2}]",
    "probe=none",
    "report=none",
)


def finished(folder: Path, label: str, digits: str, words: list[str], root: str = "a") -> None:
    digests = {"tensors": {}, "root": root * 64}
    name = f"{label}-seed0-{digits * 16}"
    keep(folder / name, words, {"seed": 0}, digests=digests)


def results(a: Path, b: Path) -> list[tuple[str, str]]:
    return [(pair.result, pair.words) for pair in match(a, b).pairs]


def test_runs_are_paired_by_their_digits_then_by_their_words(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    finished(a, "gpt2-he", "1", ["init=he", "name=a"])
    finished(b, "residual_scaled", "1", ["init=mine", "name=b"])
    finished(a, "x", "2", ["init=x", "init.sigma=0.10"])
    finished(b, "x", "3", ["init=x", "init.sigma=0.1", "resume=true"], "b")
    finished(a, "only", "4", ["init=a"])
    finished(b, "only", "5", ["init=b"])
    assert results(a, b) == [
        ("same root", "init=he"),
        ("other root", "init=x init.sigma=0.1"),
        ("only in A", "init=a"),
        ("only in B", "init=b"),
    ]
    assert match(a, a).identical and not match(a, b).identical
    assert match(a, b).counts == {"same root": 1, "other root": 1, "only in A": 1, "only in B": 1}


def test_then_by_the_values_of_what_varies_in_both(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for at, init in enumerate(("he", "xavier")):
        finished(a, init, str(at), [f"init={init}"])
        finished(b, init, str(at + 5), [f"init={init}", "dtype=float16"], "b")
    assert [result for result, _ in results(a, b)] == ["other root", "other root"]


def test_words_that_several_runs_have_pair_none(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for at in (1, 2):
        finished(a, "he", str(at), ["init=he"])
        finished(b, "he", str(at + 5), ["init=he"])
    assert [result for result, _ in results(a, b)] == ["only in A"] * 2 + ["only in B"] * 2


def test_a_run_that_did_not_finish_is_named_and_not_compared(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    finished(a, "he", "1", ["init=he"])
    shutil.copytree(a, b)
    [run] = b.iterdir()
    (run / "manifest.json").write_text("{")
    [pair] = match(a, b).pairs
    assert (pair.result, pair.why) == ("not comparable", "B is damaged")


@pytest.fixture
def made(command) -> None:
    for name, inits in (("a", "he,normal"), ("b", "he,normal"), ("c", "he,zero")):
        assert command("-m", *WORDS, f"init={inits}", f"name={name}").code == 0


def test_two_names_are_compared_run_by_run(made, command):
    done = command("compare", "outputs/a", "outputs/b")
    assert (done.code, done.out.splitlines()[-1]) == (0, "identical: 2 same root")
    done = command("compare", "outputs/a", "outputs/c")
    assert (done.code, done.out.splitlines()[-1]) == (
        1,
        "different: 1 same root, 1 only in A, 1 only in B",
    )
    assert "only in B  init=zero" in done.out
    found = json.loads(command("compare", "outputs/a", "outputs/c", "--json").out)
    assert (found["format"], found["identical"]) == ("initlab-names-comparison-1", False)
    assert [run["result"] for run in found["runs"]] == ["same root", "only in A", "only in B"]
    assert found["runs"][1]["b"] == {"run_id": None, "root": None}


def test_each_of_several_runs_is_compared_with_the_first(made, command):
    runs = [str(path) for name in "ac" for path in sorted(Path(f"outputs/{name}").glob("he*"))]
    other = [str(path) for path in Path("outputs/a").glob("normal*")]
    done = command("compare", *runs, *other)
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith(f"A  {runs[0]}  (run, seed 0")
    assert lines[3].startswith(f"identical  {runs[1]}") and lines[4].startswith("different  ")
    assert lines[-1] == "1 of 2 are identical to A; compare two for the tensors"
    found = json.loads(command("compare", *runs, *other, "--json").out)
    assert [one["identical"] for one in found["others"]] == [True, False]
    starred = sorted(map(str, Path("outputs/a").glob("*")))
    assert command("compare", *starred).code == 1, "the sweep's own files are skipped"


def test_what_cannot_be_compared_is_refused(made, command):
    run = str(next(Path("outputs/a").glob("he*")))
    for words, said in (
        ([run], "compare: needs two sides or more"),
        (["outputs/a", run], f"outputs/a: holds several runs, and {run} does not"),
        (["outputs/a", "outputs/b", "outputs/c"], "outputs/c: is a third folder of runs"),
        ([run, "nowhere"], "nowhere: no such file or folder"),
    ):
        done = command("compare", *words)
        assert (done.code, done.err.startswith(f"error: {said}")) == (2, True), done.err


def test_a_setting_that_is_null_is_one_that_is_not_there(command):
    small = ("model.input=[64]", "data=digits", "init=he", "report=none")
    assert command(*small, "probe=forward", "name=a").code == 0
    assert command(*small, "probe=train", "probe.steps=1", "name=b").code == 0
    [a], [b] = (list(Path(f"outputs/{name}").iterdir()) for name in "ab")
    done = command("compare", str(a), str(b))
    settings = done.out.partition("\nsetting")[2]
    assert done.code == 0 and "probe.kind" in settings and "null" not in settings
