"""Check of gradients: the gradient's product with a direction, against the derivative along that
direction from two evaluations.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from initlab.engine import autograd, nd

few = settings(max_examples=40, deadline=None)
sides = st.integers(1, 4)
shapes = st.lists(sides, min_size=1, max_size=4).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, *shape: int) -> np.ndarray:
    """Draw values of magnitude 0.3 to 1.7 and random sign, which are far from the kinks and poles
    of the tested functions.
    """
    random = np.random.default_rng(seed)
    return random.uniform(0.3, 1.7, shape) * random.choice([-1, 1], shape)


@st.composite
def axes_of_a_shape(draw):
    """Draw (shape, axis), where axis is an axis, several axes, or None."""
    shape = draw(shapes)
    some = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple)
    return shape, draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1), some))


@st.composite
def convolutions(draw):
    """Draw (input shape, weight shape, options) of a valid convolution over 1 to 3 axes."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    kernel, stride, pad, dilate = each(1, 3), each(1, 2), each(0, 2), each(1, 2)
    space = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 2))
        for k, p, d in zip(kernel, pad, dilate, strict=True)
    )
    channels, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    options = {
        "kernel": kernel,
        "stride": stride,
        "pad": pad,
        "dilate": dilate,
        "num_group": groups,
        "num_filter": filters * groups,
    }
    return (
        (draw(st.integers(1, 2)), channels * groups, *space),
        (filters * groups, channels, *kernel),
        options,
    )


def check(
    function, *arrays: np.ndarray, seed: int = 0, grad_req: str = "write", step: float = 1e-6
) -> None:
    """Check the derivative along a random direction both ways; with grad_req `add`, over two
    passes.
    """
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
