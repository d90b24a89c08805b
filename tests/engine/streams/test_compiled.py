"""The compiled implementation gives the reference's bits; each check here is shown to fail on an
implementation that does not.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import streams
from initlab.engine.streams import (
    Key,
    Piece,
    compiled,  # noqa: E402
    distribution,
    reference,
)

pytest.importorskip("numba")


ROOT = Path(__file__).parents[3]


KEY = Key(5, "implementations")


INFINITY = float("inf")


KINDS = {
    "uniform": distribution.uniform(-0.07, 0.07),
    "unit": distribution.uniform(0, 1),
    "point": distribution.point(0.3),
    "normal": distribution.normal(0, 0.01),
    "shifted": distribution.normal(0.5, 0.02),
    "truncated": distribution.truncated_normal(0, 1, -2, 2),
    "half": distribution.truncated_normal(0, 1, 0, INFINITY),
    "other half": distribution.truncated_normal(0.5, 1, -INFINITY, 0),
    "uniform64": distribution.uniform(-0.07, 0.07, wide=True),
    "normal64": distribution.normal(0, 0.01, wide=True),
    "shifted64": distribution.normal(0.5, 0.02, wide=True),
    "truncated64": distribution.truncated_normal(0, 1, -2, 2, wide=True),
    "tail64": distribution.truncated_normal(0, 1, 5, 6, wide=True),
    "whole64": distribution.truncated_normal(0, 1, -INFINITY, INFINITY, wide=True),
}


Fill = Callable[[list[Piece]], None]


@pytest.fixture(autouse=True)
def as_before():
    threads, name = streams.threads(), streams.implementation()
    yield
    streams.threads(threads)
    streams.implementation(name)


def differing(fill: Fill, name: str, start: int, count: int, at_once: int = 1 << 22) -> int:
    """How many elements differ from the reference's in a bit."""
    kind = KINDS[name]
    unsigned = np.uint64 if kind.wide else np.uint32
    ours, theirs = np.empty(at_once, kind.dtype), np.empty(at_once, kind.dtype)
    wrong = 0
    for at in range(start, start + count, at_once):
        size = min(at_once, start + count - at)
        reference.fill([Piece(kind, KEY, at, theirs[:size])])
        fill([Piece(kind, KEY, at, ours[:size])])
        wrong += int((ours[:size].view(unsigned) != theirs[:size].view(unsigned)).sum())
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uniform", "normal", "truncated"])
def test_a_hundred_million_elements_are_the_references(name):
    assert differing(compiled.fill, name, 12_345, 10**8) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(KINDS) - {"uniform", "normal", "truncated"}))
def test_a_million_elements_are_the_references(name):
    assert differing(compiled.fill, name, 2**33 - 5, 1_000_003) == 0


@pytest.mark.slow
def test_one_bit_in_a_hundred_million_would_be_found():
    def one_bit(pieces: list[Piece]) -> None:
        (piece,) = pieces
        compiled.fill(pieces)
        if piece.start <= 10**8 < piece.start + piece.out.size:
            piece.out.view(np.uint32)[10**8 - piece.start] ^= 1

    assert differing(one_bit, "uniform", 12_345, 10**8) == 1


def normals_by(transform) -> Fill:
    """Normals by another transform, from the reference's words."""

    def fill(pieces: list[Piece]) -> None:
        (piece,) = pieces
        assert piece.start % 8 == 0
        words = streams.wide_words(piece.key, piece.start // 2, piece.out.size // 2)
        transform(
            words, words.size, piece.out, np.float32(piece.distribution.constants[0]), np.float32(0)
        )

    return fill


def test_the_transform_alone_is_the_references():
    assert differing(normals_by(compiled._normal32), "normal", 0, 1_000_000) == 0


def test_operations_that_are_fused_would_be_found():
    from llvmlite.binding import get_host_cpu_features
    from numba import njit

    if not get_host_cpu_features().get("fma"):
        pytest.skip("this processor fuses no operations")
    fused = njit(compiled._normal32.py_func, error_model="numpy", fastmath={"contract"})
    assert differing(normals_by(fused), "normal", 0, 1_000_000) > 1000


def test_a_constant_that_is_wrong_in_its_last_place_would_be_found():
    import re
    from inspect import getsource

    from numba import njit

    source = getsource(compiled._normal32.py_func)
    wrong = source.replace(
        "212.5440216064453",
        repr(float(np.nextafter(np.float32(212.5440216064453), np.float32(300)))),
    )
    assert wrong != source
    scope = dict(vars(compiled))
    exec(re.sub(r"^@_jit\n", "", wrong), scope)
    changed = njit(scope["_normal32"], error_model="numpy")
    assert differing(normals_by(changed), "normal", 0, 1_000_000) > 1000


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 5000) | st.integers(2**40, 2**40 + 2000), count=st.integers(0, 3000))
def test_any_start_and_any_size_give_the_references_bits(name, start, count):
    assert differing(compiled.fill, name, start, count) == 0


def test_a_chunk_that_begins_one_element_late_would_be_found():
    def late(pieces: list[Piece]) -> None:
        compiled.fill(
            [piece._replace(start=piece.start + 1) if piece.start else piece for piece in pieces]
        )

    assert differing(late, "normal", 0, 2048, at_once=1024) > 1000


@pytest.mark.parametrize("name", ["normal", "truncated64"])
@pytest.mark.parametrize("implementation", ["numpy", "numba"])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_share_a_tensor_without_a_trace(name, implementation, threads):
    streams.threads(threads)
    streams.implementation(implementation)
    assert differing(streams.draw_many, name, 3, 1_500_001) == 0


