"""One run: what it leaves, in which order, and that its values depend on what they should and on
nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from initlab import engine
from initlab.engine import formats
from initlab.runner.evidence.folder import RunFolder
from initlab.runner.run import stages

ROOT = Path(__file__).parents[3]


def read(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def root_of(folder: Path) -> str:
    return read(folder)["digests"]["root"]


def tensors_of(folder: Path) -> dict[str, np.ndarray]:
    content = read(folder)
    return formats.get(content["snapshot"]).read(folder / content["snapshot"]).tensors


def test_a_run_leaves_its_evidence_and_nothing_temporary(only_run):
    folder = only_run("init=normal")
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "manifest.json",
        "plan.json",
        "stats.json",
        "stats.csv",
        "diagnosis.json",
        "snapshot.safetensors",
        "runner.log",
        ".hydra/config.yaml",
        ".hydra/hydra.yaml",
        ".hydra/overrides.yaml",
    }
    assert "root-v1" in (folder / "runner.log").read_text()
    assert "init=normal" in (folder / ".hydra" / "overrides.yaml").read_text()


def test_the_manifest_says_what_was_run_and_what_came_of_it(only_run):
    folder = only_run("init=normal", "seed=7", "model=shared")
    content = read(folder)
    assert content["config"]["init"] == {"sigma": 0.01, "kind": "normal"}
    assert (content["seed"], content["stream"], content["run_id"]) == (7, "initlab-1", folder.name)
    assert set(content["digests"]["tensors"]) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert content["aliases"] == {"2.weight": "1.weight", "2.bias": "1.bias"}
    assert content["ledger"] == {"filled": 4, "parameters": 4}
    assert content["totals"] == {"parameters": 4, "aliases": 2, "elements": 240, "bytes": 960}
    assert content["versions"]["numpy"] == np.__version__
    assert content["seconds"] > 0 and content["peak_memory_bytes"] > 10**6
    assert content["plugins"] == []


@pytest.mark.parametrize(
    "words",
    [
        ["init_mode=eager"],
        ["probe=none"],
        ["probe=backward"],
        ["data=ones"],
        ["data.batch=7"],
        ["snapshot=none"],
        ["snapshot=npz"],
        ["stats=[moments]"],
        ["name=elsewhere"],
        ["model=eager_mlp"],
    ],
    ids=" ".join,
)
def test_the_root_digest_does_not_depend_on_how_the_run_is_made(words, only_run):
    assert root_of(only_run("init=xavier")) == root_of(only_run("init=xavier", *words))


def test_the_root_digest_does_not_depend_on_threads(only_run):
    words = ["model.layers=[{kind: dense, units: 1500}]", "model.input=[1500]", "init=normal"]
    before = engine.threads()
    try:
        roots = set()
        for count in (1, 2, 3):
            engine.threads(count)
            roots.add(root_of(only_run(*words)))
    finally:
        engine.threads(before)
    assert len(roots) == 1


@pytest.mark.parametrize(
    "words", [["seed=1"], ["init=he"], ["dtype=float16"], ["init.scale=0.05"]], ids=" ".join
)
def test_the_root_digest_depends_on_seed_law_and_dtype(words, only_run):
    assert root_of(only_run()) != root_of(only_run(*words))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("snapshot", ["safetensors", "npz"])
def test_low_precision_runs_hold_the_float32_values_rounded_once(dtype, snapshot, only_run):
    pytest.importorskip("ml_dtypes")
    wide = tensors_of(only_run("init=normal"))
    narrow = tensors_of(
        only_run("init=normal", f"dtype={dtype}", f"snapshot={snapshot}", "probe=backward")
    )
    for path, values in narrow.items():
        assert values.dtype.name == dtype
        assert values.tobytes() == wide[path].astype(values.dtype).tobytes()


def test_a_layer_added_elsewhere_changes_no_other_parameter(only_run):
    first = "{kind: dense, name: a, units: 20}, {kind: dense, name: z, units: 5}"
    more = "{kind: dense, name: a, units: 20}, {kind: residual, name: m, layers: [{kind: dense, name: x, units: 20}]}, {kind: dense, name: z, units: 5}"
    small = tensors_of(only_run("init=he", f"model.layers=[{first}]"))
    large = tensors_of(only_run("init=he", f"model.layers=[{more}]"))
    assert set(large) - set(small) == {"m.x.weight", "m.x.bias"}
    assert all(large[path].tobytes() == small[path].tobytes() for path in small)


def test_without_resume_a_finished_run_is_made_again_and_with_it_skipped(only_run, command):
    folder = only_run("init=normal")
    first = (folder / "manifest.json").stat().st_mtime_ns
    done = command("init=normal", "resume=true")
    assert done.code == 0
    assert "finished before" in done.out
    assert (folder / "manifest.json").stat().st_mtime_ns == first
    only_run("init=normal")
    assert (folder / "manifest.json").stat().st_mtime_ns > first


def test_resuming_makes_what_is_missing(only_run, command):
    folder = only_run("init=normal")
    (folder / "snapshot.safetensors").unlink()
    assert "finished before" not in command("init=normal", "resume=true").out
    assert (folder / "snapshot.safetensors").exists()
    (folder / "manifest.json").unlink()
    assert "finished before" not in command("init=normal", "resume=true").out
    assert (folder / "manifest.json").exists()


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_resuming_makes_a_run_again_whose_snapshot_is_cut_or_changed(kind, only_run, command):
    words = ["init=normal", "model=shared", f"snapshot={kind}"]
    folder = only_run(*words)
    path = folder / f"snapshot.{kind}"
    whole = path.read_bytes()
    found = formats.get(kind).read(path)
    found.tensors["1.weight"][0, 0] += 1
    formats.get(kind).write(path, found)
    changed = path.read_bytes()
    for content in (whole[:-5], changed, b""):
        path.write_bytes(content)
        assert "finished before" not in command(*words, "resume=true").out
        assert path.read_bytes() == whole
        assert "finished before" in command(*words, "resume=true").out


def test_another_config_in_the_folder_is_an_error_when_resuming(only_run, command):
    folder = only_run("init=normal")
    content = read(folder)
    content["canonical"]["seed"] = 12
    (folder / "manifest.json").write_text(json.dumps(content))
    done = command("init=normal", "resume=true")
    assert done.code == 2
    assert "holds a finished run of another config, so it cannot be resumed" in done.err


def test_the_old_manifest_is_gone_before_anything_else_is_written(only_run, command, monkeypatch):
    folder = only_run("init=normal")
    seen = []

    def note(run: RunFolder, files: dict[str, str]) -> None:
        seen.append((run.path / "manifest.json").exists())
        raise OSError("disk full")

    monkeypatch.setattr(RunFolder, "write_hydra", note)
    with pytest.raises(OSError, match="disk full"):
        command("init=normal")
    assert seen == [False]
    assert not (folder / "manifest.json").exists()


@pytest.mark.parametrize("stage", ["initialize", "probe", "measure", "statistics_of", "_manifest"])
def test_a_failing_stage_leaves_no_manifest(stage, only_run, command, monkeypatch):
    folder = only_run("init=normal")

    def fail(*args: object) -> None:
        raise RuntimeError(f"{stage} failed")

    monkeypatch.setattr(stages, stage, fail)
    with pytest.raises(RuntimeError, match=f"{stage} failed"):
        command("init=normal")
    assert not (folder / "manifest.json").exists()


SLOW = """
import time
from dataclasses import dataclass
from initlab.runner import stats

