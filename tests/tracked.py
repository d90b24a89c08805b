"""Tracked runs in processes of their own, and their evidence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


PROBED = ("probe=backward", "stats=[moments,law,histogram]")


TRAINED = ("probe=train", "data=digits", "model.input=[64]", "probe.epochs=2")


SWEPT = ("-m", "seed=range(0,3)")


KINDS = ("tensorboard", "mlflow", "wandb")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in its own process. It must succeed, and stderr must hold only the
    runner's own lines.
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done


def read(folder: Path, script: str, *words: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def manifests(folder: Path, name: str) -> dict[str, dict]:
    """Return {run id: manifest} of the runs in `outputs/<name>`."""
    contents = [
        json.loads(path.read_text()) for path in (folder / "outputs" / name).glob("*/manifest.json")
    ]
    return {content["run_id"]: content for content in contents}


def stats_of(folder: Path, name: str, run_id: str) -> dict:
    return json.loads((folder / "outputs" / name / run_id / "stats.json").read_text())
