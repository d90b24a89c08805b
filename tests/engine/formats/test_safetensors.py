"""A damaged header is refused with what is wrong in it, before any tensor is made."""

from __future__ import annotations

import json
import struct

import pytest

from engine import formats
from engine.errors import FormatError

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def file_of(header: object, body: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1234", "4 bytes cannot hold a safetensors header"),
        (struct.pack("<Q", 10**12) + b"{}", "its header would be 1000000000000 bytes long"),
        (file_of(b"[1]"), "its header is no JSON object"),
        (file_of(b"{,"), "its header is no JSON"),
        (file_of(b'{"a":1,"a":2}'), "the header has 'a' twice"),
        (file_of({"a": 3}), "tensor 'a' has no proper entry"),
        (file_of({"a": ENTRY | {"dtype": "F99"}}), "tensor 'a' of unknown dtype 'F99'"),
        (file_of({"a": ENTRY | {"shape": [-2]}}), r"impossible numbers \[-2\]"),
        (file_of({"a": ENTRY | {"shape": [True, 2]}}), "impossible numbers"),
        (file_of({"a": ENTRY | {"data_offsets": [0, 4]}}), "needs 8 bytes, its offsets give 4"),
        (file_of({"a": ENTRY | {"data_offsets": [8, 16]}}), "starts at byte 8 of the data, expected 0"),
        (file_of({"a": ENTRY, "b": ENTRY}), "starts at byte 0 of the data, expected 8"),
        (file_of({"a": ENTRY}, b"\0" * 9), "1 bytes too many follow the last tensor"),
        (file_of({"a": ENTRY}, b"\0" * 7), "cut short within its data: 8 bytes announced, 7 there"),
        (file_of({"__metadata__": 3, "a": ENTRY}), "its __metadata__ is no JSON object"),
        (file_of({"__metadata__": {"initlab": "{}"}, "a": ENTRY}), "its alias table is not as we write it"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(data, message):
    with pytest.raises(FormatError, match=message):
        formats.get("safetensors").parse(data)
