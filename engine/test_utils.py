"""Assertions and random arrays for tests of code written for MXNet (MXNet: `mx.test_utils`).

Shapes and arrays come from NumPy's global generator, as in MXNet. What needs symbols, sparse arrays
or a download is not here; its name raises AttributeError.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias

import numpy as np

from initlab.engine import autograd, nd
from initlab.engine.device import Device, current_device, num_gpus, set_default
from initlab.engine.nd import NDArray
from initlab.engine.optimizer import Optimizer
from initlab.engine.util import getenv, setenv

Values: TypeAlias = NDArray | np.ndarray | np.generic | float
"""What can be compared."""
Tolerance: TypeAlias = float | Mapping[np.dtype, float] | None
"""One tolerance, or one by dtype; None for the default of the dtype."""

FLOAT64 = np.dtype("float64")
INTEGERS = ("bool", "int8", "uint8", "int32", "uint32", "int64", "uint64")


def default_context() -> Device:
    """Return the device of new arrays."""
    return current_device()


def set_default_context(ctx: Device) -> None:
    """Set the device of new arrays outside any `with device:`."""
    set_default(ctx)


def default_dtype() -> type[np.float32]:
    """Return the dtype of new arrays."""
    return np.float32


def _by_dtype(**floats: float) -> dict[np.dtype, float]:
    return {np.dtype(name): n for name, n in (floats | dict.fromkeys(INTEGERS, 0.0)).items()}


def default_rtols() -> dict[np.dtype, float]:
    """Return the relative tolerance for each dtype."""
    return _by_dtype(float16=1e-2, float32=1e-4, float64=1e-5)


def default_atols() -> dict[np.dtype, float]:
    """Return the absolute tolerance for each dtype."""
    return _by_dtype(float16=1e-1, float32=1e-3, float64=1e-20)


def get_rtol(rtol: float | None = None, dtype: np.dtype = FLOAT64) -> float:
    """Return `rtol`, or if it is None the default for `dtype`."""
    return default_rtols()[dtype] if rtol is None else rtol


def get_atol(atol: float | None = None, dtype: np.dtype = FLOAT64) -> float:
    """Return `atol`, or if it is None the default for `dtype`."""
    return default_atols()[dtype] if atol is None else atol


def get_etol(etol: float | None = None) -> float:
    """Return `etol`, the share of elements that may differ, or 0 if it is None."""
    return 0 if etol is None else etol


def effective_dtype(dat: NDArray | np.ndarray | np.generic) -> np.dtype:
    """Return the dtype that decides about tolerances: that of the array."""
    return np.dtype(dat.dtype)


def get_tolerance(dat: Any, tol: Tolerance, default_tol: Mapping[np.dtype, float]) -> float:
    """Return the tolerance for an array: `tol`, its entry for the dtype, or the default's entry."""
    if tol is not None and not isinstance(tol, Mapping):
        return tol
    dtype = effective_dtype(dat)
    return (tol or {}).get(dtype, default_tol[dtype])


def get_tols(x: Values, y: Values, rtol: Tolerance, atol: Tolerance) -> tuple[float, float]:
    """Return (rtol, atol) for a comparison: the larger of those of the two arrays."""
    both = [np.array(v) if isinstance(v, (int, float)) else v for v in (x, y)]
    return (
        max(get_tolerance(v, rtol, default_rtols()) for v in both),
        max(get_tolerance(v, atol, default_atols()) for v in both),
    )


def _plain(x: Values) -> np.ndarray:
    return x.asnumpy() if isinstance(x, NDArray) else np.asarray(x)


def find_max_violation(
    a: np.ndarray, b: np.ndarray, rtol: float, atol: float
) -> tuple[tuple[int, ...], float]:
    """Return the place where |a - b| / (atol + rtol |b|) is largest, and that number."""
    with np.errstate(invalid="ignore"):
        difference = np.where(np.equal(a, b), 0, np.abs(a - b))
    violation = difference / (atol + rtol * np.abs(b) + 1e-20)
    place = np.unravel_index(int(np.argmax(violation)), violation.shape)
    return tuple(int(i) for i in place), float(np.max(violation))


