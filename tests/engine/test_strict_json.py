"""JSON files: what our files hold is read as it is, and whatever a damaged or a hostile one holds is
refused in few words, before it fills the memory.
"""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initlab.engine import strict_json

JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSONS)
def test_every_document_comes_back(document):
    text = json.dumps(document, ensure_ascii=False).encode()
    assert strict_json.parse(text) == document


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "it is no UTF-8 text, see byte 0"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "it has 'c' twice"),
        (b"[NaN]", "it has the number NaN, which JSON lacks"),
        (b"[" * 201 + b"]" * 201, "it is nested more than 200 deep"),
        (b"[" * 50_000 + b" " * 10**6, "it is nested more than 200 deep"),
        (b"[" + b"[]," * 2000 + b"[]]", "it has 2002 times '[' in 6004 bytes"),
        (b'["\\ud800"]', "it has half a character"),
        (b"9" * 5000, "Exceeds the limit"),
    ],
)
def test_what_no_program_of_ours_wrote_is_refused(data, said):
    with pytest.raises(ValueError) as found:
        strict_json.parse(data)
    assert str(found.value).startswith(said)
    assert len(str(found.value).splitlines()) == 1


def test_what_is_nested_as_deep_as_allowed_is_read():
    assert strict_json.parse(b"[" * 200 + b"]" * 200)


def test_a_file_is_refused_by_its_size_before_it_is_read(tmp_path):
    path = tmp_path / "large.json"
    with open(path, "wb") as file:
        file.truncate(strict_json.MOST_BYTES + 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"it has 1073741825 bytes, at most 1073741824 are read"):
        strict_json.read(path)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


@pytest.mark.parametrize("part", [b"[1.5,2.5],", b'{"a":12345},', b"12.5,"])
def test_what_is_read_needs_ten_times_its_bytes_at_most(part):
    data = b"[" + part * (1_000_000 // len(part)) + b"0]"
    tracemalloc.start()
    with suppress(ValueError):
        strict_json.parse(data)
    assert tracemalloc.get_traced_memory()[1] < 10 * len(data)
    tracemalloc.stop()


@pytest.mark.parametrize("part", [b"[],", b"{},", b"[[],[]],", b'{"a":{}},'])
def test_no_document_needs_much_more_memory_than_its_bytes(part):
    data = b"[" + part * (3_000_000 // len(part)) + b"0]"
    tracemalloc.start()
    with pytest.raises(ValueError, match="it has [0-9]* times"):
        strict_json.parse(data)
    assert tracemalloc.get_traced_memory()[1] < 2 * len(data)
    tracemalloc.stop()
