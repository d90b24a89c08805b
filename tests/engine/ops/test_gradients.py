"""Every primitive: its gradient against finite differences, and no call to NumPy that does not go
through `xp`.
"""

from __future__ import annotations

import numpy as np
import pytest
from op_cases import CASES, NO_GRADIENT, NOT_DIFFERENTIATED, NOT_ITS_OWN, cases, joined
from standin import counting_device

from initlab.engine import autograd, nd
from initlab.engine.autograd import PRIMITIVES
from initlab.engine.errors import MXNetError


def check_grad(
    apply, arrays: list[np.ndarray], differentiate: list[int], step: float = 1e-6
) -> None:
    """Gradients of a weighted sum of the result, against central differences."""
    boxes = [nd.array(a, dtype="float64") for a in arrays]
    for i in differentiate:
        boxes[i].attach_grad()
    with autograd.record():
        out = apply(*boxes)
    weights = np.random.default_rng(1).normal(size=out.shape)
    out.backward(nd.array(weights, dtype="float64"))
    for i in differentiate:
        numeric = np.zeros_like(arrays[i], dtype=np.float64)
        for at in np.ndindex(arrays[i].shape):
            both = []
            for sign in (1, -1):
                moved = [a.astype(np.float64) for a in arrays]
                moved[i][at] += sign * step
                both.append(
                    (
                        apply(*(nd.array(m, dtype="float64") for m in moved)).asnumpy() * weights
                    ).sum()
                )
            numeric[at] = (both[0] - both[1]) / (2 * step)
        np.testing.assert_allclose(boxes[i].grad.asnumpy(), numeric, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "args", "attributes"), cases())
def test_the_gradient_is_that_of_finite_differences(name, args, attributes):
    arrays = [a for a in args if isinstance(a, np.ndarray)]

    def apply(*boxes):
        remaining = iter(boxes)
        return joined(name)(
            *(next(remaining) if isinstance(a, np.ndarray) else a for a in args), **attributes
        )

    if name in NO_GRADIENT or name in NOT_ITS_OWN:
        box = nd.array(arrays[0], dtype="float64")
        box.attach_grad()
        with autograd.record():
            out = apply(box, *(nd.array(a, dtype="float64") for a in arrays[1:]))
        out.backward()
        assert (box.grad.asnumpy() == NOT_ITS_OWN.get(name, 0)).all()
        return
    check_grad(
        apply,
        arrays,
        [i for i in range(len(arrays)) if i not in NOT_DIFFERENTIATED.get(name, set())],
    )


@pytest.mark.parametrize(("name", "args", "attributes"), cases())
def test_no_primitive_calls_numpy_except_through_xp(name, args, attributes):
    with counting_device() as (device, calls):
        boxes = [
            nd.array(a, ctx=device, dtype="float64") if isinstance(a, np.ndarray) else a
            for a in args
        ]
        attributes = {
            k: nd.array(v, ctx=device, dtype=v.dtype)._raw if isinstance(v, np.ndarray) else v
            for k, v in attributes.items()
        }
        for box in boxes:
            if isinstance(box, nd.NDArray):
                box.attach_grad()
        calls.clear()
        with autograd.record():
            out = joined(name)(*boxes, **attributes)
        out.backward()
        assert type(out._raw).__name__ == "Opaque"
        expected = joined(name)(
            *(nd.array(a, dtype="float64") if isinstance(a, np.ndarray) else a for a in args),
            **{k: v._values if hasattr(v, "_values") else v for k, v in attributes.items()},
        )
        np.testing.assert_array_equal(out.asnumpy(), expected.asnumpy())


NOT_TWICE: set[str] = set()
"""Primitives whose gradients cannot be differentiated, and say so."""


@pytest.mark.parametrize(("name", "args", "attributes"), cases())
def test_the_gradient_has_a_gradient_that_is_that_of_finite_differences(name, args, attributes):
    arrays = [np.asarray(a, np.float64) for a in args if isinstance(a, np.ndarray)]
    differentiate = [i for i in range(len(arrays)) if i not in NOT_DIFFERENTIATED.get(name, set())]
    out = joined(name)(
        *(nd.array(a, dtype="float64") if isinstance(a, np.ndarray) else a for a in args),
        **attributes,
    )
    head = nd.array(
        np.random.default_rng(2).normal(size=out.shape or (1,)), dtype="float64"
    ).reshape(out.shape or (1,))
    weights = [
        nd.array(np.random.default_rng(3 + i).normal(size=a.shape), dtype="float64")
        for i, a in enumerate(arrays)
    ]

    def gradient_dot_weights(values, create_graph):
        """The boxes, and sum_i <gradient by box i, weight i>."""
        boxes = [nd.array(v, dtype="float64") for v in values]
        for i in differentiate:
            boxes[i].attach_grad()
        remaining = iter(boxes)
        with autograd.record():
            result = joined(name)(
                *(next(remaining) if isinstance(a, np.ndarray) else a for a in args), **attributes
            )
            found = autograd.grad(
                result, [boxes[i] for i in differentiate], head, create_graph=create_graph
            )
            return boxes, sum(
                ((g * weights[i]).sum() for g, i in zip(found, differentiate, strict=True)),
                start=0 * result.sum(),
            )

    if name in NOT_TWICE:
        with pytest.raises(MXNetError, match="cannot be differentiated twice"):
            gradient_dot_weights(arrays, True)
        return
    if name in NO_GRADIENT or name in NOT_ITS_OWN:
        return
    boxes, scalar = gradient_dot_weights(arrays, True)
    scalar.backward()
    for i in differentiate:
        numeric = np.zeros_like(arrays[i])
        for at in np.ndindex(arrays[i].shape):
            both = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[i][at] += sign * 1e-5
                both.append(gradient_dot_weights(moved, False)[1].asscalar())
            numeric[at] = (both[0] - both[1]) / 2e-5
        np.testing.assert_allclose(boxes[i].grad.asnumpy(), numeric, rtol=1e-4, atol=1e-6)


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


def test_every_primitive_has_a_case_or_takes_one_array():
    assert set(CASES) <= set(PRIMITIVES)
