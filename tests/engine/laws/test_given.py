"""A law of values from a file gives the file's values, and says what is wrong with the file."""

from __future__ import annotations

import copy
import math
import pickle
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.engine import formats, laws
from initlab.engine.errors import FormatError, LawError
from initlab.engine.formats import Snapshot
from initlab.engine.streams import Key, Stream

KEY = Key(0, "given")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "first.npz"
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "odd": np.array([np.nan, 1e6], np.float32),
    }
    formats.get("npz").write(path, Snapshot(tensors, {"b": "a"}))
    return str(path)


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_tensor_or_its_alias_is_read_in_the_parameters_dtype(file, name):
    values = laws.Loaded(file, name).draw(KEY, (2, 3), "float16")
    assert values.dtype == np.float16
    assert values.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_slice_is_that_of_the_whole(file):
    assert laws.Loaded(file, "a").draw(KEY, (2, 3), start=1, stop=4).tolist() == [1, 2, 3]


def test_loading_does_not_move_the_stream(file):
    stream = Stream(KEY)
    assert laws.Loaded(file, "a").draw_from(stream, (2, 3)).shape == (2, 3)
    assert stream.cursor == 0


def test_invariants_count_what_differs_from_the_file_and_take_nan_for_nan(file):
    law = laws.Loaded(file, "odd")
    values = law.draw(KEY, (2,))
    assert math.isnan(values[0])
    assert law.invariants(values)[0].ok
    values[1] = 0
    assert law.invariants(values)[0].value == 1


def test_a_missing_tensor_another_shape_and_a_value_too_large_are_refused(file):
    with pytest.raises(LawError, match="has no tensor 'c'"):
        laws.Loaded(file, "c").draw(KEY, (2, 3))
    with pytest.raises(LawError, match=r"'a' has shape \(2, 3\), the parameter \(3, 2\)"):
        laws.Loaded(file, "a").draw(KEY, (3, 2))
    with pytest.raises(LawError, match="gives 1000000.0, which is beyond the range of float16"):
        laws.Loaded(file, "odd").draw(KEY, (2,), "float16")


def test_a_damaged_file_is_refused_by_its_name(tmp_path):
    path = tmp_path / "first.npz"
    path.write_bytes(b"PK")
    with pytest.raises(FormatError, match="first.npz"):
        laws.Loaded(str(path), "a").draw(KEY, (2,))


LAYOUTS = {
    "safetensors": lambda path, values: formats.get("safetensors").write(
        path, Snapshot({"w": values})
    ),
    "npz": lambda path, values: np.savez(path, w=values),
    "columns first": lambda path, values: np.savez(path, w=np.asfortranarray(values)),
    "compressed": lambda path, values: np.savez_compressed(path, w=values),
    "other order of bytes": lambda path, values: np.savez(path, w=values.astype(">f4")),
}


@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from(["float32", "float16", "bfloat16", "float64"]),
    st.lists(st.integers(0, 6), min_size=1, max_size=3).map(tuple),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_every_slice_of_every_layout_is_that_of_the_cast_tensor(layout, dtype, shape, data):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "w.safetensors" if layout == "safetensors" else "w.npz")
        LAYOUTS[layout](path, values)
        law = laws.Loaded(str(path), "w")
        start = data.draw(st.integers(0, values.size))
        stop = data.draw(st.integers(start, values.size))
        found = law.draw(KEY, shape, dtype, start, stop)
        assert found.tobytes() == values.astype(found.dtype).reshape(-1)[start:stop].tobytes()
        assert law.wrong_in(found.reshape(-1), shape, start) == 0


@pytest.fixture
def large(tmp_path):
    """A file with a tensor of 8 MB."""
    path = tmp_path / "large.safetensors"
    values = np.random.default_rng(0).normal(size=(2000, 1000)).astype(np.float32)
    formats.get("safetensors").write(path, Snapshot({"w": values}))
    return path, values


def peak_of(task):
    """The most bytes that Python and NumPy held during a task."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_filling_and_comparing_need_no_memory_for_a_whole_tensor(large, dtype):
    path, values = large
    law, out = laws.Loaded(str(path), "w"), np.empty(values.size, dtype)
    law.fill(KEY, values.shape, 0, out[:1])
    assert peak_of(lambda: law.fill(KEY, values.shape, 0, out)) < 5 << 20
    assert (out == values.reshape(-1).astype(dtype)).all()
    assert peak_of(lambda: law.invariants(out.reshape(values.shape))) < 5 << 20


def test_all_slices_are_of_the_file_as_it_was_and_its_change_is_said(large):
    path, values = large
    law = laws.Loaded(str(path), "w")
    first = law.draw(KEY, values.shape, stop=1000)
    law.check_unchanged()
    formats.get("safetensors").write(path, Snapshot({"w": values + 1}))
    assert np.concatenate([first, law.draw(KEY, values.shape, start=1000)]).tobytes() == (
        values.tobytes()
    )
    assert laws.Loaded(str(path), "w").draw(KEY, values.shape)[0, 0] == values[0, 0] + 1
    with pytest.raises(LawError, match="large.safetensors: was changed while it was read"):
        law.check_unchanged()
    path.unlink()
    with pytest.raises(LawError, match="was changed while it was read - run again"):
        law.check_unchanged()


def test_a_copy_of_the_law_holds_no_values(large):
    path, values = large
    law = laws.Loaded(str(path), "w")
    law.draw(KEY, values.shape)
    made = copy.deepcopy(law)
    assert made == law and vars(made) == {"file": str(path), "tensor": "w"}
    assert len(pickle.dumps(law)) < 1000
