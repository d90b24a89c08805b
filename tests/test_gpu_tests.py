"""What waits for a GPU is ready: the tests in tests/gpu pass on a pretended one, and fail on one that draws wrong bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import host_kernels
import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(host_kernels.compiler() is None, reason="there is no C++ compiler here to compile the kernels' text with")


def outcome(*words: str, **environment: str) -> tuple[int, str]:
    """(exit code, last line) of the tests on a pretended GPU."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pretended_gpu", "-v", "-p", "no:cacheprovider", "tests/gpu", *words],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": paths, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()[-1]


def test_they_pass_and_none_is_skipped():
    code, said = outcome("-k", "not hundred_million and not used_up")
    assert code == 0, said
    assert "passed" in said and "skipped" not in said and "failed" not in said


def test_they_fail_where_bits_are_wrong():
    code, said = outcome("-k", "law_draws or draws_in_order", PRETENDED_GPU="wrong")
    assert code == 1
    assert "3 failed" in said and "7 passed" in said  # Normal in float16 and float32, and draws in order