def test_a_part_that_a_thread_left_out_would_be_found(monkeypatch):
    from initlab.engine.streams import pool

    shared = pool.share
    monkeypatch.setattr(pool, "share", lambda work, parts: shared(work, list(parts)[:-1]))
    streams.threads(2)
    assert differing(streams.draw_many, "normal", 0, 1_500_001) > 1000


def test_an_error_in_a_thread_is_raised():
    streams.threads(2)
    out = np.zeros(1 << 19, np.float32)
    out.flags.writeable = False
    for name in ("numpy", "numba"):
        streams.implementation(name)
        with pytest.raises(ValueError, match="read-only"):
            streams.draw_many([Piece(KINDS["normal"], KEY, 0, out)])


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated64"])
def test_an_array_with_gaps_is_drawn_too(name):
    kind = KINDS[name]
    for fill in (reference.fill, compiled.fill):
        gaps, solid = np.zeros(6000, kind.dtype), np.empty(2000, kind.dtype)
        fill([Piece(kind, KEY, 1, gaps[::3]), Piece(kind, KEY, 1, solid)])
        assert gaps[::3].tobytes() == solid.tobytes()
        assert not gaps[1::3].any()


mixes = st.lists(
    st.tuples(
        st.sampled_from(sorted(KINDS)), st.integers(0, 40), st.integers(0, 300) | st.just(20_000)
    ),
    max_size=25,
)


def drawn_together(fill: Fill, mix: list[tuple[str, int, int]]) -> list[np.ndarray]:
    outs = [np.full(size, 7, KINDS[name].dtype) for name, _, size in mix]
    fill(
        [
            Piece(KINDS[name], Key(1, f"p{i}"), start, out)
            for i, ((name, start, _), out) in enumerate(zip(mix, outs, strict=True))
        ]
    )
    return outs


def drawn_one_by_one(mix: list[tuple[str, int, int]]) -> list[np.ndarray]:
    outs = [np.empty(size, KINDS[name].dtype) for name, _, size in mix]
    for i, ((name, start, _), out) in enumerate(zip(mix, outs, strict=True)):
        reference.fill([Piece(KINDS[name], Key(1, f"p{i}"), start, out)])
    return outs


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return [a.tobytes() for a in one] == [b.tobytes() for b in two]


@pytest.mark.parametrize("fill", [reference.fill, compiled.fill], ids=["numpy", "numba"])
@settings(max_examples=60, deadline=None)
@given(mix=mixes)
def test_any_mix_drawn_together_is_what_is_drawn_one_by_one(fill, mix):
    assert same(drawn_together(fill, mix), drawn_one_by_one(mix))


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_more_than_a_block_of_small_tensors_is_what_is_drawn_one_by_one(name):
    streams.implementation(name)
    streams.threads(3)
    mix = [
        (kind, i % 13, 50 + 37 * i % 900)
        for i in range(150)
        for kind in ("normal", "shifted", "uniform", "truncated")
    ]
    mix += [("normal", 3, 700_001)]
    assert same(drawn_together(streams.draw_many, mix), drawn_one_by_one(mix))


def test_two_tensors_that_changed_places_would_be_found():
    mix = [("normal", 0, 50), ("normal", 0, 50)]
    assert not same(drawn_together(compiled.fill, mix)[::-1], drawn_one_by_one(mix))


def test_what_cannot_be_drawn_is_refused():
    kind = KINDS["normal"]
    with pytest.raises(ValueError, match=r"out must be float32 of one axis, got float64 \(3,\)"):
        streams.draw_many([Piece(kind, KEY, 0, np.empty(3))])
    with pytest.raises(ValueError, match=r"out must be float32 of one axis, got float32 \(3, 1\)"):
        streams.draw_many([Piece(kind, KEY, 0, np.empty((3, 1), np.float32))])
    with pytest.raises(ValueError, match="start must not be negative, got -1"):
        streams.draw_many([Piece(kind, KEY, -1, np.empty(3, np.float32))])
    with pytest.raises(ValueError, match="nothing of a normal lies between 7 and 8"):
        distribution.truncated_normal(0, 1, 7, 8)


def digest_of_all() -> str:
    """Of what numba draws of every kind."""
    found = hashlib.sha256()
    for kind in KINDS.values():
        out = np.empty(20_001, kind.dtype)
        compiled.fill([Piece(kind, KEY, 3, out)])
        found.update(out.tobytes())
    return found.hexdigest()


SCRIPT = """
import sys; sys.path.insert(0, 'tests/engine/streams')
import test_compiled as t
from initlab.engine.streams import compiled
digest = t.digest_of_all()
(code,) = compiled._fill.inspect_asm().values()
print(digest, 'ymm' in code or 'zmm' in code, compiled.is_kept())
"""


def on_processor(name: str, **cache: str) -> list[str]:
    """What SCRIPT prints where numba compiles for that processor."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": "",
        **cache,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.slow
def test_without_simd_and_without_a_folder_to_keep_code_in_the_bits_are_the_same():
    digest, simd, kept = on_processor(
        "generic", NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator", NUMBA_CACHE_DIR=""
    )
    assert simd == "False", "SIMD was not switched off, so this proves nothing"
    assert kept == "False"
    assert digest == digest_of_all()


@pytest.mark.slow
def test_on_a_processor_that_could_fuse_operations_the_bits_are_the_same(tmp_path):
    from llvmlite.binding import get_host_cpu_features

    if not get_host_cpu_features().get("fma"):
        pytest.skip("this processor has neither AVX2 nor fused operations")
    digest, simd, kept = on_processor("haswell", NUMBA_CACHE_DIR=str(tmp_path))
    assert simd == "True"
    assert kept == "True"
    assert digest == digest_of_all()


def test_the_name_of_kept_code_tells_what_went_into_it():
    assert len(compiled._fill_rows.__qualname__.removeprefix("_fill_rows_")) == 12
