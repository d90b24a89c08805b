"""MXNet's container, byte for byte as MXNet 1.9.1 writes it."""

from __future__ import annotations

import numpy as np
import pytest

from engine import formats
from engine.errors import FormatError
from engine.formats import Snapshot, params

RECORDED = bytes.fromhex(
    "1201000000000000000000000000000002000000000000" + "00c9fa93f9000000000200000002000000000000000100000000000000"
    "0100000000000000000000000000000000000000c9fa93f9000000000100000002000000000000000100000000000000000000000000803f0000803f"
    "02000000000000000600000000000000776569676874040000000000000062696173"
)
"""`nn.Dense(2, in_units=1)` with weight zeros and bias ones, saved by MXNet 1.9.1."""


def test_we_write_what_mxnet_wrote():
    weight, bias = np.zeros((2, 1), np.float32), np.ones(2, np.float32)
    assert params.dumps([weight, bias], ["weight", "bias"]) == RECORDED


def test_we_read_what_mxnet_wrote():
    arrays, names, devices = params.loads(RECORDED)
    assert names == ["weight", "bias"]
    assert [a.tolist() for a in arrays] == [[[0.0], [0.0]], [1.0, 1.0]]
    assert devices == [(1, 0), (1, 0)]


@pytest.mark.parametrize("dtype", list(params.FLAGS))
def test_every_dtype_survives(dtype):
    from engine import dtypes

    array = (np.arange(6) % 2).reshape(3, 2).astype(dtypes.resolve(dtype))
    [read], _, _ = params.loads(params.dumps([array], []))
    assert read.dtype == array.dtype
    assert read.tobytes() == array.tobytes()


def test_an_alias_is_written_out_under_its_own_name(tmp_path):
    path = tmp_path / "x.params"
    formats.get("params").write(path, Snapshot({"a": np.ones(2, np.float32)}, {"b": "a"}))
    read = formats.get(path).read(path)
    assert {name: array.tolist() for name, array in read.tensors.items()} == {"a": [1, 1], "b": [1, 1]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x" * 64, "header == kMXAPINDArrayListMagic: Invalid NDArray file format"),
        (RECORDED[:-5], r"fi->Read\(keys\): Invalid NDArray file format"),
        (RECORDED[:60], r"fi->Read\(data\): Invalid NDArray file format"),
    ],
)
def test_a_damaged_container_is_refused_in_mxnets_words(data, message):
    with pytest.raises(FormatError, match=message):
        params.loads(data)
