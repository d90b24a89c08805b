"""A manifest: the same after writing and reading; refused in one line where it is damaged or newer;
its words are those that were typed, whichever version wrote them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from initlab.runner.check.compare import open_side
from initlab.runner.check.join import join
from initlab.runner.check.verify import verify
from initlab.runner.claims.results import read_result
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.evidence.manifest import Digests, Manifest, UsedPlugin
from initlab.runner.evidence.written import Written
from initlab.runner.report.reading import read_run

DIGEST = "0f" * 32
PLACE = Path("outputs/runs/one/manifest.json")
WHOLE = Manifest(
    run_id="normal-seed0-0123456789abcdef",
    name="runs",
    config={"seed": 0},
    canonical={"seed": 0, "files": {"init.param": DIGEST}},
    overrides=["init=normal", "seed=0"],
    seed=0,
    stream="initlab-1",
    digests=Digests({"0.weight": DIGEST}, DIGEST),
    aliases={"1.weight": "0.weight"},
    exactness={"0.weight": "tolerance"},
    snapshot="snapshot.safetensors",
    ledger={"filled": 1, "parameters": 1},
    totals={"parameters": 1},
    plugins=[UsedPlugin("mine.py", DIGEST)],
    versions={"initlab": "0.1.0"},
    seconds=0.25,
    peak_memory_bytes=1 << 20,
)
LONG = (
    "model.layers=[{kind: dense, name: first_layer_of_all, units: 32, activation: relu}, "
    "{kind: dense, name: the_last_layer, units: 10}]"
)
TYPED = [
    [],
    ["init=normal"],
    [LONG, "seed=3"],
    [
        'name="two words: and a colon"',
        "vars.x=yes",
        "+vars.note='# no comment'",
        'vars.line="a\nb"',
    ],
    ["vars.name=Ünïcode — \u2028 and so on", "vars.empty="],
]


@pytest.mark.parametrize(
    "manifest", [WHOLE, replace(WHOLE, snapshot=None, joined=["a", "b"], shard=None, seed=None)]
)
def test_a_manifest_is_the_same_after_writing_and_reading(manifest, tmp_path):
    run = RunFolder(tmp_path)
    run.write_plan({"rows": []})
    run.write_manifest(manifest)
    content = (tmp_path / "plan.json").read_bytes()
    written = {"plan.json": Written(len(content), hashlib.sha256(content).hexdigest())}
    assert RunFolder(tmp_path).manifest == replace(manifest, written=written)
    assert json.loads((tmp_path / "manifest.json").read_text())["format"] == "initlab-manifest-2"


def test_a_failed_write_leaves_no_manifest(tmp_path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        RunFolder(tmp_path).write_manifest(replace(WHOLE, config={"seed": object()}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["init=normal"],
        [LONG, "seed=3"],
        ["+vars.note='two words: and # no comment'", "seed=1"],
        [
            '+vars.line="a\nb, and more than eighty characters so that YAML breaks the line somewhere"'
        ],
    ],
    ids=lambda words: words[0][:20],
)
def test_the_words_of_a_run_are_those_that_were_typed(words, only_run):
    content = json.loads((only_run(*words) / "manifest.json").read_text())
    assert content["overrides"] == words


def test_the_words_of_a_run_of_a_sweep_are_its_own(command):
    assert command("-m", LONG, "seed=1,2").code == 0
    found = [RunFolder(folder).manifest.overrides for folder in Path("outputs/runs").glob("*-*")]
    assert sorted(found) == [[LONG, "seed=1"], [LONG, "seed=2"]]


def test_a_run_without_words_has_none(only_run):
    assert json.loads((only_run() / "manifest.json").read_text())["overrides"] == []


@pytest.mark.parametrize("words", TYPED, ids=lambda words: " ".join(words)[:30])
def test_the_words_of_an_old_manifest_are_put_together_again(words):
    lines = OmegaConf.to_yaml(OmegaConf.create(words)).splitlines()
    old = WHOLE.to_json() | {"overrides": lines}
    assert Manifest.from_json(old, PLACE).overrides == words


def test_lines_that_are_no_list_stay_as_they_are():
    old = WHOLE.to_json() | {"overrides": ["- init=he", "'"]}
    assert Manifest.from_json(old, PLACE).overrides == ["init=he", "'"]
    deep = ["- " + "[" * 3000]
    assert Manifest.from_json(WHOLE.to_json() | {"overrides": deep}, PLACE).overrides == [
        "[" * 3000
    ]


def refused(content: object) -> str:
    with pytest.raises(EvidenceError) as found:
        Manifest.from_json(content, PLACE)
    assert found.value.exit_code == 2
    return str(found.value)


@pytest.mark.parametrize(
    ("versions", "who"),
    [
        ({"initlab": "7.1"}, "initlab 7.1, which wrote it"),
        ({}, "a newer initlab"),
        (3, "a newer initlab"),
    ],
)
def test_a_newer_version_is_one_line_that_says_what_to_do(versions, who):
    content = {"format": "initlab-manifest-3", "versions": versions, "anything": "else"}
    assert refused(content) == (
        f"{PLACE}: is of format initlab-manifest-3, this initlab reads initlab-manifest-1, "
        f"initlab-manifest-2 - use {who}, or run its config again"
    )


def verified(folder: Path) -> None:
    answer = verify(folder)
    assert answer.code == 2
    raise EvidenceError(answer.text)


@pytest.mark.parametrize(
    "reader",
    [verified, open_side, lambda folder: join([folder]), read_run, lambda f: read_result(f, [])],
    ids=["verify", "compare", "join", "report", "claims"],
)
def test_every_reader_refuses_a_newer_version_in_one_line(reader, only_run):
    folder = only_run("init=normal")
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {"format": "initlab-manifest-3"}))
    with pytest.raises(EvidenceError) as found:
        reader(folder)
    [line] = str(found.value).splitlines()
    assert line.startswith(
        f"{folder}/manifest.json: is of format initlab-manifest-3, this initlab "
    )


@pytest.mark.parametrize(
    "content", [[], "text", {}, {"format": 1}, {"format": "initlab-manifest-x"}]
)
def test_what_is_no_manifest_is_refused(content):
    assert f"{PLACE}: this is no manifest of format initlab-manifest-2, found " in refused(content)


@pytest.mark.parametrize("key", ["run_id", "config", "canonical", "digests", "snapshot", "plugins"])
def test_a_manifest_that_lacks_something_is_damaged(key):
    content = WHOLE.to_json()
    del content[key]
    assert refused(content) == (
        f"{PLACE}: the manifest is damaged, it lacks {key} - run its config again"
    )


@pytest.mark.parametrize("key", ["name", "overrides", "seed", "ledger", "totals", "seconds"])
def test_what_an_old_manifest_may_lack_has_a_default(key):
    content = WHOLE.to_json()
    del content[key]
    found = Manifest.from_json(content, PLACE)
    assert not getattr(found, key) and found.digests == WHOLE.digests


@pytest.mark.parametrize("key", [*list(WHOLE.to_json())[1:], "written"])
def test_a_manifest_of_today_has_every_field(key):
    content = replace(WHOLE, written={}).to_json()
    assert Manifest.from_json(content, PLACE).written == {}
    del content[key]
    assert f"the manifest is damaged, it lacks {key} - " in refused(content)
    content[key] = None
    if key not in ("seed", "snapshot", "shard"):
        assert f"the manifest is damaged, its {key} is not as written - " in refused(content)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run_id", 3),
        ("config", []),
        ("canonical", {"files": {"init.param": 3}}),
        ("overrides", "init=he"),
        ("overrides", [1]),
        ("seed", "0"),
        ("digests", {"tensors": {"0.weight": "short"}, "root": DIGEST}),
        ("digests", {"tensors": {}}),
        ("aliases", {"a": 1}),
        ("snapshot", 3),
        ("ledger", {"filled": "all"}),
        ("plugins", [{"file": "mine.py"}]),
        ("versions", None),
        ("seconds", "long"),
        ("peak_memory_bytes", 0.5),
    ],
)
def test_a_field_that_is_not_as_written_is_named(key, value):
    assert refused(WHOLE.to_json() | {key: value}) == (
        f"{PLACE}: the manifest is damaged, its {key} is not as written - run its config again"
    )


def test_a_manifest_says_in_one_short_line_what_it_is_about():
    assert repr(WHOLE) == (
        "Manifest(normal-seed0-0123456789abcdef: seed 0, 1 tensor, root 0f0f0f0f0f0f0f0f)"
    )
    assert repr(WHOLE.digests) == "Digests(1 tensor, root 0f0f0f0f0f0f0f0f)"
