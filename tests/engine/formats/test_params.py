"""MXNet's container, byte for byte as MXNet 1.9.1 writes it."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from snapshots import round_trip, same, snapshots

from initlab.engine import dtypes, formats
from initlab.engine.errors import FormatError
from initlab.engine.formats import Snapshot, params

RECORDED = bytes.fromhex(
    "1201000000000000000000000000000002000000000000"
    + "00c9fa93f9000000000200000002000000000000000100000000000000"
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
    array = (np.arange(6) % 2).reshape(3, 2).astype(dtypes.resolve(dtype))
    [read], _, _ = params.loads(params.dumps([array], []))
    assert read.dtype == array.dtype
    assert read.tobytes() == array.tobytes()


RECORDED_V3 = [
    ("cafa93f9000000000000000001000000000000000000000000006040", np.array(3.5, np.float32)),
    (
        "cafa93f9000000000200000000000000000000000300000000000000010000000000000000000000",
        np.zeros((0, 3), np.float32),
    ),
    (
        "cafa93f9000000000100000002000000000000000100000000000000000000000000803f0000803f",
        np.ones(2, np.float32),
    ),
]
"""Single arrays as MXNet 1.9.1 saved them under np_shape."""


def container(*records: bytes) -> bytes:
    return struct.pack("<QQQ", 0x112, 0, len(records)) + b"".join(records) + struct.pack("<Q", 0)


def test_an_array_without_axes_is_kept_in_the_version_that_has_them():
    arrays = [array for _, array in RECORDED_V3]
    records = [bytes.fromhex(text) for text, _ in RECORDED_V3]
    assert params.dumps(arrays, []) == container(*records)
    read, _, _ = params.loads(container(*records))
    assert [(a.shape, a.tolist()) for a in read] == [(a.shape, a.tolist()) for a in arrays]


TAIL = struct.pack("<iii2f", 1, 0, 0, 1.5, -2.0)


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("<I2I", 2, 2, 1),
        struct.pack("<Ii2q", params.V1, 2, 2, 1),
        struct.pack("<Iii2q", params.V2, 0, 2, 2, 1),
        struct.pack("<Iii2q", params.V3, 0, 2, 2, 1),
    ],
    ids=["V0", "V1", "V2", "V3"],
)
def test_every_version_of_a_dense_array_is_read(head):
    [array], names, devices = params.loads(container(head + TAIL))
    assert (array.tolist(), array.dtype, names, devices) == (
        [[1.5], [-2.0]],
        np.float32,
        [],
        [(1, 0)],
    )


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("<I", 0),
        struct.pack("<Iii", params.V2, 0, 0),
        struct.pack("<Iii", params.V3, 0, -1),
    ],
)
def test_an_array_of_no_shape_is_none_and_no_snapshot_has_one(head):
    assert params.loads(container(head))[0] == [None]
    named = container(head)[:-8] + struct.pack("<QQ", 1, 1) + b"w"
    with pytest.raises(
        FormatError, match="has no values for 'w', which was saved before its shape was known"
    ):
        formats.get("params").parse(named)


def test_the_device_of_an_array_is_written_and_read():
    data = params.dumps([np.ones(1, np.float32)], [], [(1, 3)])
    assert params.loads(data)[2] == [(1, 3)]


def test_bytes_after_the_names_are_damage_in_a_snapshot_but_nothing_to_mxnet():
    assert params.loads(RECORDED + b"junk")[1] == ["weight", "bias"]
    with pytest.raises(FormatError, match="4 bytes too many follow the last name"):
        formats.get("params").parse(RECORDED + b"junk")


def test_an_alias_is_written_out_under_its_own_name(tmp_path):
    path = tmp_path / "x.params"
    formats.get("params").write(path, Snapshot({"a": np.ones(2, np.float32)}, {"b": "a"}))
    read = formats.get(path).read(path)
    assert {name: array.tolist() for name, array in read.tensors.items()} == {
        "a": [1, 1],
        "b": [1, 1],
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x" * 64, "header == kMXAPINDArrayListMagic: Invalid NDArray file format"),
        (RECORDED[:-5], r"fi->Read\(keys\): Invalid NDArray file format"),
        (RECORDED[:60], r"fi->Read\(data\): Invalid NDArray file format"),
        (
            container(struct.pack("<Ii", params.V2, 1)),
            r"sparse arrays \(storage type 1\) cannot be read, only dense ones",
        ),
        (
            container(struct.pack("<Iiiqiii", params.V2, 0, 1, 2, 1, 0, 9)),
            "an array has the unknown type flag 9",
        ),
        (
            container(struct.pack("<Iiiq", params.V2, 0, 1, -2)),
            r"fi->Read\(data\): Invalid NDArray file format",
        ),
        (
            container(struct.pack("<Iii", params.V2, 0, 65)),
            r"fi->Read\(data\): Invalid NDArray file format",
        ),
        (struct.pack("<QQQ", 0x112, 0, 2**63), r"fi->Read\(data\): Invalid NDArray file format"),
        (
            RECORDED[: RECORDED.rindex(b"weight") - 16] + struct.pack("<QQ", 1, 1) + b"w",
            r"keys->size\(\) == data->size\(\)",
        ),
        (RECORDED[:-4] + b"\xff\xff\xff\xff", r"fi->Read\(keys\): Invalid NDArray file format"),
    ],
)
def test_a_damaged_container_is_refused_in_mxnets_words(data, message):
    with pytest.raises(FormatError, match=message):
        params.loads(data)


def test_a_dtype_that_the_container_lacks_and_a_name_twice_are_refused():
    with pytest.raises(FormatError, match="dtype int16 cannot be saved in a .params file"):
        params.dumps([np.ones(1, np.int16)], [])
    with pytest.raises(FormatError, match="it has 'a' twice"):
        formats.get("params").parse(params.dumps([np.ones(1), np.ones(1)], ["a", "a"]))
    with pytest.raises(FormatError, match="holds a list of arrays without names"):
        formats.get("params").parse(params.dumps([np.ones(1)], []))


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots())
def test_params_keeps_every_tensor_in_order_and_aliases_as_tensors(snapshot):
    read = round_trip("params", snapshot)
    assert list(read.tensors) == [*snapshot.tensors, *snapshot.aliases]
    assert all(same(read.tensors[key], value) for key, value in snapshot.tensors.items())
    assert all(
        same(read.tensors[alias], snapshot.tensors[owner])
        for alias, owner in snapshot.aliases.items()
    )
