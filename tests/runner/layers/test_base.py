from __future__ import annotations

import pytest

from initlab.engine.errors import OptionError
from initlab.runner.layers.basic import Dense


def test_an_option_that_a_flag_makes_useless_is_refused():
    with pytest.raises(OptionError, match="^bias_initializer is given, but use_bias is false$"):
        Dense(units=3, use_bias=False, bias_initializer="zeros")
    assert Dense(units=3, use_bias=True, bias_initializer="zeros").bias_initializer == "zeros"
