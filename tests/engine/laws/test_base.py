"""Laws fill arrays they are given: any slice, in any dtype, one or many, without building what is
not asked for; and a law without randomness counts what is not as declared.
"""

from __future__ import annotations

import math
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import laws
from initlab.engine.errors import LawError, StreamError
from initlab.engine.laws import base
from initlab.engine.streams import Key, Stream

KEY = Key(2, "filling")


SHAPE = (8, 6, 3, 5)


LAWS = {
    "uniform": laws.Uniform(-0.07, 0.07),
    "point": laws.Uniform(0.25, 0.25),
    "normal": laws.Normal(0.5, 0.02),
    "truncated": laws.TruncatedNormal(0, 1, -2, 2),
    "constant": laws.Constant(0.5),
    "array": laws.Constant([[float(i * 5 + j) for j in range(5)] for i in range(3)]),
    "forget": laws.ForgetGate(1.0),
    "identity": laws.Structured("identity", 0.5),
    "bilinear": laws.Structured("bilinear"),
}


DTYPES = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]


SIZE = math.prod(SHAPE)


def by_hand(name: str) -> np.ndarray:
    """The tensors without randomness, element by element."""
    tensor = np.zeros(SHAPE)
    for place in np.ndindex(*SHAPE):
        i, j, y, x = place
        match name:
            case "constant":
                tensor[place] = 0.5
            case "array":
                tensor[place] = y * 5 + x
            case "forget":
                tensor[place] = 1.0 if 2 <= i < 4 else 0.0
            case "identity":
                tensor[place] = 0.5 if i == j and (y, x) == (1, 2) else 0.0
    return tensor


DECLARED = [
    (laws.Constant(0.25), (6, 35)),
    (laws.Constant([[1.0], [2.0]]), (2, 105)),
    (laws.ForgetGate(1.0), (8, 27)),
    (laws.Structured(), (20, 11)),
    (laws.Structured("identity", 0.5, (0, 3), 2), (4, 3, 3, 6)),
    (laws.Structured("bilinear"), (3, 3, 5, 5)),
    (laws.Structured("bilinear", 1.0, (0, 3)), (3, 5, 5, 3)),
]


@pytest.mark.parametrize("name", ["constant", "array", "forget", "identity"])
def test_a_tensor_without_randomness_is_what_its_definition_says(name):
    assert (LAWS[name].draw(KEY, SHAPE, "float64") == by_hand(name)).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, SIZE), size=st.integers(0, SIZE))
def test_a_slice_that_is_filled_is_that_of_the_whole(name, dtype, start, size):
    size = min(size, SIZE - start)
    out = np.full(size, 7, dtype)
    LAWS[name].fill(KEY, SHAPE, start, out)
    whole = LAWS[name].draw(KEY, SHAPE, dtype).reshape(-1)
    assert out.tobytes() == whole[start : start + size].tobytes()
    assert LAWS[name].draw(KEY, SHAPE, dtype, start, start + size).tobytes() == out.tobytes()


