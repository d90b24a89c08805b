"""`python(word, …)`: the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def python(tmp_path):
    """`python(word, …)` runs `python -m runner word …` in a process of its own."""

    def call(*words: str, **options) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "runner", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            **options,
        )

    return call
