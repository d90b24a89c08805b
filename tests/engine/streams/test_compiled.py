"""Every core gives the reference's bits; each check here is shown to fail on code that does not."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import dtypes, laws, native, streams
from initlab.engine.native import library
from initlab.engine.streams import Key, Piece, compiled, distribution, draw, pool, reference

ROOT = Path(__file__).parents[3]
CORES = native.cores() or (
    pytest.param("numpy", marks=pytest.mark.skip(reason=f"no core here: {native.why_not()}")),
)
BEST = [name for name in CORES if isinstance(name, str)][:1] or list(CORES)


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


def differing(
    fill: Fill, name: str, start: int, count: int, at_once: int = 1 << 22, dtype: str | None = None
) -> int:
    """How many elements differ from the reference's in a bit."""
    kind = KINDS[name]
    held = kind.dtype if dtype is None else dtypes.resolve(dtype)
    unsigned = f"u{held.itemsize}"
    ours, theirs = np.empty(at_once, held), np.empty(at_once, held)
    wrong = 0
    for at in range(start, start + count, at_once):
        size = min(at_once, start + count - at)
        reference.fill([(kind, KEY, at, theirs[:size])])
        fill([(kind, KEY, at, ours[:size])])
        wrong += int((ours[:size].view(unsigned) != theirs[:size].view(unsigned)).sum())
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["uniform", "normal", "truncated"])
def test_a_hundred_million_elements_are_the_references(name, core):
    count = 10**8 if core == CORES[0] else 10**7
    assert differing(compiled.filler(core), name, 12_345, count) == 0


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", sorted(set(KINDS) - {"uniform", "normal", "truncated"}))
def test_a_million_elements_are_the_references(name, core):
    assert differing(compiled.filler(core), name, 2**33 - 5, 1_000_003) == 0


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", [name for name in KINDS if not name.endswith("64")])
def test_what_is_rounded_while_it_is_drawn_is_rounded_once(name, dtype, core):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    assert differing(compiled.filler(core), name, 5, 100_003, dtype=dtype) == 0


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("std", [1e-9, 3e-8, 6e-8, 1e-6, 6e-5, 1.0, 9000.0])
def test_float16_is_rounded_from_its_smallest_numbers_to_its_largest(std, core):
    kind = distribution.normal(0, std)
    ours, theirs = np.empty(50_000, np.float16), np.empty(50_000, np.float16)
    compiled.filler(core)([(kind, KEY, 0, ours)])
    reference.fill([(kind, KEY, 0, theirs)])
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("core", BEST)
def test_one_bit_in_a_hundred_million_would_be_found(core):
    fill = compiled.filler(core)

    def one_bit(pieces: list[Piece]) -> None:
        ((_, _, start, out),) = pieces
        fill(pieces)
        if start <= 10**8 < start + out.size:
            out.view(np.uint32)[10**8 - start] ^= 1

    assert differing(one_bit, "uniform", 12_345, 10**8) == 1


def made_otherwise(folder: Path, monkeypatch, flags: tuple[str, ...], old: str, new: str) -> Fill:
    """Drawing by a library that is compiled with other flags, from text with `new` in place of
    `old`.
    """
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here to make another library with")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    for path in build.SOURCES.glob("*.[ch]"):
        text = path.read_text(encoding="utf-8")
        if path.name == "transforms.h":
            assert old in text
            text = text.replace(old, new)
        (folder / path.name).write_text(text, encoding="utf-8")
    build.SOURCES, build.SETS, build.FLAGS = folder, {"baseline": flags}, (*build.FLAGS, *flags)
    build.compile_library(folder / "kernels.native.so")
    monkeypatch.setattr(library, "FOLDER", folder)
    monkeypatch.setattr(library, "LIBRARY", folder / "kernels.native.so")
    for kept in (library._opened, library.cores, library.core):
        kept.cache_clear()
    try:
        return compiled.filler("baseline")
    finally:
        monkeypatch.undo()
        for kept in (library._opened, library.cores, library.core):
            kept.cache_clear()


@pytest.mark.parametrize("name", ["normal", "truncated", "normal64", "truncated64"])
def test_operations_that_are_fused_would_be_found(name, tmp_path, monkeypatch):
    if "avx2" not in native.cores():
        pytest.skip("this processor may not fuse operations")
    flags = ("-ffp-contract=fast", "-mavx2", "-mfma")
    fused = made_otherwise(tmp_path, monkeypatch, flags, "fmul", "fmul")
    assert differing(fused, name, 0, 100_000) > 1000


def test_a_constant_that_is_wrong_in_its_last_place_would_be_found(tmp_path, monkeypatch):
    wrong = repr(float(np.nextafter(np.float32(212.5440216064453), np.float32(300))))
    changed = made_otherwise(tmp_path, monkeypatch, (), "212.5440216064453f", f"{wrong}f")
    assert differing(changed, "normal", 0, 100_000) > 1000


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 5000) | st.integers(2**40, 2**40 + 2000), count=st.integers(0, 3000))
def test_any_start_and_any_size_give_the_references_bits(name, core, start, count):
    assert differing(compiled.filler(core), name, start, count, at_once=3000) == 0


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("offset", range(1, 4))
def test_no_element_beside_those_wanted_is_written(core, offset):
    around = np.full(2000, 7, np.float32)
    compiled.filler(core)([(KINDS["normal"], KEY, 3, around[offset : offset + 1500])])
    assert (around[:offset] == 7).all() and (around[offset + 1500 :] == 7).all()
    theirs = np.empty(1500, np.float32)
    reference.fill([(KINDS["normal"], KEY, 3, theirs)])
    assert around[offset : offset + 1500].tobytes() == theirs.tobytes()


