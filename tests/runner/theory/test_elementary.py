from __future__ import annotations

import math

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.theory.elementary import log


def test_log_is_the_natural_logarithm_of_a_positive_number():
    assert log(math.e) == pytest.approx(1)
    with pytest.raises(OptionError, match="^value must be a positive number, got 0$"):
        log(0)
