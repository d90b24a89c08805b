"""A gradient's product with a direction against the derivative along that direction, which two
evaluations give.
"""

from __future__ import annotations

import numpy as np
import pytest

from initlab.engine import autograd, nd


def check(
    function, *arrays: np.ndarray, seed: int = 0, grad_req: str = "write", step: float = 1e-6
) -> None:
    """The derivative along a random direction, by both ways; with grad_req `add`, of two passes."""
    directions = [
        np.random.default_rng(seed + 1 + i).normal(size=a.shape) for i, a in enumerate(arrays)
    ]
    boxes = [nd.array(a, dtype="float64") for a in arrays]
    for box in boxes:
        box.attach_grad(grad_req)
    for _ in range(2):
        with autograd.record():
            out = function(*boxes)
        head = np.random.default_rng(seed).normal(size=out.shape)
        out.backward(nd.array(head, dtype="float64"))
    exact = sum(
        float((box.grad.asnumpy() * d).sum()) for box, d in zip(boxes, directions, strict=True)
    )
    moved = [
        function(
            *(
                nd.array(a + sign * step * d, dtype="float64")
                for a, d in zip(arrays, directions, strict=True)
            )
        ).asnumpy()
        for sign in (1, -1)
    ]
    numeric = ((moved[0] - moved[1]) * head).sum() / (2 * step) * (2 if grad_req == "add" else 1)
    assert exact == pytest.approx(numeric, rel=2e-5, abs=2e-6)
