"""Every primitive, forward and back, on an array library that has what CuPy has: nothing that only
NumPy knows is called.
"""

from __future__ import annotations

import nd_cases
import numpy as np
import pytest
from op_cases import cases, joined

pytest.importorskip("array_api_strict")

from strict import Array, Beyond, strict_device  # noqa: E402

from initlab.engine import autograd, nd  # noqa: E402


def there(value, device):
    """An attribute with its arrays on the device."""
    if isinstance(value, tuple):
        return tuple(there(part, device) for part in value)
    return (
        nd.array(value, ctx=device, dtype=value.dtype)._raw
        if isinstance(value, np.ndarray)
        else value
    )


@pytest.mark.parametrize(("name", "args", "attributes"), cases())
def test_every_primitive_runs_on_what_cupy_has(name, args, attributes):
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


NOT_STRICT = {"float16"}
"""The standard has no such dtype."""
STRICT = [
    n
    for n, (_, _, options) in enumerate(nd_cases.CASES)
    if not NOT_STRICT & {str(v) for v in options.values()}
]


@pytest.mark.parametrize("number", STRICT, ids=lambda n: f"{n}-{nd_cases.CASES[n][0]}")
def test_every_function_of_nd_runs_on_what_cupy_has(number):
    with np.errstate(all="ignore"):
        expected = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
        with strict_device() as device, device:
            found = nd_cases.run(nd, autograd, *nd_cases.CASES[number])
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "int32", "float32"])
def test_what_is_scattered_to_one_place_is_added_up_in_any_dtype(dtype):
    values, places = np.array([100, 27, 3, 1]), np.array([[0, 0, 1, 1]])
    with strict_device() as device, device:
        found = nd.scatter_nd(
            nd.array(values, dtype=dtype), nd.array(places, dtype="int64"), shape=(3,)
        )
        assert found.dtype == np.dtype(dtype).type
        assert found.asnumpy().tolist() == [127, 4, 0]


@pytest.mark.parametrize("x", [-7.5, -2, 0, 5])
def test_a_number_modulo_an_array_is_that_of_python_and_0_for_0(x):
    y = np.array([2.0, -3.0, 0.0, 0.5])
    with strict_device() as device, device:
        found = (x % nd.array(y)).asnumpy().tolist()
    assert found == [x % float(n) if n else 0.0 for n in y]


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
