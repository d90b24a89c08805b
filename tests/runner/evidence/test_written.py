"""What a manifest says of a file fixes each of its bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from initlab.engine import formats
from initlab.runner.evidence import written
from initlab.runner.evidence.written import Written


def test_a_file_has_its_size_and_its_sha256(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(b"abc")
    expected = Written(3, hashlib.sha256(b"abc").hexdigest())
    assert written.of_file(path) == written.of_bytes(b"abc") == expected
    assert Written(**expected.to_json()) == expected


def test_a_safetensors_file_has_the_sha256_of_its_header_whose_tensors_have_digests(tmp_path):
    path = tmp_path / "x.safetensors"
    formats.get(path).write(path, formats.Snapshot({"x": np.ones(3, np.float32)}))
    content = path.read_bytes()
    found = written.of_file(path)
    assert found == Written(
        len(content), header_sha256=hashlib.sha256(content[: len(content) - 12]).hexdigest()
    )
    assert found.to_json().keys() == {"bytes", "header_sha256"}


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 9])
def test_what_is_no_safetensors_file_has_digests_too(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    assert written.of_file(path).bytes == len(content)


ENTRY = {"bytes": 1, "sha256": "0f" * 32}


@pytest.mark.parametrize(
    ("value", "are"),
    [
        ({}, True),
        ({"plan.json": ENTRY, ".hydra/config.yaml": ENTRY}, True),
        ({"x.safetensors": {"bytes": 1, "header_sha256": "0f" * 32}}, True),
        ([], False),
        ({"../x": ENTRY}, False),
        ({"/x": ENTRY}, False),
        ({"a/../../x": ENTRY}, False),
        ({"": ENTRY}, False),
        ({"a//x": ENTRY}, False),
        ({"x": {**ENTRY, "header_sha256": "0f" * 32}}, False),
        ({"x": {"bytes": 1}}, False),
        ({"x": {**ENTRY, "bytes": True}}, False),
        ({"x": {**ENTRY, "sha256": "0F" * 32}}, False),
        ({"x": {"bytes": 1, "md5": "0f" * 32}}, False),
        ({"x": None}, False),
    ],
)
def test_names_are_within_the_folder_and_entries_as_written(value, are):
    assert written.are_written(value) is are
