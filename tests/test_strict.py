"""The strict array library refuses everything that only NumPy can do."""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import nd

pytest.importorskip("array_api_strict")

from strict import Beyond, strict_device  # noqa: E402


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda xp, x: xp.zeros_like(2.5), (TypeError, AttributeError), "float"),
        (lambda xp, x: xp.transpose(np.zeros((2, 2))), TypeError, "Unsupported type"),
        (lambda xp, x: xp.add.at(x.astype("int64"), 0, 1), TypeError, "cupy.add.at only supports"),
        (
            lambda xp, x: xp.nanmedian(x),
            Beyond,
            "xp.nanmedian is neither in the array API standard nor on the list",
        ),
        (
            lambda xp, x: xp.sum(x, where=x),
            Beyond,
            "neither the standard nor CuPy knows the keyword",
        ),
        (
            lambda xp, x: xp.maximum(x, np.zeros(3)),
            TypeError,
            "Unsupported type <class 'numpy.ndarray'>",
        ),
        (lambda xp, x: x + np.zeros(3), TypeError, "Unsupported type <class 'numpy.ndarray'>"),
        (lambda xp, x: np.exp(x), TypeError, "."),
        (lambda xp, x: np.concatenate([x, x]), TypeError, "."),
        (lambda xp, x: np.asarray(x), TypeError, "Implicit conversion"),
        (lambda xp, x: x[np.array([0])], TypeError, "Unsupported type"),
        (lambda xp, x: x.sum(), AttributeError, "sum"),
    ],
)
def test_what_only_numpy_can_do_is_caught(call, error, message):
    with strict_device() as device:
        raw = nd.array([1.0, 2.0, 3.0], ctx=device)._raw
        with pytest.raises(error, match=message):
            call(device.use(), raw)
