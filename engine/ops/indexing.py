"""Parts of an array: by slices, by arrays of indices, and by one index for each row.

Slices give views if they are contiguous, as in MXNet. Indices are raw arrays in a key, or boxes
without a gradient.
"""

from __future__ import annotations

from initlab.engine.arrays import Array, DType, Library, Shape
from initlab.engine.autograd import primitive
from initlab.engine.errors import MXNetError
from initlab.engine.ops.elementwise import unbroadcast
from initlab.engine.tape import Gradients, Result


def is_basic(key: object) -> bool:
    """Return whether a key consists of numbers, slices, None and Ellipsis only."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts)


def is_contiguous(shape: tuple[int, ...], key: object) -> bool:
    """Return whether a basic key selects contiguous elements.

    These are full axes, preceded by a range of one axis, preceded by single elements.
    """
    parts = [part for part in (key if isinstance(key, tuple) else (key,)) if part is not None]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    parts += [slice(None)] * (len(shape) - len(parts))
    single = False  # True: all axes further left must take one element
    for n, part in zip(reversed(shape), reversed(parts), strict=True):
        taken = range(*part.indices(n)) if isinstance(part, slice) else range(1)
        if len(taken) > 1 and (single or taken.step != 1):
            return False
        single = single or len(taken) != n
    return True


@primitive
def getitem(xp: Library, x: Array, *, key: object, view: bool = True) -> Result:
    """x[key]; a view for a basic key of contiguous elements unless `view` is False.

    A single element has shape (1,).
    """
    y = x[key]
    basic = is_basic(key)

    def vjp(g: Array) -> tuple[Array]:
        whole = xp.zeros_like(x)
        part = g.reshape(y.shape)
        if basic:
            whole[key] = part
        else:
            xp.add.at(whole, key, part)
        return (whole,)

    if y.ndim == 0:
        at = key if isinstance(key, tuple) else (key,)
        number = (
            next((i for i in range(len(at)) if isinstance(at[i], int)), None)
            if basic and view
            else None
        )
        if number is None:
            return y.reshape((1,)).copy(), vjp
        return x[(*at[:number], slice(at[number], at[number] + 1 or None), *at[number + 1 :])], vjp
    return (y if not basic or (view and is_contiguous(x.shape, key)) else y.copy()), vjp


@primitive
def part(xp: Library, x: Array, *, key: object) -> Result:
    """x[key] like NumPy: a single element has no axes."""

    def vjp(g: Array) -> tuple[Array]:
        whole = xp.zeros_like(x)
        xp.add.at(whole, key, g)
        return (whole,)

    return x[key], vjp


@primitive
def take(xp: Library, x: Array, indices: Array, *, axis: int = 0, mode: str = "clip") -> Result:
    """Slices of x along an axis, by index.

    An index out of range is clipped, or with `wrap` taken modulo the length of the axis.
    """
    if not -x.ndim <= axis < x.ndim:
        raise MXNetError.checked(
            "Check failed: param.axis >= -1 * arrshape.ndim() && param.axis < arrshape.ndim(): "
            "Axis should be in the range of "
            f"[-r, r-1] where r is the rank of input tensor: axis {axis} of an array of {x.ndim}"
        )
    numbers = inside(xp, indices, x.shape[axis], mode)

    def vjp(g: Array) -> tuple[Array, None]:
        whole = xp.zeros_like(x)
        xp.add.at(whole, (slice(None),) * (axis % x.ndim) + (numbers,), g)
        return whole, None

    return xp.take(x, numbers, axis=axis), vjp


def inside(xp: Library, indices: Array, length: int, mode: str) -> Array:
    """Return indices as int64 within the range of an axis: clipped, or with `wrap` modulo its
    length.
    """
    numbers = indices.astype("int64")
    return numbers % length if mode == "wrap" else xp.clip(numbers, 0, length - 1)


@primitive
def pick(
    xp: Library,
    x: Array,
    index: Array,
    *,
    axis: int = -1,
    keepdims: bool = False,
    mode: str = "clip",
) -> Result:
    """One element of each row: x[i, index[i]] for a matrix.

    The index has x's shape without the axis, or with length 1 there.
    """
    rest = tuple(n for a, n in enumerate(x.shape) if a != axis % x.ndim)
    if index.shape != rest and index.shape != tuple(
        1 if a == axis % x.ndim else n for a, n in enumerate(x.shape)
    ):
        provided, inferred = (",".join(str(n) for n in s) for s in (index.shape, rest))
        raise MXNetError.checked(
            f"Shape inconsistent, Provided = [{provided}], inferred shape=[{inferred}]"
        )
    numbers = inside(xp, index, x.shape[axis], mode)
    at = numbers if numbers.ndim == x.ndim else xp.expand_dims(numbers, axis)
    y = xp.take_along_axis(x, at, axis=axis)

    def vjp(g: Array) -> tuple[Array, None]:
        places = xp.arange(x.shape[axis]).reshape(
            tuple(-1 if a == axis % x.ndim else 1 for a in range(x.ndim))
        )
        return (places == at) * g.reshape(y.shape), None

    picked = y if keepdims else xp.squeeze(y, axis=axis)
    return (picked if picked.ndim else picked.reshape((1,))), vjp


@primitive
def one_hot(
    xp: Library,
    indices: Array,
    *,
    depth: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    dtype: DType = "float32",
) -> Result:
    """A row of `off_value` with `on_value` at the index, if it is in range; no gradient."""
    at = xp.expand_dims(indices.astype("int64"), -1) == xp.arange(depth)
    if (on_value, off_value) == (1, 0):
        return at.astype(dtype), lambda g: (None,)
    return (at * (on_value - off_value) + off_value).astype(dtype), lambda g: (None,)


@primitive
def take_along_axis(xp: Library, x: Array, *, numbers: Array, axis: int) -> Result:
    """The elements with the indices `numbers` (a raw array of integers) along an axis, as for
    sorting.
    """

    def vjp(g: Array) -> tuple[Array]:
        grid = [
            numbers
            if a == axis % x.ndim
            else xp.arange(n).reshape(tuple(-1 if b == a else 1 for b in range(x.ndim)))
            for a, n in enumerate(numbers.shape)
        ]
        whole = xp.zeros_like(x)
        xp.add.at(whole, tuple(grid), g)
        return (whole,)

    return xp.take_along_axis(x, numbers, axis=axis), vjp


ADDED_AS = {"int64": "uint64", "int16": "int32", "int8": "int32", "uint8": "int32", "bool": "int32"}
"""The types in which integers are added with the same result. GPUs, and CuPy's `add.at`, cannot add
other types at repeated indices.
"""


@primitive
def scatter(xp: Library, x: Array, *, key: object, shape: Shape) -> Result:
    """Zeros of a shape, with x added at the places `key`; repeated places add up."""
    dtype = ADDED_AS.get(str(x.dtype), x.dtype)
    whole = xp.zeros(shape, dtype=dtype)
    xp.add.at(whole, key, x.astype(dtype, copy=False))
    return whole.astype(x.dtype, copy=False), lambda g: (unbroadcast(xp, g[key], x),)


@primitive
def replace(xp: Library, x: Array, y: Array, *, key: object) -> Result:
    """A copy of x with x[key] replaced by y, which is broadcast; the key must not repeat a place."""
    whole = x.copy()
    whole[key] = y

    def vjp(g: Array) -> Gradients:
        rest = g.copy()
        rest[key] = xp.zeros_like(g[key])
        return rest, unbroadcast(xp, g[key], y)

    return whole, vjp
