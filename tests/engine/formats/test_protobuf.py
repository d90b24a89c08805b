"""Messages are taken apart without a schema."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine.errors import FormatError
from initlab.engine.formats import protobuf
from initlab.engine.formats.protobuf import Span


def encoded(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def raw(data):
    return np.frombuffer(data, np.uint8)


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_numbers_are_read_one_by_one_and_together(values):
    data = raw(b"".join(map(encoded, values)))
    assert protobuf.varints(data, Span(0, data.size)).tolist() == values
    at, found = 0, []
    while at < data.size:
        value, at = protobuf.varint(data, at, data.size)
        found.append(value)
    assert found == values


def test_fields_of_all_types_are_told():
    data = raw(b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d" + bytes(4) + b"\x21" + bytes(8))
    found = list(protobuf.fields(data, Span(0, data.size)))
    assert found == [(1, 150), (2, Span(5, 7)), (3, Span(8, 12)), (4, Span(13, 21))]
    assert protobuf.text(data, found[1][1]) == "hi"


@pytest.mark.parametrize("data", [b"\x80", b"\xff" * 12, b"\x01\x80"])
def test_numbers_without_an_end_are_refused(data):
    with pytest.raises(FormatError):
        protobuf.varints(raw(data), Span(0, len(data)))


def test_a_name_without_end_is_refused():
    with pytest.raises(FormatError, match="a name has 5000 bytes"):
        protobuf.text(raw(bytes(5000)), Span(0, 5000))
