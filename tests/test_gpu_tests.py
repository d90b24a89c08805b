"""The tests for a GPU work: those in tests/gpu pass on a pretended GPU and fail on one that draws
wrong bits, and the benchmark runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import host_kernels
import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    host_kernels.compiler() is None,
    reason="there is no C++ compiler here to compile the kernels' text with",
)


def on_a_pretended_gpu(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def outcome(*words: str, **environment: str) -> tuple[int, str]:
    """Return (exit code, last line) of the tests."""
    pytest_words = (
        "-m",
        "pytest",
        "-p",
        "pretended_gpu",
        "-v",
        "--assert=plain",  # no search for the differences of a million bytes, which CI=true asks for
        "-p",
        "no:cacheprovider",
        "tests/gpu/test_on_a_gpu.py",
    )
    done = on_a_pretended_gpu(*pytest_words, *words, **environment)
    return done.returncode, done.stdout.splitlines()[-1]


def test_the_gpu_tests_pass_on_a_substitute_and_none_is_skipped():
    code, said = outcome("-k", "not hundred_million and not used_up")
    assert code == 0, said
    assert "passed" in said and "skipped" not in said and "failed" not in said


def test_the_gpu_tests_fail_if_bits_are_wrong():
    code, said = outcome("-k", "law_draws or draws_in_order", PRETENDED_GPU="wrong")
    assert code == 1
    assert (
        "3 failed" in said and "7 passed" in said
    )  # Normal in float16 and float32, and draws in order


def test_the_benchmark_ends_in_a_row_for_the_page():
    script = "import sys, pretended_gpu; sys.argv[1:] = ['--elements', '1000', '--rounds', '2']; from benchmarks.gpu import main; main()"
    done = on_a_pretended_gpu("-c", script)
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[-1]
    page = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")
    header = next(line for line in page.splitlines() if line.startswith("| chip |"))
    assert row.count("|") == header.count("|")
    assert row.startswith("| pretended | 12.8 | ")
