"""`nd.save` and `nd.load`: names, lists, devices, and bytes."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import cpu, nd
from initlab.engine.errors import MXNetError


def test_save_and_load_keep_names_lists_and_devices(tmp_path):
    path = tmp_path / "x.params"
    nd.save(path, {"b": nd.ones((1,)), "a": nd.zeros((2, 2), dtype="float16")})
    loaded = nd.load(path)
    assert list(loaded) == ["b", "a"]
    assert loaded["a"].dtype is np.float16
    nd.save(path, [nd.ones((2,), ctx=cpu(1))])
    assert nd.load(path)[0].context == cpu(0)
    with pytest.raises(MXNetError, match="No such file or directory"):
        nd.load(tmp_path / "none")
    with pytest.raises(TypeError, match="save only accept dict str->NDArray or list of NDArray"):
        nd.save(path, {"a": np.ones(2)})


def test_bytes_are_loaded_as_the_file_of_them_is(tmp_path):
    path = tmp_path / "x.params"
    nd.save(path, {"w": nd.arange(6).reshape((2, 3))})
    assert nd.load_frombuffer(path.read_bytes())["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(MXNetError):
        nd.load_frombuffer(path.read_bytes()[:-4])
