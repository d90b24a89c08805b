"""Checks for every primitive: its gradients agree with finite differences, and it calls only
functions of its device's array library. The tests of each op module run these checks on its
primitives.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from op_cases import NO_GRADIENT, NOT_DIFFERENTIATED, NOT_ITS_OWN, joined
from standin import counting_device

from initlab.engine import autograd, nd


def check_grad(
    apply: Callable, arrays: list[np.ndarray], differentiate: list[int], step: float = 1e-6
) -> None:
    """Check gradients of a weighted sum of the result against central differences."""
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


def check_first_gradient(name: str, args: tuple, attributes: dict) -> None:
    """Check the gradient against finite differences; if it has no gradient, check that it is 0 or
    the given number.
    """
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


def check_calls_only_xp(name: str, args: tuple, attributes: dict) -> None:
    """Check that NumPy is called only through the device's `xp`, and that the values equal those on
    the CPU.
    """
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


def check_second_gradient(name: str, args: tuple, attributes: dict) -> None:
    """Check the gradient of the gradient against finite differences."""
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


def there(value, device):
    """Return an attribute with its arrays on the device."""
    if isinstance(value, tuple):
        return tuple(there(part, device) for part in value)
    return (
        nd.array(value, ctx=device, dtype=value.dtype)._raw
        if isinstance(value, np.ndarray)
        else value
    )


def check_on_what_cupy_has(name: str, args: tuple, attributes: dict) -> None:
    """Check that forward and backward give the same bits on an array library that has only what
    CuPy has.
    """
    pytest.importorskip("array_api_strict")
    from strict import Array, strict_device

    with strict_device() as device:
        boxes = [
            nd.array(a, ctx=device, dtype="float64") if isinstance(a, np.ndarray) else a
            for a in args
        ]
        moved = {k: there(v, device) for k, v in attributes.items()}
        for box in boxes:
            if isinstance(box, nd.NDArray):
                box.attach_grad()
        with autograd.record():
            out = joined(name)(*boxes, **moved)
        out.backward()
        assert isinstance(out._raw, Array)
        found = [
            out.asnumpy(),
            *(box.grad.asnumpy() for box in boxes if isinstance(box, nd.NDArray)),
        ]
    here = [nd.array(a, dtype="float64") if isinstance(a, np.ndarray) else a for a in args]
    for box in here:
        if isinstance(box, nd.NDArray):
            box.attach_grad()
    with autograd.record():
        expected = joined(name)(*here, **attributes)
    expected.backward()
    for mine, other in zip(
        found,
        [expected.asnumpy(), *(box.grad.asnumpy() for box in here if isinstance(box, nd.NDArray))],
        strict=True,
    ):
        np.testing.assert_array_equal(mine, other)