@pytest.mark.parametrize(
    "shape",
    [
        (3, 5),
        (5, 3),
        (1, 1),
        (4, 4, 2),
        (2, 7, 3, 3),
        (7, 2, 1, 4),
        (0, 3),
        (3, 0),
        (3, 3, 0),
        (3, 2, 2, 0),
    ],
)
def test_an_identity_is_one_at_the_centre_of_its_diagonal_in_any_slice(shape):
    expected = np.zeros(shape, np.float32)
    for i in range(min(shape[:2])) if expected.size else ():
        expected[(i, i, *((k - 1) // 2 for k in shape[2:]))] = 2.0
    law = laws.Structured("identity", 2.0)
    assert (law.draw(KEY, shape) == expected).all()
    for start in range(expected.size + 1):
        for stop in range(start, expected.size + 1):
            assert (
                law.draw(KEY, shape, "float32", start, stop) == expected.reshape(-1)[start:stop]
            ).all()


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated"])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16], ids=["float16", "bfloat16"])
def test_halves_are_float32_rounded_once_across_blocks_too(name, dtype, monkeypatch):
    monkeypatch.setattr(base, "_local", type(base._local)())
    monkeypatch.setattr(base, "ROUNDED_AT_ONCE", 100)
    out = np.empty(1234, dtype)
    LAWS[name].fill(KEY, (2000,), 7, out)
    assert (
        out.tobytes() == LAWS[name].draw(KEY, (2000,), "float32", 7, 1241).astype(dtype).tobytes()
    )


def test_what_a_half_cannot_hold_is_an_error():
    with pytest.raises(LawError, match="which is beyond the range of float16 - use a wider dtype"):
        laws.Normal(0, 60000).fill(KEY, (1000,), 0, np.empty(1000, np.float16))
    with pytest.raises(LawError, match="which is beyond the range of float16 - use a wider dtype"):
        laws.Constant(1e9).fill(KEY, (10,), 0, np.empty(10, np.float16))


def test_an_invalid_slice_or_dtype_is_an_error():
    with pytest.raises(
        LawError, match=r"slice \[5, 11\) is not within the 10 elements of shape \(10,\)"
    ):
        laws.Normal(0, 1).fill(KEY, (10,), 5, np.empty(6, np.float32))
    with pytest.raises(LawError, match="is not within the 10 elements"):
        laws.Constant(1).fill(KEY, (10,), 5, np.empty(6, np.float32))
    with pytest.raises(StreamError, match="random values of dtype int32 are not specified"):
        laws.Normal(0, 1).fill(KEY, (10,), 0, np.empty(10, np.int32))


def peak(law: laws.Law, shape: tuple[int, ...], out: np.ndarray) -> int:
    """Bytes that filling `out` with the middle of a tensor takes at most."""
    law.fill(KEY, shape, 0, out)
    tracemalloc.start()
    try:
        law.fill(KEY, shape, math.prod(shape) // 2, out)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("law", "shape"),
    [
        (laws.Constant([[1.0], [2.0]]), (1 << 15, 2, 1 << 15)),
        (laws.ForgetGate(), (1 << 16, 1 << 15)),
        (laws.Structured("identity"), (1 << 16, 1 << 15)),
        (laws.Structured("bilinear"), (1 << 13, 1 << 10, 16, 16)),
    ],
    ids=str,
)
def test_a_slice_of_gigabytes_takes_the_memory_of_the_slice(law, shape):
    assert peak(law, shape, np.empty(1000, np.float32)) < 100_000


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated", "constant"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_large_array_is_filled_without_another_of_its_size(name, dtype):
    out = np.empty(1 << 22, dtype)
    assert peak(LAWS[name], (1 << 24,), out) < out.nbytes / 2


tasks = st.lists(
    st.tuples(
        st.sampled_from(sorted(LAWS)),
        st.sampled_from(DTYPES),
        st.integers(0, SIZE),
        st.integers(0, SIZE),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(mix=tasks)
def test_any_mix_of_laws_filled_together_is_what_each_fills_alone(mix):
    work, alone = [], []
    for number, (name, dtype, start, size) in enumerate(mix):
        size = min(size, SIZE - start)
        together, single = np.full(size, 7, dtype), np.full(size, 8, dtype)
        work.append((LAWS[name], Key(0, f"p{number}"), SHAPE, start, together))
        LAWS[name].fill(Key(0, f"p{number}"), SHAPE, start, single)
        alone.append(single)
    laws.fill_many(work)
    assert [task[-1].tobytes() for task in work] == [single.tobytes() for single in alone]


def test_laws_that_need_the_whole_tensor_are_filled_together_with_others():
    haar, normal = np.empty(12, np.float32), np.empty(5, np.float32)
    laws.fill_many([(laws.Haar(), KEY, (4, 3), 0, haar), (laws.Normal(0, 1), KEY, (5,), 0, normal)])
    assert haar.tolist() == laws.Haar().draw(KEY, (4, 3)).reshape(-1).tolist()
    assert normal.tolist() == laws.Normal(0, 1).draw(KEY, (5,)).tolist()


@pytest.mark.parametrize(("law", "shape"), DECLARED, ids=[str(law) for law, _ in DECLARED])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("start", "stop"), [(0, 200), (17, 18), (90, 90), (33, 150)])
def test_every_slice_of_what_was_drawn_is_right_and_what_was_changed_is_counted(
    law, shape, dtype, start, stop
):
    part = law.draw(Key(0, ""), shape, dtype).reshape(-1)[start:stop].copy()
    assert law.wrong_in(part, shape, start) == 0
    part[1:4] = [7, np.nan, -7][: max(part.size - 1, 0)]
    assert law.wrong_in(part, shape, start) == min(max(part.size - 1, 0), 3)


def test_the_invariant_of_the_whole_counts_the_same():
    values = np.full((3, 3), 2, np.float32)
    values[1, 1] = 5
    [invariant] = laws.Constant(2).invariants(values)
    assert (invariant.name, invariant.value, invariant.ok) == (
        "elements that differ from the constant",
        1,
        False,
    )


@pytest.mark.parametrize(
    "law",
    [
        laws.Normal(0, 1),
        laws.Uniform(0, 1),
        laws.Haar(),
        laws.Custom("mine"),
    ],
    ids=str,
)
def test_a_law_that_is_random_or_not_sliced_says_nothing(law):
    assert law.wrong_in(np.zeros(4, np.float32), (2, 2), 0) is None


EXAMPLES = {
    "blocks": [(laws.Blocks((0.5, 0.5, 0.1)), (9, 5))],
    "constant": [(laws.Constant(0.25), (6, 35)), (laws.Constant([[1.0], [2.0]]), (3, 2, 5))],
    "data_scaled": [(laws.DataScaled(), (6, 4)), (laws.DataScaled(blocks=3), (6, 4))],
    "delta_orthogonal": [(laws.DeltaOrthogonal(gain=2.0), (4, 3, 3, 3))],
    "forget_gate": [(laws.ForgetGate(1.0), (8, 27))],
    "haar": [
        (laws.Haar(1.5), (4, 6)),
        (laws.Haar(), (9, 2, 3)),
        (laws.Haar(2.0, blocks=4), (12, 2)),
    ],
    "normal": [(laws.Normal(0.5, 0.02), (7, 5))],
    "repeated": [
        (laws.Repeated(laws.Normal(0.0, 0.3), 4), (8, 3, 2, 2)),
        (laws.Repeated(laws.Haar(), 2), (8, 6)),
        (laws.Repeated(laws.Blocks((1.0, 0.1)), 3), (12, 2)),
    ],
    "singular_vectors": [(laws.SingularVectors(), (4, 6))],
    "stacked": [
        (laws.Stacked((laws.Normal(0.0, 1.0), laws.Normal(0.0, 0.1))), (8, 5)),
        (laws.Stacked((laws.Uniform(-1.0, 2.0), laws.TruncatedNormal(0.0, 1.0))), (4, 3, 2)),
    ],
    "zero_rows": [(laws.ZeroRows(laws.Normal(0.0, 0.5), (0, 2), 4), (4, 3))],
    "structured": [
        (laws.Structured("identity", 0.5), (6, 6, 3, 3)),
        (laws.Structured("identity", 0.5, (0, 3), 2), (4, 3, 3, 6)),
        (laws.Structured("bilinear", 1.0, (0, 3)), (3, 5, 5, 3)),
    ],
    "truncated_normal": [(laws.TruncatedNormal(0, 1, -2, 2), (7, 5))],
    "uniform": [(laws.Uniform(-0.07, 0.07), (7, 5))],
}
WITHOUT = {"custom", "loaded"}
"""Laws whose values come from a user's code or file, not from a stream."""
DRAWN = [example for examples in EXAMPLES.values() for example in examples]


def test_every_law_has_an_example():
    shipped = {
        name
        for name, law in base.REGISTRY.entries().items()
        if law.__module__.startswith("initlab.engine.laws")
    }
    assert shipped == EXAMPLES.keys() | WITHOUT


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("law", "shape"), DRAWN, ids=[str(law) for law, _ in DRAWN])
def test_the_next_tensor_of_a_fresh_stream_is_the_tensor_of_its_key(law, shape, dtype):
    drawn = law.draw_from(Stream(KEY), shape, dtype)
    assert drawn.tobytes() == law.draw(KEY, shape, dtype).tobytes()


@pytest.mark.parametrize(("law", "shape"), DRAWN, ids=[str(law) for law, _ in DRAWN])
def test_a_tensor_later_in_a_stream_has_the_same_invariants(law, shape):
    stream = Stream(KEY)
    stream.take(64)
    later = law.draw_from(stream, shape)
    assert later.shape == shape
    assert all(invariant.ok for invariant in law.invariants(later))
    if law.random:
        assert (later != law.draw(KEY, shape)).any()
