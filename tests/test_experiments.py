"""The shipped experiments: each runs, and the article's values are the checked-in ones on every
machine.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXPECTED = json.loads((ROOT / "tests" / "expected" / "article.json").read_text(encoding="utf-8"))
FILES = sorted((ROOT / "conf" / "experiment").glob("*.yaml"))
EXPERIMENTS = [file.stem for file in FILES if "expect:" not in file.read_text(encoding="utf-8")]
"""Those without claims; the others are run by `tests/runner/experiments`."""


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
    )


def manifest(folder: Path) -> dict:
    [path] = folder.glob("outputs/*/*/manifest.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_article_experiment_gives_the_checked_in_root_digest(tmp_path):
    done = run(tmp_path, "experiment=article")
    assert done.returncode == 0, done.stderr
    content = manifest(tmp_path)
    assert (content["stream"], content["run_id"]) == (EXPECTED["stream"], EXPECTED["run_id"])
    assert content["digests"]["root"] == EXPECTED["root-v1"]
    assert EXPECTED["root-v1"] in done.stdout


def test_other_threads_and_eager_mode_give_the_same_root_digest(tmp_path):
    done = run(
        tmp_path,
        "experiment=article",
        "init_mode=eager",
        "probe=none",
        "snapshot=none",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
    )
    assert done.returncode == 0, done.stderr
    assert manifest(tmp_path)["digests"]["root"] == EXPECTED["root-v1"]


@pytest.mark.parametrize("mode", ["deferred", "eager"])
def test_the_digits_experiment_stands_at_a_loss_of_ln_ten(mode, tmp_path):
    done = run(tmp_path, "experiment=digits", "init=normal", f"init_mode={mode}")
    assert done.returncode == 0, done.stderr
    [path] = tmp_path.glob("outputs/digits/*/stats.json")
    stats = json.loads(path.read_text(encoding="utf-8"))
    assert abs(stats["figures"]["loss"] - math.log(10)) < 0.01
    assert [row["path"] for row in stats["gradients"]] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
    ]
    assert all(row["rms"] > 0 for row in stats["gradients"])
    assert [row["verdict"] for row in stats["parameters"]] == ["ok", "exact", "ok", "exact"]


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs(experiment, tmp_path):
    done = run(tmp_path, f"experiment={experiment}")
    assert done.returncode == 0, done.stderr
    content = manifest(tmp_path)
    assert content["name"] == ("runs" if experiment == "none" else experiment)


def test_a_run_with_mxnets_stream_is_another_run_and_is_verified(tmp_path):
    done = run(tmp_path, "experiment=article", ENGINE_STREAM="mxnet-1.9.1")
    assert done.returncode == 0, done.stderr
    content = manifest(tmp_path)
    assert content["stream"] == "mxnet-1.9.1"
    assert content["run_id"] != EXPECTED["run_id"]
    folder = done.stdout.splitlines()[-1].split()[0]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "runner.verify", folder]
    for stream in ("mxnet-1.9.1", "initlab-1"):  # the manifest decides, not the environment
        verified = subprocess.run(
            command,
            cwd=tmp_path,
            env={**environment, "ENGINE_STREAM": stream},
            capture_output=True,
            text=True,
        )
        assert verified.returncode == 0, verified.stderr
    refused = run(tmp_path, "init=lecun", ENGINE_STREAM="mxnet-1.9.1")
    assert refused.returncode == 2
    assert (
        "error: init: cannot initialize '0.weight' of shape (256, 20): TruncatedNormal"
        in refused.stderr
    )
