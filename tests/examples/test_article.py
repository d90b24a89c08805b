"""The article's code runs on the engine and prints what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run() -> str:
    command = [sys.executable, str(ROOT / "examples" / "article.py")]
    return subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    ).stdout


def test_the_article_prints_its_structure_and_repeats_its_values():
    printed = run()
    assert printed.startswith(
        "Sequential(\n  (0): Dense(20 -> 256, Activation(relu))\n  (1): Dense(256 -> 10, linear)\n)\n"
        "dense0_ (\n  Parameter dense0_weight (shape=(256, 20), dtype=float32)\n  Parameter dense0_bias (shape=(256,), dtype=float32)\n)\n"
        "<class 'initlab.engine.gluon.parameter.ParameterDict'>\nTrue\n"
    )
    assert (
        "sequential0_ (\n  Parameter dense0_weight (shape=(256, 20), dtype=float32)\n  Parameter dense1_weight (shape=(10, 256)"
        in printed
    )
    assert (
        "[2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2. 2.]\n<NDArray 20 @cpu(0)>"
        in printed
    )
    assert "dense0_weight (256, 20)\ndense1_weight (10, 256)\n" in printed
    deferred = "Init dense5_weight (256, 20)\nInit dense6_weight (10, 256)\n"
    assert printed.endswith(
        deferred * 2 + "Init dense7_weight (256, 20)\nInit dense8_weight (10, 256)\n"
    )
    assert run() == printed


def test_both_uses_of_the_shared_layer_print_one_row():
    parts = run().split("<NDArray 8 @cpu(0)>")
    assert parts[0].split("\n\n")[-1] == parts[1].strip("\n") + "\n"
