"""Files of ours that somebody damaged are read, or refused in one line, by whatever reads them.

`python tests/damaged.py 100000` tries more.
"""

from __future__ import annotations

import damaged
import pytest


@pytest.mark.slow
def test_no_damage_to_a_file_of_ours_is_a_traceback():
    assert damaged.main(count=10**6, seconds=2) == []
