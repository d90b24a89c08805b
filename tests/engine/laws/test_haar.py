"""Orthogonal matrices: orthonormal, Haar-distributed, and with `exact` the same bits everywhere."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import laws, streams
from initlab.engine.errors import LawError
from initlab.engine.laws.factor import PANEL, householder_q, lapack_q
from initlab.engine.streams import Key

ROOT = Path(__file__).parents[3]
KEY = Key(3, "w")


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
    traces = np.array(
        [
            np.trace(laws.Haar(1.0, False).draw(Key(0, f"{i}"), (n, n)).astype(np.float64))
            for i in range(count)
        ]
    )
    assert abs(traces.mean()) < 5 / np.sqrt(count)
    assert abs((traces**2).mean() - 1) < 5 * np.sqrt(2 / count) * 1.5


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=4).map(tuple),
    gain=st.floats(0.01, 100) | st.just(-3.0),
    exact=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_any_shape_and_gain_gives_an_orthonormal_shorter_side(shape, gain, exact, dtype):
    matrix = (
        laws.Haar(gain, exact)
        .draw(Key(1, "any"), shape, dtype)
        .reshape(shape[0], -1)
        .astype(np.float64)
    )
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    assert np.abs(gram / gain**2 - np.eye(len(gram))).max() < (
        1e-12 if dtype == "float64" else 1e-6
    )


@pytest.mark.parametrize("rows", [1, PANEL - 1, PANEL, PANEL + 1, 2 * PANEL, 3 * PANEL - 5])
@pytest.mark.parametrize("more", [0, 1, 100])
def test_panels_give_the_factor_that_lapack_gives_with_a_positive_diagonal(rows, more):
    a = streams.normal64(Key(2, "a"), 0, (rows + more) * rows, 0.0, 1.0).reshape(rows + more, rows)
    q = lapack_q(a)
    r = q.T @ a
    assert np.abs(q.T @ q - np.eye(rows)).max() < 1e-13
    assert np.abs(np.tril(r, -1)).max() < 1e-11
    assert (np.diagonal(r) > 0).all()
    theirs, signs = np.linalg.qr(a)
    assert np.abs(q - theirs * np.sign(np.diagonal(signs))).max() < 1e-9


@pytest.mark.parametrize("factor", [lapack_q, householder_q])
@pytest.mark.parametrize(
    "a",
    [np.zeros((3, 3)), np.zeros((1, 1)), np.eye(4, 3), -np.eye(3), np.ones((5, 3))],
    ids=lambda a: str(a[0]),
)
def test_matrices_without_full_rank_have_an_orthonormal_factor_too(factor, a):
    q = factor(a)
    assert np.abs(q.T @ q - np.eye(a.shape[1])).max() < 1e-14


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_elements_have_the_moments_of_a_point_on_the_sphere(shape, exact):
    """The entries of a column of n are a uniform point on the sphere: E x^2 = 1/n, E x^4 = 3 / (n
    (n + 2)), E x^2 y^2 = 1 / (n (n + 2)).
    """
    n, count = 5, 3000
    drawn = np.array(
        [laws.Haar(1.0, exact).draw(Key(7, f"{i}"), shape, "float64") for i in range(count)]
    )
    columns = drawn if shape == (5, 3) else drawn.swapaxes(1, 2)
    for x, y in ((columns[:, i, 0], columns[:, (i + 1) % n, 0]) for i in range(n)):
        moments = {
            (1, 0): 0,
            (2, 0): 1 / n,
            (3, 0): 0,
            (4, 0): 3 / (n * (n + 2)),
            (1, 1): 0,
            (2, 2): 1 / (n * (n + 2)),
        }
        for (i, j), expected in moments.items():
            found = x**i * y**j
            assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(count), (i, j)


def test_signs_are_as_often_plus_as_minus_which_lapacks_own_are_not():
    count, n = 2000, 3
    positive = np.mean(
        [np.diagonal(laws.Haar(1.0).draw(Key(8, f"{i}"), (n, n))) > 0 for i in range(count)], axis=0
    )
    assert np.abs(positive - 0.5).max() < 5 * 0.5 / np.sqrt(count)
    gaussian = streams.normal64(Key(8, "raw"), 0, count * n * n, 0.0, 1.0).reshape(count, n, n)
    raw = np.diagonal(np.linalg.qr(gaussian)[0], axis1=1, axis2=2)
    assert np.abs((raw > 0).mean(axis=0) - 0.5).max() > 0.1


@pytest.mark.parametrize("threads", [1, 3])
def test_many_matrices_have_the_values_of_each(threads):
    named = [
        (laws.Haar(2.0), (70, 40)),
        (laws.Normal(0.0, 1.0), (30,)),
        (laws.DeltaOrthogonal(), (8, 5, 3, 3)),
        (laws.SingularVectors(), (20, 30)),
        (laws.Haar(1.0, True), (9, 9)),
    ]
    tasks = [
        (law, Key(1, f"{i}"), shape, 0, np.empty(math.prod(shape), np.float32))
        for i, (law, shape) in enumerate(named)
    ]
    before = streams.threads()
    try:
        streams.threads(threads)
        laws.fill_many(tasks)
    finally:
        streams.threads(before)
    for law, key, shape, _, out in tasks:
        np.testing.assert_allclose(out.reshape(shape), law.draw(key, shape), atol=1e-7)


def test_the_first_of_many_that_cannot_be_factored_is_named(monkeypatch):
    broken(monkeypatch, np.zeros_like)
    tasks = [
        (laws.Haar(2.0), Key(1, f"{i}"), (9, 4), 0, np.empty(36, np.float32)) for i in range(3)
    ]
    with pytest.raises(LawError, match=r"^Haar\(2\) of shape \(9, 4\)"):
        laws.fill_many(tasks)


# --- what was drawn is checked before it is given
# ---------------------------------------------------------------------------------


def broken(monkeypatch, change):
    """LAPACK's inverses changed, of the triangles that make columns orthonormal; its reflectors,
    which are asked for if the columns seem dependent, make them too long.
    """
    inv, qr = np.linalg.inv, np.linalg.qr
    monkeypatch.setattr(np.linalg, "inv", lambda triangle: change(inv(triangle)))
    monkeypatch.setattr(np.linalg, "qr", lambda a: [1.01 * part for part in qr(a)])


def _turned(inverse):
    """Columns as orthonormal as any, but not those of what was drawn."""
    size = inverse.shape[-1]
    return np.linalg.qr(np.random.default_rng(2).standard_normal((size, size)))[0] @ inverse


def _once(change):
    """A fault that happens in the first call only."""
    calls = itertools.count()
    return lambda inverse: change(inverse) if next(calls) == 0 else inverse


GARBAGE = {
    "columns one percent too long": lambda: lambda inverse: inverse * 1.01,
    "columns that are hardly too long": lambda: lambda inverse: inverse * (1 + 2.0**-18),
    "a NaN": lambda: lambda inverse: np.where(inverse == inverse.max(), np.nan, inverse),
    "infinities": lambda: lambda inverse: np.full_like(inverse, np.inf),
    "other signs": lambda: _once(np.negative),
    "columns that are turned": lambda: _turned,
    "no columns": lambda: np.zeros_like,
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize(
    ("law", "shape"),
    [(laws.Haar(2.0), (70, 66)), (laws.Haar(1.0), (3, 8)), (laws.DeltaOrthogonal(), (8, 5, 3, 3))],
    ids=str,
)
@pytest.mark.filterwarnings("error")
def test_a_lapack_that_factors_wrongly_is_found_out(garbage, law, shape, monkeypatch):
    law.draw(Key(0, "w"), shape)
    broken(monkeypatch, GARBAGE[garbage]())
    with pytest.raises(
        LawError,
        match="distance of the Gram matrix from gain.2 I is |columns of an orthogonal factor are not |could not factor",
    ):
        law.draw(Key(0, "w"), shape)


@pytest.mark.parametrize("garbage", ["a NaN", "infinities", "no columns"])
def test_columns_that_seem_dependent_are_factored_by_reflectors(garbage, monkeypatch):
    drawn = laws.Haar().draw(Key(0, "w"), (70, 66), "float64")
    inv = np.linalg.inv
    monkeypatch.setattr(np.linalg, "inv", lambda triangle: GARBAGE[garbage]()(inv(triangle)))
    again = laws.Haar().draw(Key(0, "w"), (70, 66), "float64")
    assert not np.array_equal(again, drawn)
    assert np.abs(again - drawn).max() < 1e-12


@pytest.mark.parametrize("noise", ["uniform", "normal"])
def test_singular_vectors_that_are_none_are_found_out(noise, monkeypatch):
    original = np.linalg.svd
    monkeypatch.setattr(
        np.linalg,
        "svd",
        lambda a, full_matrices: tuple(
            part * part.dtype.type(1.01) for part in original(a, full_matrices)
        ),
    )
    with pytest.raises(
        LawError,
        match=r"^SingularVectors\(2, \w+\) of shape \(5, 3\): distance of the Gram matrix from gain\^2 I is 0.08",
    ):
        laws.SingularVectors(2.0, noise).draw(Key(0, "w"), (5, 3))


def test_a_lapack_that_gives_up_is_named(monkeypatch):
    def gives_up(*_, **__):
        raise np.linalg.LinAlgError("did not converge")

    for name in ("cholesky", "qr", "svd"):
        monkeypatch.setattr(np.linalg, name, gives_up)
    with pytest.raises(
        LawError, match=r"LAPACK could not factor a matrix of shape \(4, 3\): did not converge"
    ):
        laws.Haar().draw(Key(0, "w"), (3, 4))
    with pytest.raises(
        LawError, match=r"LAPACK could not decompose a matrix of shape \(3, 4\): did not converge"
    ):
        laws.SingularVectors().draw(Key(0, "w"), (3, 4))


def test_an_exact_factor_that_is_wrong_is_found_out(monkeypatch):
    monkeypatch.setattr("initlab.engine.laws.haar.householder_q", lambda gaussian: gaussian)
    with pytest.raises(
        LawError, match=r"^Haar\(1, exact\) of shape \(3, 4\): distance of the Gram matrix"
    ):
        laws.Haar(1.0, True).draw(Key(0, "w"), (3, 4))


# --- exact
# ------------------------------------------------------------------------------------------------------------------------


def test_exactness_says_what_can_be_expected():
    assert (laws.Haar(1.0).exactness, laws.Haar(1.0, True).exactness) == ("tolerance", "bits")


EXACT = "7a4e184a0da908d6e1ed48171438f817099094c2197cdd23ce4633944c4fa771"
"""SHA-256 of the float64 Q factor below. In float64, since rounding to float32 would hide a sum in
another order.
"""


def digest_of_an_exact_matrix() -> str:
    gaussian = streams.normal(Key(5, "haar"), 0, 33 * 21, 0.0, 1.0).reshape(33, 21)
    return hashlib.sha256(householder_q(gaussian).tobytes()).hexdigest()


def test_an_exact_matrix_has_the_recorded_bits():
    assert digest_of_an_exact_matrix() == EXACT


def test_exact_matrices_have_the_same_bits_with_other_simd_levels_and_one_thread():
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    features = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    if not features:
        pytest.skip(
            "NumPy dispatches to no SIMD level on this processor, so none can be switched off"
        )
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
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    still_on, found = done.stdout.split()
    assert still_on == "False", (
        "the subprocess did not switch the SIMD levels off, so it proves nothing"
    )
    assert found == EXACT


def test_the_recorded_bits_would_show_another_order_of_additions(monkeypatch):
    monkeypatch.setattr("initlab.engine.laws.factor.tree_sum", lambda terms: terms.sum(axis=0))
    assert digest_of_an_exact_matrix() != EXACT


def test_any_number_of_threads_gives_an_exact_matrix_the_same_bits():
    shape = (1 << 17, 8)  # as many normals as are shared among threads
    before = streams.threads()
    try:
        drawn = [
            (streams.threads(count), laws.Haar(1.0, True).draw(Key(4, "w"), shape).tobytes())[1]
            for count in (1, 2, 3)
        ]
    finally:
        streams.threads(before)
    assert drawn[0] == drawn[1] == drawn[2]


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


def identity_by_hand(shape, channels, blocks) -> np.ndarray:
    tensor = np.zeros(shape, np.float32)
    rows = shape[0] // blocks
    length = min(rows if axis == 0 else shape[axis] for axis in channels)
    for block, place in itertools.product(range(blocks), range(length)):
        index = [(size - 1) // 2 for size in shape]
        for axis in channels:
            index[axis] = place + (block * rows if axis == 0 else 0)
        tensor[tuple(index)] = 1
    return tensor


LAYOUTS = [
    ((20, 3), (0, 1), 1),
    ((3, 20), (0, 1), 1),
    ((12, 5), (0, 1), 3),
    ((8, 2, 3, 3), (0, 1), 4),
    ((8, 3, 3, 2), (0, 3), 4),
    ((4, 3, 2, 6), (0, 3), 1),
    ((3, 5, 4, 7), (0, 3), 1),
]


@pytest.mark.parametrize(("shape", "channels", "blocks"), LAYOUTS)
@given(data=st.data())
def test_an_identity_is_the_diagonal_of_each_block_of_the_channel_axes(
    shape, channels, blocks, data
):
    law = laws.Structured("identity", 1.0, channels, blocks)
    wanted = identity_by_hand(shape, channels, blocks)
    assert (law.draw(KEY, shape) == wanted).all()
    start = data.draw(st.integers(0, wanted.size))
    stop = data.draw(st.integers(start, wanted.size))
    assert (law.draw(KEY, shape, "float32", start, stop) == wanted.reshape(-1)[start:stop]).all()
    assert laws.from_description(law.describe()) == law


def test_the_usual_layout_is_described_as_it_always_was():
    assert laws.Structured().describe() == {"kind": "structured", "name": "identity", "gain": 1.0}
    assert str(laws.Structured("identity", 1.0, (0, 3), 2)) == (
        "Identity(1, channel axes (0, 3), 2 blocks)"
    )


@pytest.mark.parametrize(
    "options", [{"channels": (1, 1)}, {"channels": (0, -1)}, {"blocks": 0}, {"channels": (0,)}]
)
def test_a_structure_without_two_channel_axes_is_refused(options):
    with pytest.raises(LawError, match="structured: no tensor has channel axes"):
        laws.Structured("identity", **options)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("shape", "blocks"), [((12, 3), 4), ((9, 5), 3), ((8, 1, 3, 3), 8)])
def test_each_block_of_a_stack_is_a_matrix_of_its_own(shape, blocks, exact):
    law = laws.Haar(1.5, exact, blocks=blocks)
    values = law.draw(KEY, shape, "float64")
    assert [invariant.ok for invariant in law.invariants(values)] == [True]
    gaussian = streams.normal64(KEY, 0, values.size, 0.0, 1.0).reshape(blocks, -1)
    for block, drawn in zip(values.reshape(blocks, shape[0] // blocks, -1), gaussian, strict=True):
        found = np.linalg.svd(block, compute_uv=False)
        assert np.abs(found - 1.5).max() < 1e-12
        tall = block.shape[0] >= block.shape[1]
        q = lapack_q(drawn.reshape(block.shape if tall else block.shape[::-1]))
        assert np.abs(block - 1.5 * (q if tall else q.T)).max() < 1e-12
    assert laws.from_description(law.describe()) == law
    assert not law.invariants(np.roll(values, 1, axis=0))[0].ok or blocks == shape[0]


def test_one_block_is_described_as_ever_and_others_are_checked():
    assert laws.Haar(2.0).describe() == {"kind": "haar", "gain": 2.0, "exact": False}
    with pytest.raises(LawError, match=r"Haar\(1, 4 blocks\) cannot fill shape \(6, 2\)"):
        laws.Haar(blocks=4).draw(KEY, (6, 2))
    with pytest.raises(LawError, match="haar: blocks must be a whole number of at least 1, got 0"):
        laws.Haar(blocks=0)


def test_any_number_of_threads_gives_a_large_matrix_the_same_bits_on_one_machine():
    before = streams.threads()
    try:
        found = {
            (streams.threads(count), laws.Haar(1.0).draw(Key(4, "w"), (1100, 1300), "float64"))[
                1
            ].tobytes()
            for count in (1, 2, 3, 5)
        }
    finally:
        streams.threads(before)
    assert len(found) == 1
