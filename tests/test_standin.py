"""The stand-ins for devices refuse everything that a real device would refuse."""

from __future__ import annotations

import numpy as np
import pytest
from standin import counting_device

from initlab.engine import nd


def test_the_stand_in_refuses_numpy():
    with counting_device() as (device, calls):
        raw = nd.array([1.0, 2.0], ctx=device)._raw
        for attempt in (
            lambda: np.tanh(raw),
            lambda: np.concatenate([raw, raw]),
            lambda: np.asarray(raw),
        ):
            with pytest.raises((AssertionError, TypeError)):
                attempt()
        assert calls == {}
        nd.tanh(nd.array([1.0], ctx=device))
        assert calls["tanh"] == 1