@pytest.mark.parametrize("core", BEST)
def test_a_chunk_that_begins_one_element_late_would_be_found(core):
    fill = compiled.filler(core)

    def late(pieces: list[Piece]) -> None:
        fill([(kind, key, start + bool(start), out) for kind, key, start, out in pieces])

    assert differing(late, "normal", 0, 2048, at_once=1024) > 1000


@pytest.mark.parametrize("name", ["normal", "truncated64"])
@pytest.mark.parametrize("implementation", ["numpy", *BEST])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_share_a_tensor_without_a_trace(name, implementation, threads, monkeypatch):
    monkeypatch.setattr(draw, "COMPILED_FROM", 1 << 18)
    streams.threads(threads)
    streams.implementation(implementation)
    assert differing(streams.draw_many, name, 3, 1_500_001) == 0


def test_a_part_that_a_thread_left_out_would_be_found(monkeypatch):
    shared = pool.share
    monkeypatch.setattr(draw, "COMPILED_FROM", 1 << 18)
    monkeypatch.setattr(pool, "share", lambda work, parts: shared(work, list(parts)[:-1]))
    streams.threads(2)
    assert differing(streams.draw_many, "normal", 0, 1_500_001) > 1000


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
def test_an_error_in_a_thread_is_raised(implementation, monkeypatch):
    monkeypatch.setattr(draw, "COMPILED_FROM", 1 << 18)
    streams.threads(2)
    streams.implementation(implementation)
    out = np.zeros(1 << 19, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        streams.draw_many([(KINDS["normal"], KEY, 0, out)])


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
@pytest.mark.parametrize("name", ["uniform", "normal", "truncated64"])
def test_an_array_with_gaps_is_drawn_too(name, implementation):
    streams.implementation(implementation)
    kind = KINDS[name]
    gaps, solid = np.zeros(6000, kind.dtype), np.empty(2000, kind.dtype)
    streams.draw_many([(kind, KEY, 1, gaps[::3]), (kind, KEY, 1, solid)])
    assert gaps[::3].tobytes() == solid.tobytes()
    assert not gaps[1::3].any()


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
def test_an_array_that_is_not_aligned_is_drawn_too(implementation):
    streams.implementation(implementation)
    held, solid = np.full(8001, 7, np.uint8), np.empty(2000, np.float32)
    odd = held[1:].view(np.float32)
    streams.draw_many([(KINDS["normal"], KEY, 1, odd), (KINDS["normal"], KEY, 1, solid)])
    assert odd.tobytes() == solid.tobytes() and held[0] == 7


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
def test_nothing_is_drawn_of_no_pieces_and_of_empty_ones(implementation):
    streams.implementation(implementation)
    streams.draw_many([])
    streams.draw_many([(KINDS["normal"], KEY, 5, np.empty(0, np.float32))])


@pytest.mark.parametrize("core", CORES)
def test_an_array_is_free_after_it_was_drawn(core):
    out = np.empty(100, np.float32)
    before = sys.getrefcount(out)
    compiled.filler(core)([(KINDS["normal"], KEY, 0, out)] * 3)
    assert sys.getrefcount(out) == before


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
            (KINDS[name], Key(1, f"p{i}"), start, out)
            for i, ((name, start, _), out) in enumerate(zip(mix, outs, strict=True))
        ]
    )
    return outs


def drawn_one_by_one(mix: list[tuple[str, int, int]]) -> list[np.ndarray]:
    outs = [np.empty(size, KINDS[name].dtype) for name, _, size in mix]
    for i, ((name, start, _), out) in enumerate(zip(mix, outs, strict=True)):
        reference.fill([(KINDS[name], Key(1, f"p{i}"), start, out)])
    return outs


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return [a.tobytes() for a in one] == [b.tobytes() for b in two]


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
@settings(max_examples=40, deadline=None)
@given(mix=mixes)
def test_any_mix_drawn_together_is_what_is_drawn_one_by_one(implementation, mix):
    streams.implementation(implementation)
    assert same(drawn_together(streams.draw_many, mix), drawn_one_by_one(mix))


@pytest.mark.parametrize("implementation", ["numpy", *BEST])
def test_more_than_a_block_of_small_tensors_is_what_is_drawn_one_by_one(implementation):
    streams.implementation(implementation)
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
    assert not same(drawn_together(streams.draw_many, mix)[::-1], drawn_one_by_one(mix))


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
def test_numbers_in_the_other_byte_order_are_refused_or_right(implementation):
    streams.implementation(implementation)
    out = np.empty(9, ">f2")
    with pytest.raises(ValueError, match=r"out must be float32 of one axis, got >f2 \(9,\)"):
        streams.draw_many([(KINDS["normal"], KEY, 0, out)])
    law = laws.Normal(0.0, 0.01)
    law.fill(KEY, (9,), 0, out)
    assert np.array_equal(out, law.draw(KEY, (9,), "float16"))


@pytest.mark.parametrize("implementation", ["numpy", *CORES])
def test_what_cannot_be_drawn_is_refused(implementation):
    streams.implementation(implementation)
    kind = KINDS["normal"]
    with pytest.raises(ValueError, match=r"out must be float32 of one axis, got float64 \(3,\)"):
        streams.draw_many([(kind, KEY, 0, np.empty(3))])
    with pytest.raises(ValueError, match=r"out must be float32 of one axis, got float32 \(3, 1\)"):
        streams.draw_many([(kind, KEY, 0, np.empty((3, 1), np.float32))])
    with pytest.raises(ValueError, match="start must not be negative, got -1"):
        streams.draw_many([(kind, KEY, -1, np.empty(3, np.float32))])
    with pytest.raises(ValueError, match="nothing of a normal lies between 7 and 8"):
        distribution.truncated_normal(0, 1, 7, 8)
