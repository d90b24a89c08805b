"""Values depend on the element's number and nothing else: not on slices, blocks, threads or the
processor's SIMD level.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import streams
from initlab.engine.streams import Key

ROOT = Path(__file__).parents[3]


SIZE = 200_000


DRAWS = {
    "uniform": lambda key, start, count: streams.uniform(key, start, count, -0.07, 0.07),
    "normal": lambda key, start, count: streams.normal(key, start, count, 0.5, 0.02),
    "truncated": lambda key, start, count: streams.truncated_normal(
        key, start, count, 0.0, 1.0, -2.0, 2.0
    ),
    "uniform64": lambda key, start, count: streams.uniform64(key, start, count, -0.07, 0.07),
    "normal64": lambda key, start, count: streams.normal64(key, start, count, 0.5, 0.02),
    "truncated64": lambda key, start, count: streams.truncated_normal64(
        key, start, count, 0.0, 1.0, -2.0, 2.0
    ),
}


WHOLE = {name: draw(Key(7, "whole"), 0, SIZE) for name, draw in DRAWS.items()}


@pytest.mark.parametrize("name", DRAWS)
@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, SIZE - 1), count=st.integers(0, 70_000))
def test_a_slice_equals_the_slice_of_the_whole(name, start, count):
    count = min(count, SIZE - start)
    part = DRAWS[name](Key(7, "whole"), start, count)
    assert part.tobytes() == WHOLE[name][start : start + count].tobytes()


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize(
    ("start", "count"),
    [(0, 1), (1, 1), (7, 2), (8, 1), (65535, 1), (65535, 2), (65536, 1), (65537, 131_071)],
)
def test_block_boundaries_and_single_elements_do_not_show(name, start, count):
    assert (
        DRAWS[name](Key(7, "whole"), start, count).tobytes()
        == WHOLE[name][start : start + count].tobytes()
    )


@pytest.mark.parametrize("name", DRAWS)
def test_two_threads_draw_the_same_bits_as_one(name):
    before = streams.threads()
    try:
        count = 5_000_001
        streams.threads(1)
        one = DRAWS[name](Key(3, "threads"), 5, count)
        streams.threads(2)
        two = DRAWS[name](Key(3, "threads"), 5, count)
    finally:
        streams.threads(before)
    assert one.tobytes() == two.tobytes()


def digests_of_all() -> str:
    parts = [
        hashlib.sha256(draw(Key(1, "simd"), 3, 300_001).tobytes()).hexdigest()
        for draw in DRAWS.values()
    ]
    return " ".join(parts)


def simd_features() -> list[str]:
    """What NumPy dispatches to on this processor and can be told not to."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def test_simd_levels_do_not_change_a_bit():
    features = simd_features()
    if not features:
        pytest.skip(
            "NumPy dispatches to no SIMD level on this processor, so none can be switched off"
        )
    script = (
        "import sys; sys.path.insert(0, 'tests/engine/streams'); import test_draw as t; "
        "from numpy._core._multiarray_umath import __cpu_features__ as f; "
        f"print(any(f[n] for n in {features!r}), t.digests_of_all())"
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
    still_on, *digests = done.stdout.split()
    assert still_on == "False", (
        "the subprocess did not switch the SIMD levels off, so it proves nothing"
    )
    assert " ".join(digests) == digests_of_all()


def test_out_must_have_the_right_shape_and_dtype():
    with pytest.raises(
        ValueError, match=r"out must be float32 of shape \(4,\), got float64 \(4,\)"
    ):
        streams.normal(Key(0, "x"), 0, 4, 0, 1, out=np.empty(4))


def test_a_thread_that_is_one_of_several_draws_alone_and_the_same_bits():
    from initlab.engine.streams import pool

    whole = streams.normal(Key(3, "threads"), 5, 5_000_001, 0.5, 0.02)
    with streams.alone(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "share", None)
        with streams.alone():
            pass
        assert pool.workers() == 1
        assert (
            streams.normal(Key(3, "threads"), 5, 5_000_001, 0.5, 0.02).tobytes() == whole.tobytes()
        )
    assert pool.workers() == streams.threads()


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_an_invalid_thread_count_is_refused(count):
    with pytest.raises(ValueError, match="threads must be a whole number of at least 1"):
        streams.threads(count)
