"""The order of additions, and that it shows in no SIMD level."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from one_pass import FLOATS, mixed, text

from initlab.runner.stats.onepass import BLOCK, kernels, summarize

ROOT = Path(__file__).parents[4]


def test_the_comparison_sees_a_single_bit_and_another_order_of_additions():
    values = mixed("float32")
    changed = values.copy()
    place = int(np.flatnonzero(np.isfinite(values) & (np.abs(values) > 0.5))[1000])
    changed[place] = np.nextafter(values[place], np.float32(10))
    assert text(summarize(changed)) != text(summarize(values))
    block = np.random.default_rng(1).standard_normal(BLOCK)
    total, second, *_ = kernels.moments(block)
    distances = block - total / BLOCK
    assert second != float((distances * distances).sum())


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 5000, BLOCK])
def test_a_block_is_added_in_512_lanes_row_by_row_and_folded_in_halves(size):
    x = np.random.default_rng(size).standard_normal(size)

    def lanes_sum(terms: list[float]) -> float:
        lanes = [0.0] * 512
        for i, term in enumerate(terms):
            lanes[i % 512] += term
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [lanes[i] + lanes[i + half] for i in range(half)]
        return lanes[0]

    total = lanes_sum(x.tolist())
    d = [v - total / size for v in x.tolist()]
    expected = (
        total,
        lanes_sum([v * v for v in d]),
        lanes_sum([v * v * v for v in d]),
        lanes_sum([(v * v) * (v * v) for v in d]),
    )
    assert kernels.moments(x) == expected


def summaries_of_all() -> str:
    return "|".join(text(summarize(mixed(dtype), implementation="numpy")) for dtype in FLOATS)


def test_simd_levels_do_not_change_a_bit():
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    features = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    if not features:
        pytest.skip(
            "NumPy dispatches to no SIMD level on this processor, so none can be switched off"
        )
    script = (
        "import sys; sys.path[:0] = ['tests', 'tests/runner/stats/onepass']; import test_kernels as t; "
        "from numpy._core._multiarray_umath import __cpu_features__ as f; "
        f"print(any(f[n] for n in {features!r})); print(t.summaries_of_all())"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    still_on, figures = done.stdout.splitlines()
    assert still_on == "False", (
        "the subprocess did not switch the SIMD levels off, so it proves nothing"
    )
    assert figures == summaries_of_all()
