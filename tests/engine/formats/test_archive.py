"""Members of a zip file are parts of the file, or the file is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from initlab.engine.errors import FormatError
from initlab.engine.formats import archive


def made(compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as out:
        out.writestr("a", b"one" * 50)
        out.writestr("b/c", b"")
    return np.frombuffer(file.getvalue(), np.uint8)


def test_members_are_views_with_their_checksums():
    found = archive.members(made())
    assert found["a"].part.tobytes() == b"one" * 50 and found["b/c"].part.size == 0
    for name, member in found.items():
        member.check(name)
        assert member.part.base is not None


def test_a_changed_member_has_another_checksum():
    raw = made().copy()
    raw[60] ^= 1
    with pytest.raises(FormatError, match="Bad CRC-32 for file 'a'"):
        archive.members(raw)["a"].check("a")


def test_compressed_members_are_told():
    with pytest.raises(archive.Compressed, match="has the part 'a' compressed"):
        archive.members(made(zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("cut", [0, 10, 100, 250])
def test_a_file_cut_short_is_refused(cut):
    with pytest.raises(zipfile.BadZipFile):
        archive.members(made()[:cut])