@stats.register
@dataclass
class Slow(stats.Statistic):
    def measure(self, values, law):
        open("measuring", "w").close()
        time.sleep(60)
        return {}
"""


def test_a_run_that_is_killed_leaves_no_manifest_and_can_be_run_again(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    words = [sys.executable, "-m", "runner", "--plugin", "slow.py", "init=normal", "stats=[slow]"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    for _ in range(300):
        if (tmp_path / "measuring").exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [folder] = (tmp_path / "outputs" / "runs").iterdir()
    assert (folder / "snapshot.safetensors").exists()
    assert not (folder / "manifest.json").exists()


def test_what_a_killed_run_left_half_written_is_taken_away(only_run):
    folder = only_run("init=normal")
    (folder / "snapshot.safetensors.123-ab.tmp").write_bytes(b"half")
    only_run("init=normal")
    assert not list(folder.glob("*.tmp"))


@pytest.mark.parametrize(
    "words",
    [["init=normal", "init.sigma=1e30"], ["init=constant", "init.value=1000", "dtype=float16"]],
    ids=" ".join,
)
def test_a_network_that_overflows_is_measured(words, only_run, capsys):
    folder = only_run(*words, "probe=backward")
    stats = json.loads((folder / "stats.json").read_text())
    assert not np.isfinite([float(row["rms"]) for row in stats["layers"]]).all()
    assert not np.isfinite(float(stats["figures"]["loss"])) or words[1] == "init.value=1000"
    assert (folder / "manifest.json").exists()


LAYERS = {
    "convolutions": (
        "data=normal",
        "model.input=[4,5,5]",
        "model.layers=[{kind: conv2d, channels: 8, kernel_size: 3}, {kind: pixel_shuffle, factor: 2}, "
        "{kind: flatten}, {kind: dense, units: 8}]",
    ),
    "gates": ("data=normal", "model.input=[3,5]", "model.layers=[{kind: lstm, hidden_size: 4}]"),
    "deep": (
        "data=normal",
        "model.input=[3,4]",
        "model.layers=[{kind: dense, name: stem, units: 4, flatten: false}, {kind: scale, factor: 30}, "
        "{kind: activation, activation: sin}, {kind: transformer_block, units: 4, heads: 2}, "
        "{kind: residual, layers: [{kind: dense, units: 4, flatten: false}, {kind: scale, learnable: true}]}, "
        "{kind: dense, units: 2}]",
    ),
}
OWN = {"constant": ["init.value=2"]}
"""Words that an option needs."""
REFUSED = {"load", "bilinear", "lstm_bias"}
"""The first needs a file, the others fill one kind of layer only."""
FOR = dict.fromkeys(
    ("deepnorm", "fixup", "gpt2", "residual_scaled", "siren", "skipinit", "t_fixup"), {"deep"}
)
FOR |= {"icnr": {"convolutions"}, "delta_orthogonal": {"convolutions"}, "vgg": {"convolutions"}}
FOR |= {"mup": {"convolutions", "deep"}, "lsuv": {"convolutions", "gates"}}
"""Schemes for some networks only, and which these are."""
OPTIONS = sorted(file.stem for file in (ROOT / "conf" / "init").glob("*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("model", LAYERS)
@pytest.mark.parametrize("init", OPTIONS)
def test_every_initializer_draws_the_same_in_every_mode(init, model, command):
    roots = {}
    for mode in ("deferred", "eager", "streamed"):
        done = command(
            f"init={init}", f"init_mode={mode}", "probe=none", *LAYERS[model], *OWN.get(init, [])
        )
        if done.code == 0:
            roots[mode] = root_of(Path(done.out.splitlines()[-1].split()[0]))
        else:
            assert done.code == 2, done.err
    assert len(set(roots.values())) <= 1
    assert roots.keys() in (set(), {"deferred", "eager"}, {"deferred", "eager", "streamed"})
    assert bool(roots) is (init not in REFUSED and model in FOR.get(init, LAYERS))
