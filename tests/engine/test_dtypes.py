"""Every way of writing a dtype comes to one, and what is none is refused."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from initlab.engine import dtypes
from initlab.engine.errors import MXNetError


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), ">f4", "f4"])
def test_every_way_of_writing_a_dtype_comes_to_the_same(dtype):
    assert dtypes.resolve(dtype) == np.dtype(np.float32)
    assert dtypes.name(dtype) == "float32"


@pytest.mark.parametrize("name", dtypes.NAMES)
def test_a_name_is_that_of_its_dtype(name):
    assert dtypes.name(dtypes.resolve(name)) == name


@pytest.mark.parametrize(
    "dtype",
    [None, object, "complex64", "S3", "M8", [("a", "f4")], {"a": 1}, 5, np.dtype("longdouble")],
)
def test_what_holds_no_real_numbers_is_refused(dtype):
    with pytest.raises(MXNetError, match="no dtype .* Known: bfloat16, bool, float16"):
        dtypes.resolve(dtype)


def test_a_misspelt_name_brings_the_nearest():
    with pytest.raises(MXNetError, match="no dtype 'float23' - did you mean 'float32'?"):
        dtypes.resolve("float23")


def test_bfloat16_without_ml_dtypes_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == "ml_dtypes":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MXNetError, match=r"ml_dtypes - pip install 'initlab\[bfloat16\]'"):
        dtypes.resolve("bfloat16")
