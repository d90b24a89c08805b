"""What code written for MXNet imports from `base`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initlab.engine import base, errors


def test_types_are_mxnets():
    assert isinstance("x", base.string_types)
    assert isinstance(np.float32(1), base.numeric_types)
    assert not isinstance("1", base.numeric_types)
    assert isinstance(np.int64(1), base.integer_types)
    assert not isinstance(1.0, base.integer_types)
    assert base.mx_real_t is np.float32
    assert base.MXNetError is errors.MXNetError
    assert issubclass(base.NotImplementedForSymbol, base.MXNetError)
    assert base._as_list(3) == [3]
    assert base._as_list((1, 2)) == (1, 2)


def test_a_property_of_a_class():
    class Here:
        @base.classproperty
        def name(cls) -> str:  # noqa: N805
            return cls.__name__.lower()

    assert Here.name == Here().name == "here"


def test_the_folder_of_datasets_is_in_the_home_folder_unless_a_variable_names_it(monkeypatch):
    monkeypatch.delenv("MXNET_HOME", raising=False)
    assert base.data_dir() == str(Path.home() / ".mxnet")
    monkeypatch.setenv("MXNET_HOME", "/data")
    assert base.data_dir() == "/data"


def test_the_c_library_is_not_here():
    with pytest.raises(AttributeError, match=r"mx\.base\.check_call: only types and errors"):
        base.check_call(0)
