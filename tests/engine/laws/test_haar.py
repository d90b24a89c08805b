"""Orthogonal matrices: orthonormal, Haar-distributed, and with `exact` the same bits everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import laws, streams
from engine.errors import LawError
from engine.laws.factor import householder_q
from engine.streams import Key

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (1, 4), (4, 1), (4, 2, 3, 3)])
def test_the_shorter_side_is_orthonormal_times_the_gain(shape, exact):
    law = laws.Haar(1.5, exact)
    values = law.draw(Key(0, "haar"), shape)
    matrix = values.reshape(shape[0], -1).astype(np.float64)
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    assert np.abs(gram - 2.25 * np.eye(len(gram))).max() < 1e-5
    assert [invariant.ok for invariant in law.invariants(values)] == [True]
    assert not law.invariants(values * np.float32(1.01))[0].ok


def test_both_ways_give_one_matrix_to_the_stated_tolerance():
    loose, exact = (laws.Haar(1.0, flag).draw(Key(0, "haar"), (40, 30)) for flag in (False, True))
    assert np.abs(loose - exact).max() < 1e-6


def test_matrices_follow_the_haar_measure():
    n, count = 4, 2000
    traces = np.array([np.trace(laws.Haar(1.0, False).draw(Key(0, f"{i}"), (n, n)).astype(np.float64)) for i in range(count)])
    assert abs(traces.mean()) < 5 / np.sqrt(count)
    assert abs((traces**2).mean() - 1) < 5 * np.sqrt(2 / count) * 1.5


def test_exactness_says_what_can_be_expected():
    assert (laws.Haar(1.0).exactness, laws.Haar(1.0, True).exactness) == ("tolerance", "bits")


EXACT = "7a4e184a0da908d6e1ed48171438f817099094c2197cdd23ce4633944c4fa771"
"""SHA-256 of the float64 Q factor below. In float64, since rounding to float32 would hide a sum in another order."""


def digest_of_an_exact_matrix() -> str:
    gaussian = streams.normal(Key(5, "haar"), 0, 33 * 21, 0.0, 1.0).reshape(33, 21)
    return hashlib.sha256(householder_q(gaussian).tobytes()).hexdigest()


def test_an_exact_matrix_has_the_recorded_bits():
    assert digest_of_an_exact_matrix() == EXACT


def test_exact_matrices_have_the_same_bits_with_other_simd_levels_and_one_thread():
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    features = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    if not features:
        pytest.skip("NumPy dispatches to no SIMD level on this processor, so none can be switched off")
    script = (
        "import sys; sys.path.insert(0, 'tests/engine/laws'); import test_haar as t; "
        "from numpy._core._multiarray_umath import __cpu_features__ as f; "
        f"print(any(f[n] for n in {features!r}), t.digest_of_an_exact_matrix())"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    still_on, found = done.stdout.split()
    assert still_on == "False", "the subprocess did not switch the SIMD levels off, so it proves nothing"
    assert found == EXACT


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_matrix_in_low_precision_is_orthonormal_to_what_the_dtype_resolves(dtype):
    law = laws.Haar(1.0)
    values = law.draw(Key(0, "haar"), (40, 30), dtype)
    assert values.dtype.name == dtype
    assert law.invariants(values)[0].ok


@pytest.mark.parametrize("shape", [(), (3,), (0, 3)])
def test_a_shape_that_is_no_matrix_is_refused(shape):
    with pytest.raises(LawError, match="an orthogonal matrix cannot have shape"):
        laws.Haar(1.0).draw(Key(0, "haar"), shape)
