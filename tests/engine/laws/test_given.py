"""A law of values from a file gives the file's values, and says what is wrong with the file."""

from __future__ import annotations

import math

import numpy as np
import pytest

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
