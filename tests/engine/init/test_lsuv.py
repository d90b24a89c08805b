"""LSUV: a pass over data sets the variance."""

from __future__ import annotations

import pytest
from described import described, law

from initlab.engine import laws


def test_lsuv_waits_for_data():
    assert law(
        "lsuv", described("fc.weight", 8, 4), tolerance=0.2, iterations=3
    ) == laws.DataScaled(1.0, False, 0.2, 3)
    with pytest.raises(ValueError, match="cannot be applied to vector fc.bias"):
        law("lsuv", described("fc.bias", 8))
