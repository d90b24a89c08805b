"""A file's version: known, newer, or of another kind altogether."""

from __future__ import annotations

from pathlib import Path

import pytest

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.version import check_version

PLACE = Path("folder/lock.json")


def test_a_known_version_is_given():
    assert check_version(PLACE, "initlab-lock-2", "lock", (1, 2), "lock again") == 2


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            "initlab-lock-3",
            "is of format initlab-lock-3, this initlab reads initlab-lock-1, initlab-lock-2 - use a "
            "newer initlab, or lock again",
        ),
        (
            "initlab-manifest-1",
            "this is no lock of format initlab-lock-2, found 'initlab-manifest-1'",
        ),
        (None, "this is no lock of format initlab-lock-2, found None - lock again"),
        (2, "this is no lock of format initlab-lock-2, found 2 - lock again"),
    ],
)
def test_any_other_is_refused_in_one_line(found, said):
    with pytest.raises(EvidenceError) as error:
        check_version(PLACE, found, "lock", (1, 2), "lock again")
    assert str(error.value).startswith(f"{PLACE}: {said}")
    assert str(error.value).endswith("lock again")