def same(a: Values, b: Values) -> bool:
    """Return whether two arrays have the same shape and elements."""
    return bool(np.array_equal(_plain(a), _plain(b)))


def almost_equal(
    a: Values,
    b: Values,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    use_broadcast: bool = True,
) -> bool:
    """Return whether |a - b| <= atol + rtol |b| everywhere.

    Raises AssertionError if the shapes differ, unless `use_broadcast`.
    """
    x, y = _plain(a), _plain(b)
    if not use_broadcast:
        _check_shapes(x, y)
    return bool(np.allclose(x, y, get_rtol(rtol), get_atol(atol), equal_nan))


def _check_shapes(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        said = f"a.shape = {a.shape} and b.shape = {b.shape} are not equal"
        raise AssertionError(f"\nItems are not equal: {said}\n ACTUAL: {a!r}\n DESIRED: {b!r}")


def assert_almost_equal(
    a: Values,
    b: Values,
    rtol: Tolerance = None,
    atol: Tolerance = None,
    names: Sequence[str] = ("a", "b"),
    equal_nan: bool = False,
    use_broadcast: bool = True,
    mismatches: tuple[int, int] = (10, 10),
) -> None:
    """Raise AssertionError unless |a - b| <= atol + rtol |b| everywhere.

    The message has the largest error, where it is, the share of elements that differ, and both
    arrays. `mismatches` is accepted for MXNet's sake: nothing is printed.
    """
    relative, absolute = get_tols(a, b, rtol, atol)
    x, y = _plain(a), _plain(b)
    if almost_equal(x, y, relative, absolute, equal_nan, use_broadcast):
        return
    place, worst = find_max_violation(x, y, relative, absolute)
    said = f"Error {worst:f} exceeds tolerance rtol={relative:e}, atol={absolute:e}"
    if place:
        full = np.broadcast_arrays(x, y)
        wrong = np.mean(~np.isclose(x, y, relative, absolute, equal_nan)) * 100
        values = (f"{n}={v[place]:.8f}" for n, v in zip(names, full, strict=True))
        said += f" (mismatch {wrong:f}%).\nLocation of maximum error: {place}, {', '.join(values)}"
    else:
        said += ".\n"
    raise AssertionError(f"\nItems are not equal:\n{said}\n ACTUAL: {x!r}\n DESIRED: {y!r}")


def assert_allclose(
    a: Values, b: Values, rtol: float = 1e-07, atol: float = 0, equal_nan: bool = True
) -> None:
    """Raise AssertionError unless |a - b| <= atol + rtol |b| everywhere."""
    assert_almost_equal(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


def assert_almost_equal_ignore_nan(
    a: Values,
    b: Values,
    rtol: Tolerance = None,
    atol: Tolerance = None,
    names: Sequence[str] = ("a", "b"),
) -> None:
    """Compare like `assert_almost_equal`, except where either element is NaN."""
    x, y = _plain(a).copy(), _plain(b).copy()
    either = np.isnan(x) | np.isnan(y)
    x[either] = y[either] = 0
    assert_almost_equal(x, y, rtol, atol, names)


def assert_almost_equal_with_err(
    a: Values,
    b: Values,
    rtol: Tolerance = None,
    atol: Tolerance = None,
    etol: float | None = None,
    names: Sequence[str] = ("a", "b"),
    equal_nan: bool = False,
    mismatches: tuple[int, int] = (10, 10),
) -> None:
    """Compare like `assert_almost_equal`, but let the share `etol` of the elements differ."""
    x, y = _plain(a), _plain(b)
    if get_etol(etol):
        close = np.isclose(x, y, *get_tols(x, y, rtol, atol), equal_nan)
        if 1 - np.mean(close) <= get_etol(etol):
            return
    assert_almost_equal(x, y, rtol, atol, names, equal_nan, mismatches=mismatches)


def compare_ndarray_tuple(t1: Any, t2: Any, rtol: Tolerance = None, atol: Tolerance = None) -> None:
    """Compare arrays, or tuples of them of any depth; a pair with a None is skipped."""
    if t1 is None or t2 is None:
        return
    if isinstance(t1, tuple):
        for one, two in zip(t1, t2, strict=True):
            compare_ndarray_tuple(one, two, rtol, atol)
    else:
        assert_almost_equal(t1, t2, rtol=rtol, atol=atol)


def assert_exception(
    f: Callable[..., object], exception_type: type[Exception], *args: object, **kwargs: object
) -> None:
    """Raise AssertionError unless `f(*args, **kwargs)` raises `exception_type`."""
    try:
        f(*args, **kwargs)
    except exception_type:
        return
    raise AssertionError(f"{exception_type.__name__} was not raised")


def retry(n: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that runs a test up to `n` times, until it raises no AssertionError."""
    if n <= 0:
        raise AssertionError(f"n must be positive, got {n}")

    def decorate(f: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(f)
        def repeated(*args: object, **kwargs: object) -> None:
            for left in reversed(range(n)):
                try:
                    return f(*args, **kwargs)
                except AssertionError:
                    if not left:
                        raise
            return None

        return repeated

    return decorate


def random_arrays(*shapes: tuple[int, ...]) -> Any:
    """Return standard normal NumPy arrays (float32) of these shapes; for one shape, the array."""
    arrays = [np.array(np.random.randn(*shape), default_dtype()) for shape in shapes]  # noqa: NPY002
    return arrays[0] if len(arrays) == 1 else arrays


def random_uniform_arrays(
    *shapes: tuple[int, ...],
    low: float = 0.0,
    high: float = 1.0,
    dtype: str | type = np.float32,
) -> list[np.ndarray]:
    """Return NumPy arrays of U[low, high) of these shapes."""
    return [np.random.uniform(low, high, size=s).astype(dtype) for s in shapes]  # noqa: NPY002


def random_sample(population: Sequence[Any], k: int) -> list[Any]:
    """Return k different elements of a sequence, in random order."""
    if not 0 <= k <= len(population):
        raise AssertionError(f"cannot take {k} of {len(population)} elements")
    shuffled = list(population)
    np.random.shuffle(shuffled)  # noqa: NPY002
    return shuffled[:k]


def rand_ndarray(
    shape: tuple[int, ...],
    stype: str = "default",
    density: float | None = None,
    dtype: str | type | None = None,
    ctx: Device | None = None,
) -> NDArray:
    """Return a standard normal array. Raises ValueError for a sparse `stype`, which is not here."""
    if stype != "default":
        raise ValueError(f"stype cannot be '{stype}': there are no sparse arrays here - 'default'")
    return nd.array(random_arrays(shape), ctx=ctx, dtype=dtype)


def rand_shape_nd(num_dim: int, dim: int = 10, allow_zero_size: bool = False) -> tuple[int, ...]:
    """Return the lengths of `num_dim` axes, each from 1 (or 0) to `dim`."""
    lengths = np.random.randint(0 if allow_zero_size else 1, dim + 1, size=num_dim)  # noqa: NPY002
    return tuple(int(n) for n in lengths)


def rand_shape_2d(dim0: int = 10, dim1: int = 10, allow_zero_size: bool = False) -> tuple[int, int]:
    """Return the lengths of two axes, at most `dim0` and `dim1`."""
    return (
        rand_shape_nd(1, dim0, allow_zero_size)[0],
        rand_shape_nd(1, dim1, allow_zero_size)[0],
    )


def rand_shape_3d(
    dim0: int = 10, dim1: int = 10, dim2: int = 10, allow_zero_size: bool = False
) -> tuple[int, int, int]:
    """Return the lengths of three axes, at most `dim0`, `dim1` and `dim2`."""
    return (
        *rand_shape_2d(dim0, dim1, allow_zero_size),
        rand_shape_nd(1, dim2, allow_zero_size)[0],
    )


def np_reduce(
    dat: np.ndarray,
    axis: int | Sequence[int] | None,
    keepdims: bool,
    numpy_reduce_func: Callable[..., np.ndarray],
) -> np.ndarray:
    """Reduce a NumPy array over axes, one after the other."""
    axes = [axis] if isinstance(axis, int) else range(dat.ndim) if axis is None else axis
    result = dat
    for a in sorted(axes, reverse=True):
        result = numpy_reduce_func(result, axis=a)
    return (
        result.reshape([1 if i in axes else n for i, n in enumerate(dat.shape)])
        if keepdims
        else result
    )


def collapse_sum_like(a: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum a NumPy array to `shape`, which broadcasts to its own."""
    lacking = a.ndim - len(shape)
    if lacking:
        a = np.sum(a, axis=tuple(range(lacking)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1 and a.shape[i] != 1)
    return np.sum(a, axis=ones, keepdims=True) if ones else a


def same_array(array1: NDArray, array2: NDArray) -> bool:
    """Return whether two arrays have the same memory: a change of one is a change of the other."""
    array1[:] += 1
    if not same(array1, array2):
        array1[:] -= 1
        return False
    array1[:] -= 1
    return same(array1, array2)


def list_gpus() -> range:
    """Return the numbers of the GPUs."""
    return range(num_gpus())


@contextmanager
def environment(*args: Any) -> Iterator[None]:
    """Set environment variables inside a `with`: a name and a value, or a dictionary.

    A value of None removes the variable. Afterwards they are as they were.
    """
    wanted = args[0] if len(args) == 1 else {args[0]: args[1]}
    before = {name: getenv(name) for name in wanted}
    for name, value in wanted.items():
        setenv(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setenv(name, value)


def check_gluon_hybridize_consistency(
    net_builder: Callable[[], Any],
    data_l: Sequence[NDArray],
    numpy_func: Callable[..., np.ndarray] | None = None,
    test_grad: bool = True,
    rtol: float = 1e-4,
    atol: float = 1e-4,
) -> None:
    """Compare outputs and gradients of a block before and after `hybridize`, and with NumPy.

    `net_builder()` makes the block; `numpy_func` gets the inputs as NumPy arrays.
    """
    found: list[list[np.ndarray]] = []
    saved: dict[str, NDArray] = {}
    for hybridize in (False, True):
        net = net_builder()
        net.initialize()
        inputs = [data.copy() for data in data_l]
        for data in inputs:
            data.attach_grad()
        net(*inputs)
        parameters = list(net.collect_params().values())
        for i, parameter in enumerate(parameters):
            parameter.set_data(saved.setdefault(str(i), parameter.data().copy()))
        if hybridize:
            net.hybridize()
        with autograd.record(train_mode=test_grad):
            out = net(*inputs)
        if test_grad:
            out.backward(out)
        grads = [p.grad().asnumpy() for p in parameters if test_grad and p.grad_req != "null"]
        inner = [d.grad.asnumpy() for d in inputs if test_grad and d.grad is not None]
        found.append([out.asnumpy(), *inner, *grads])
    for plain, hybrid in zip(*found, strict=True):
        assert_almost_equal(plain, hybrid, rtol=rtol, atol=atol)
    if numpy_func is not None:
        expected = numpy_func(*(data.asnumpy() for data in data_l))
        assert_almost_equal(expected, found[0][0], rtol=rtol, atol=atol)


def compare_optimizer(
    opt1: Optimizer,
    opt2: Optimizer,
    shape: tuple[int, ...] | list[tuple[int, ...]],
    dtype: str | type,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    compare_states: bool = True,
) -> None:
    """Compare one step of two optimizers on the same random weights and gradients, and their states.

    For a list of shapes, each is a weight of its own.
    """
    for index, one in enumerate(shape if isinstance(shape, list) else [shape]):
        first = nd.random.uniform(shape=one, dtype=dtype)
        grad = nd.random.uniform(shape=one, dtype=dtype)
        second = first.copy()
        states = [
            rule.create_state_multi_precision(index, weight)
            for rule, weight in ((opt1, first), (opt2, second))
        ]
        if compare_states:
            compare_ndarray_tuple(states[0], states[1], rtol, atol)
        opt1.update_multi_precision(index, first, grad.copy(), states[0])
        opt2.update_multi_precision(index, second, grad.copy(), states[1])
        if compare_states:
            compare_ndarray_tuple(states[0], states[1], rtol, atol)
        assert_almost_equal(first, second, rtol=rtol, atol=atol)


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"mx.test_utils.{name} is not here: it needs symbols, sparse arrays, SciPy or a download"
    )
