"""`initlab verify`: 0 when all is as written, 1 when something differs, 2 when the
evidence cannot be used.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from altered import answer, change, change_manifest, change_snapshot, places

from initlab.engine import digest, formats
from initlab.runner.check import verify
from initlab.runner.cli import run_command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def finished(only_run) -> Path:
    return only_run("init=normal", "model=shared")


def test_a_finished_run_is_verified_in_a_fresh_process(finished):
    command = [sys.executable, "-m", "runner.verify", str(finished)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"{finished}: verified, values, snapshot, figures and 8 files: 4 parameters, root "
    )


@pytest.mark.parametrize(
    "words",
    [
        ["init_mode=eager"],
        ["dtype=float16"],
        ["snapshot=npz"],
        ["init=mixed"],
        ["init=orthogonal", "init.exact=true"],
    ],
    ids=" ".join,
)
def test_every_kind_of_run_is_verified(words, only_run, capsys):
    assert answer(only_run(*words), capsys)[0] == 0


def test_without_a_snapshot_the_values_are_verified(only_run, capsys):
    code, text = answer(only_run("snapshot=none"), capsys)
    assert (code, "verified, values, figures and 7 files (no snapshot was kept): " in text) == (
        0,
        True,
    )


def test_a_changed_value_is_named_with_how_far(finished, capsys):
    def change(snapshot):
        snapshot.tensors["1.weight"][2, 3] += 0.5

    change_snapshot(finished, change)
    code, text = answer(finished, capsys)
    assert code == 1
    assert (
        "parameter '1.weight': the snapshot's values differ from the manifest's digest in 1 of 64 elements, by 0.5 at most, first at [2, 3]"
        in text
    )


def test_a_changed_value_and_digest_are_found_by_recomputing(finished, capsys):
    def change(snapshot):
        snapshot.tensors["0.weight"][0, 0] = 9

    change_snapshot(finished, change)
    changed = formats.get("safetensors").read(finished / "snapshot.safetensors").tensors["0.weight"]
    change_manifest(
        finished,
        lambda m: m["digests"]["tensors"].update({"0.weight": digest.tensor_digest(changed).hex()}),
    )
    code, text = answer(finished, capsys)
    assert code == 1
    assert "parameter '0.weight': recomputed values differ in 1 of 160 elements" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m["digests"]["tensors"].update({"1.bias": "00" * 32}),
            "parameter '1.bias': the snapshot's values differ from the manifest's digest",
        ),
        (lambda m: m["digests"].update(root="00" * 32), "the root digest is "),
        (lambda m: m["aliases"].pop("2.bias"), "the manifest's aliases differ, first at '2.bias'"),
        (lambda m: m["config"].update(seed=5), "the manifest's run id is shared-normal-seed0-"),
    ],
)
def test_a_changed_manifest_that_can_be_read_is_different(change, message, finished, capsys):
    change_manifest(finished, change)
    code, text = answer(finished, capsys)
    assert code == 1
    assert message in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.tensors.pop("0.bias"), "parameter '0.bias' is missing from the snapshot"),
        (
            lambda s: s.tensors.update(x=np.ones(2, np.float32)),
            "the snapshot holds 'x', which is no parameter of the run",
        ),
        (
            lambda s: s.tensors.update({"1.bias": np.zeros(3, np.float32)}),
            "parameter '1.bias': the snapshot has float32 (3,), declared float32 (8,)",
        ),
        (lambda s: s.aliases.pop("2.weight"), "the snapshot's aliases differ, first at '2.weight'"),
    ],
)
def test_a_changed_snapshot_that_can_be_read_is_different(change, message, finished, capsys):
    change_snapshot(finished, change)
    code, text = answer(finished, capsys)
    assert code == 1
    assert message in text


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: shutil.rmtree(f), "no such folder"),
        (lambda f: (f / "manifest.json").unlink(), "no manifest, so the run did not finish"),
        (lambda f: cut(f / "manifest.json"), "the manifest is damaged"),
        (
            lambda f: (f / "manifest.json").write_text("[]"),
            "this is no manifest of format initlab-manifest-2",
        ),
        (
            lambda f: (f / "manifest.json").write_text('{"format": "initlab-manifest-2"}'),
            "it lacks run_id, name, config",
        ),
        (lambda f: (f / "snapshot.safetensors").unlink(), "the snapshot is missing"),
        (lambda f: cut(f / "snapshot.safetensors"), "is cut short within its data"),
        (
            lambda f: (f / "snapshot.safetensors").write_bytes(b""),
            "is empty - download or copy it again",
        ),
        (
            lambda f: change_manifest(f, lambda m: m.update(stream="initlab-0")),
            "was drawn from stream initlab-0, this version draws initlab-1, mxnet-1.9.1",
        ),
        (
            lambda f: change_manifest(f, lambda m: m.update(snapshot="../x.npz")),
            "its snapshot '../x.npz' is no file name",
        ),
        (
            lambda f: change_manifest(f, lambda m: m["config"].update(seed=-5)),
            "the manifest's config cannot be run: seed: must be",
        ),
        (
            lambda f: change_manifest(f, lambda m: m["digests"]["tensors"].pop("1.bias")),
            "its digests are not those of its config's parameters",
        ),
        (
            lambda f: change_manifest(
                f, lambda m: m["plugins"].append({"file": "mine.py", "sha256": "ab" * 32})
            ),
            "used the plugin mine.py - give it with --plugin mine.py",
        ),
    ],
)
def test_evidence_that_cannot_be_used_is_refused(damage, message, finished, capsys):
    damage(finished)
    code, text = answer(finished, capsys)
    assert code == 2, text
    assert message in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m.update(run_id="normal-seed0-0000000000000000"),
            "the manifest's run id is normal-seed0-0000000000000000, its config's",
        ),
        (lambda m: m["canonical"].update(seed=3), "the manifest's canonical config is not"),
        (
            lambda m: m["config"]["data"].update(batch=3),
            "the manifest's run id is shared-normal-seed0-",
        ),
    ],
)
def test_a_manifest_whose_parts_disagree_is_different(change, message, finished, capsys):
    change_manifest(finished, change)
    code, text = answer(finished, capsys)
    assert code == 1
    assert message in text


def test_a_snapshot_that_names_another_root_is_different(finished, capsys):
    change_snapshot(finished, lambda s: s.metadata.update({"root-v1": "00" * 32}))
    code, text = answer(finished, capsys)
    assert (code, "the snapshot says its root digest is 0000000000000000…, it is " in text) == (
        1,
        True,
    )


VALUES = [None, 3, 1.5, True, "x", "", [], {}, ["x"], {"x": 1}, [[1]], "../x", "snapshot.npz"]


DECIDING = (
    "run_id",
    "config",
    "canonical",
    "stream",
    "digests",
    "aliases",
    "snapshot",
    "plugins",
    "versions",
)


@pytest.mark.parametrize("key", DECIDING)
def test_whatever_a_manifest_holds_there_is_one_line_and_never_a_failure(key, only_run, capsys):
    small = [
        "model.layers=[{kind: dense, units: 2}, {kind: dense, units: 2}]",
        "+model.share.x=['0','1']",
        "model.input=[2]",
    ]
    folder = only_run("init=normal", *small)
    path = folder / "manifest.json"
    whole = path.read_text()
    for place in places({key: json.loads(whole)[key]}):
        for value in [*VALUES, KeyError]:
            content = json.loads(whole)
            inner = content
            for part in place[:-1]:
                inner = inner[part]
            if value is KeyError:
                del inner[place[-1]]
            else:
                inner[place[-1]] = value
            path.write_text(json.dumps(content))
            found = verify.verify(folder)
            later = (
                place[:2] == ("config", "probe") and value is KeyError
            )  # added later, with a default
            harmless = place[0] == "versions" or later
            assert found.code in (1, 2) or (
                found.code == 0 and (harmless or content == json.loads(whole))
            ), (
                place,
                value,
            )
            assert len(found.text.splitlines()) == 1, (place, value, found.text)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "NaN", "null", "\x00", '"x"', "\udcff"], ids=range(6)
)
def test_a_manifest_that_is_no_manifest_is_damaged(text, finished, capsys):
    (finished / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    code, said = answer(finished, capsys)
    assert (code, "manifest" in said, len(said.splitlines())) == (2, True, 1)


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_a_snapshot_cut_anywhere_is_damaged_and_no_changed_byte_of_a_value_passes(
    kind, only_run, capsys
):
    folder = only_run(
        "init=normal",
        "model.layers=[{kind: dense, units: 2}]",
        "model.input=[2]",
        f"snapshot={kind}",
    )
    path = folder / f"snapshot.{kind}"
    whole = path.read_bytes()
    step = 5 if kind == "safetensors" else 29
    for end in range(0, len(whole), step):
        path.write_bytes(whole[:end])
        assert verify.verify(folder).code == 2, end
    for place in [*range(0, len(whole), step), *range(len(whole) - 24, len(whole))]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        code = verify.verify(folder).code
        if (
            kind == "safetensors"
        ):  # an archive also has times and flags that say nothing of the values
            assert code in (1, 2), place
        else:
            assert code in (0, 1, 2), place
    path.unlink()
    path.mkdir()
    assert verify.verify(folder).code == 2


def test_a_plugin_must_be_given_and_be_the_same(tmp_path):
    def python(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    source = (ROOT / "examples" / "my_init.py").read_text()
    (tmp_path / "my_init.py").write_text(source)
    done = python("runner", "--plugin", "my_init.py", "init=my_init")
    assert done.returncode == 0, done.stderr
    folder = done.stdout.splitlines()[-1].split()[0]
    done = python("runner.verify", "--plugin", "my_init.py", folder)
    assert done.returncode == 0, done.stderr
    done = python("runner.verify", folder)
    assert (
        done.returncode,
        "used the plugin my_init.py - give it with --plugin my_init.py" in done.stderr,
    ) == (2, True)
    (tmp_path / "my_init.py").write_text(source + "\n# changed\n")
    done = python("runner.verify", "--plugin", "my_init.py", folder)
    assert (
        done.returncode,
        "used another version of the plugin my_init.py: SHA-256 " in done.stderr,
    ) == (
        2,
        True,
    )


def test_several_folders_give_the_worst_answer(only_run, capsys):
    good, bad = only_run("init=normal"), only_run("init=he")
    change_manifest(bad, lambda m: m["config"].update(seed=5))
    capsys.readouterr()
    assert run_command(["verify", str(good), str(bad)]) == 1
    assert run_command(["verify", str(good), str(bad), "nowhere"]) == 2


@pytest.mark.parametrize(
    "text",
    ['{"format": "initlab-manifest-1",', '{"seed": 9,', '{"run_id": "he-seed3-0123456789abcdef",'],
)
def test_a_name_that_is_there_twice_is_refused(text, probed, capsys):
    path = probed / "manifest.json"
    path.write_text(text + path.read_text()[1:])
    code, said = answer(probed, capsys)
    assert (code, " twice) - run its config again" in said) == (2, True)
    path = probed / "stats.json"
    path.write_text('{"figures": {},' + path.read_text()[1:])


def test_a_run_of_an_older_version_is_verified_and_the_line_says_that_less_is_covered(
    probed, capsys
):
    change_manifest(probed, lambda m: (m.pop("written"), m.update(format="initlab-manifest-1")))
    change(probed, "stats.json", lambda s: s["figures"].update(loss=0.0001))
    (probed / "plan.json").unlink()
    code, text = answer(probed, capsys)
    assert code == 0, text
    assert text.startswith(
        f"{probed}: verified, values and snapshot (its manifest is of an older version and lists "
        "no files: less is covered): 4 parameters, root "
    )
    for field in ("name", "overrides", "seed", "exactness", "ledger", "totals", "shard"):
        change_manifest(probed, lambda m, field=field: m.pop(field))
    assert answer(probed, capsys)[0] == 0


def test_the_parts_of_a_run_and_the_whole_are_covered(small, capsys):
    parts = [small("probe=none", "init_mode=streamed", f"shard={n}/2") for n in (1, 2)]
    assert run_command(["join", *map(str, parts)]) == 0
    whole = Path(capsys.readouterr().out.split()[-1])
    for folder in (*parts, whole):
        code, text = answer(folder, capsys)
        assert (code, "figures and" in text) == (0, True), text
    change_manifest(whole, lambda m: m["joined"].reverse())
    code, text = answer(whole, capsys)
    assert (code, "the manifest's joined is ['normal-seed0-" in text) == (1, True)
    (whole / "model-00003-of-00003.safetensors").write_bytes(b"")
    change_manifest(whole, lambda m: m["joined"].reverse())
    assert answer(whole, capsys)[0] == 2


def test_every_refusal_names_its_folder_and_is_an_error(probed, tmp_path, capsys):
    missing = tmp_path / "missing"
    code, text = answer(missing, capsys, str(probed))
    assert code == 2
    first, second = text.splitlines()[::-1] if text.startswith(str(probed)) else text.splitlines()
    assert first.startswith(f"error: {missing}: no such folder")
    assert second.startswith(f"{probed}: verified")


def test_a_line_for_many_tensors_that_are_exact_to_a_tolerance_stays_short(only_run, capsys):
    layers = ", ".join("{kind: dense, units: 3}" for _ in range(51))
    folder = only_run("init=orthogonal", "model.input=[3]", f"model.layers=[{layers}]")
    code, text = answer(folder, capsys)
    assert (code, "; 51 of them within 0 (max abs), '0.weight' the farthest" in text) == (0, True)
    assert len(text) - len(str(folder)) < 200
