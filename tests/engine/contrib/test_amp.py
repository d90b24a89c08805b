"""Mixed precision: importing works, switching it on says what to write instead."""

from __future__ import annotations

import pytest

from initlab.engine import MXNetError
from initlab.engine.contrib import amp


@pytest.mark.parametrize("name", ["init", "init_trainer", "scale_loss", "unscale"])
def test_switching_it_on_is_one_error(name):
    arguments = {"init": [], "scale_loss": [None, None]}.get(name, [None])
    with pytest.raises(MXNetError, match=rf"amp\.{name}: .* use net\.cast"):
        getattr(amp, name)(*arguments)
