"""Functions that change the shape or the order of an array, or split and join arrays. All of them
return copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import axes_tuple, checked_axis, chosen, operator
from initlab.engine.ops import elementwise, indexing, padding, shape

Shape = int | tuple[int, ...]


def _listed(values: Sequence[int]) -> str:
    return "[" + ",".join(str(n) for n in values) + "]"


# --- shape


def _reshaped(data: NDArray, new: tuple[int, ...]) -> NDArray:
    return shape.reshape(data, shape=new, view=False)


@operator("reshape", "Reshape")
def reshape(data: NDArray, shape: Shape, reverse: bool = False) -> NDArray:
    """Return another shape of the same size.

    The shape may use MXNet's codes 0, -1, -2, -3 and -4 (see `engine.ops.shape.target_shape`).
    """
    return _reshape(data, axes_tuple(shape), bool(reverse))


def _reshape(data: NDArray, wanted: tuple[int, ...], reverse: bool) -> NDArray:
    return shape.reshape(data, shape=wanted, reverse=reverse, view=False)


@operator("reshape_like")
def reshape_like(
    lhs: NDArray,
    rhs: NDArray,
    lhs_begin: int | None = None,
    lhs_end: int | None = None,
    rhs_begin: int | None = None,
    rhs_end: int | None = None,
) -> NDArray:
    """Return `lhs` in the shape of `rhs`.

    If begin and end are given, axes [lhs_begin, lhs_end) of `lhs` take the lengths of axes
    [rhs_begin, rhs_end) of `rhs`. Raises MXNetError if they are no axes.
    """

    def cut(ndim: int, begin: int | None, end: int | None) -> tuple[int, int]:
        first = 0 if begin is None else begin + ndim if begin < 0 else begin
        last = ndim if end is None else end + ndim if end < 0 else end
        if not 0 <= first <= last <= ndim:
            raise MXNetError.checked(
                f"reshape_like: axes {begin} to {end} are not axes of an array of {ndim}"
            )
        return first, last

    a, b = cut(lhs.ndim, lhs_begin, lhs_end)
    c, d = cut(rhs.ndim, rhs_begin, rhs_end)
    return _reshaped(lhs, (*lhs.shape[:a], *rhs.shape[c:d], *lhs.shape[b:]))


@operator("flatten", "Flatten")
def flatten(data: NDArray) -> NDArray:
    """Join all axes but the first: (batch, …) becomes (batch, n)."""
    return _reshaped(
        data,
        (0, -1)
        if data.size and data.ndim > 1
        else (data.shape[0], data.size // max(data.shape[0], 1)),
    )


@operator("expand_dims")
def expand_dims(data: NDArray, axis: int) -> NDArray:
    """Insert an axis of length 1. Raises MXNetError if `axis` is out of range."""
    if not -data.ndim - 1 <= axis <= data.ndim:
        raise MXNetError.checked(
            "Check failed: axis >= 0 && axis <= indim: axis must be in the range "
            f"[-{data.ndim}, {data.ndim}] ({axis} provided)"
        )
    at = axis if axis >= 0 else axis + data.ndim + 1
    return _reshaped(data, (*data.shape[:at], 1, *data.shape[at:]))


@operator("squeeze")
def squeeze(data: NDArray, axis: Any = None) -> NDArray:
    """Remove all axes of length 1, or those in `axis`; an array of one element keeps one axis.

    Raises MXNetError if an axis is out of range or has another length.
    """
    chosen_axes = set()
    for a in range(data.ndim) if axis is None else axes_tuple(axis):
        if not -data.ndim <= a < data.ndim:
            raise MXNetError.checked(
                f"Check failed: axes[i] < dndim: axis {a} is out of bounds for array of "
                f"dimension {data.ndim}"
            )
        if axis is not None and data.shape[a] != 1:
            raise MXNetError.checked(
                f"Check failed: dshape[axes[i]] == 1 ({data.shape[a]} vs. 1) : cannot select "
                "an axis to squeeze out which has "
                f"size={data.shape[a]} not equal to one"
            )
        chosen_axes.add(a % data.ndim)
    kept = tuple(n for a, n in enumerate(data.shape) if not (n == 1 and a in chosen_axes))
    return _reshaped(data, kept or (1,))


@operator("shape_array")
def shape_array(data: NDArray) -> NDArray:
    """Return the shape as an int64 array."""
    return array(list(data.shape), ctx=data._device, dtype="int64")


@operator("size_array")
def size_array(data: NDArray) -> NDArray:
    """Return the number of elements as an int64 array of shape (1,)."""
    return array([data.size], ctx=data._device, dtype="int64")


# --- order of axes and elements


@operator("transpose")
def transpose(data: NDArray, axes: tuple[int, ...] | None = None) -> NDArray:
    """Return the axes in the order `axes`, by default reversed."""
    return shape.transpose(data, axes=tuple(axes) if axes else None)


@operator("swapaxes", "SwapAxis")
def swapaxes(data: NDArray, dim1: int = 0, dim2: int = 0) -> NDArray:
    """Swap two axes. Raises MXNetError if one is out of range."""
    for number, axis in ((1, dim1), (2, dim2)):
        if not -data.ndim <= axis < data.ndim:
            raise MXNetError.checked(
                f"swapaxes: dim{number}: axis {axis} is out of bounds for array of ndim {data.ndim}"
            )
    order = list(range(data.ndim))
    order[dim1], order[dim2] = order[dim2], order[dim1]
    return shape.transpose(data, axes=tuple(order))


@operator("moveaxis")
def moveaxis(tensor: NDArray, source: Any, destination: Any) -> NDArray:
    """Move the axes `source` to the positions `destination`; the other axes keep their order.

    Raises ValueError if an axis is out of range or the numbers of axes differ.
    """
    sources, places = axes_tuple(source), axes_tuple(destination)
    for name, axes in (("Source", sources), ("Destination", places)):
        for axis in axes:
            if not -tensor.ndim <= axis < tensor.ndim:
                raise ValueError(
                    f"{name} should verify 0 <= {name.lower()} < tensor.ndimGot {axis}"
                )
        if len({axis % tensor.ndim for axis in axes}) < len(axes):
            raise ValueError("repeated axis")
    if len(sources) != len(places):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    order = [a for a in range(tensor.ndim) if a not in {s % tensor.ndim for s in sources}]
    for place, axis in sorted(
        (p % tensor.ndim, s % tensor.ndim) for p, s in zip(places, sources, strict=True)
    ):
        order.insert(place, axis)
    return shape.transpose(tensor, axes=tuple(order))


@operator("flip", "reverse")
def flip(data: NDArray, axis: Any) -> NDArray:
    """Reverse the elements along `axis`, one or more axes."""
    return shape.flip(data, axes=tuple(checked_axis(a, data.ndim) for a in axes_tuple(axis)))


@operator("depth_to_space")
def depth_to_space(data: NDArray, block_size: int) -> NDArray:
    """Move channels into blocks of pixels.

    (batch, b*b*c, height, width) becomes (batch, c, b*height, b*width), with b = `block_size`.
    Raises MXNetError if the data does not fit.
    """
    _check_blocks(data, block_size, "Depth To Space")
    n, c, h, w = data.shape
    b = block_size
    if c % (b * b):
        raise MXNetError.checked(
            f"Check failed: in_shape[1] % (block * block) == 0 ({c % (b * b)} vs. 0) : Cannot "
            "perform Depth To Space operation on "
            "the specified tensor. Dimension:1(depth dimension) should be a multiple of 'block^2'"
        )
    parts = shape.reshape(data, shape=(n, b, b, c // (b * b), h, w))
    return _reshaped(
        shape.transpose(parts, axes=(0, 3, 4, 1, 5, 2)), (n, c // (b * b), h * b, w * b)
    )


@operator("space_to_depth")
def space_to_depth(data: NDArray, block_size: int) -> NDArray:
    """Move blocks of pixels into channels, the inverse of `depth_to_space`.

    (batch, c, b*height, b*width) becomes (batch, b*b*c, height, width), with b = `block_size`.
    Raises MXNetError if the data does not fit.
    """
    _check_blocks(data, block_size, "Space To Depth")
    n, c, h, w = data.shape
    b = block_size
    for axis, says in ((2, "1st"), (3, "2nd")):
        if data.shape[axis] % b:
            raise MXNetError.checked(
                f"Check failed: in_shape[{axis}] % block == 0 ({data.shape[axis] % b} vs. 0) : "
                "Cannot perform Space To Depth "
                f"operation on the specified tensor. Dimension:{axis}({says} Space dimension) should be a "
                "multiple of 'block' "
            )
    parts = shape.reshape(data, shape=(n, c, h // b, b, w // b, b))
    return _reshaped(
        shape.transpose(parts, axes=(0, 3, 5, 1, 2, 4)), (n, c * b * b, h // b, w // b)
    )


def _check_blocks(data: NDArray, block_size: int, name: str) -> None:
    if data.ndim != 4:
        raise MXNetError.checked(
            f"Check failed: ndim() == 4 ({data.ndim} vs. 4) : Operation {name} requires "
            "exactly 4D tensor"
        )
    if block_size < 1:
        raise MXNetError.checked(
            f"Check failed: block != 0 ({block_size} vs. 0) : block_size must be a positive "
            "integer value"
        )


# --- more of the same


@operator("broadcast_to")
def broadcast_to(data: NDArray, shape: Shape) -> NDArray:
    """Stretch axes of length 1 to `shape`; a 0 in it keeps an axis."""
    return _broadcast(data, axes_tuple(shape))


def _broadcast(data: NDArray, wanted: tuple[int, ...]) -> NDArray:
    return shape.broadcast_to(data, shape=wanted)


@operator("broadcast_axis", "broadcast_axes")
def broadcast_axis(data: NDArray, axis: Any = (), size: Any = ()) -> NDArray:
    """Stretch the axes `axis`, of length 1, to the lengths `size`.

    Raises MXNetError if an axis has another length, or there are not as many sizes as axes.
    """
    axes, sizes = axes_tuple(axis), axes_tuple(size)
    if len(axes) != len(sizes):
        raise MXNetError.checked(f"broadcast_axis: {len(axes)} axes, but {len(sizes)} sizes")
    wanted = list(data.shape)
    for a, n in zip(axes, sizes, strict=True):
        at = checked_axis(a, data.ndim)
        if data.shape[at] != 1:
            raise MXNetError.checked(
                f"Check failed: oshape[param.axis[i]] == 1U ({data.shape[at]} vs. 1) : "
                "Broadcasting axis must have size 1"
            )
        wanted[at] = n
    return _broadcast(data, tuple(wanted))


@operator("broadcast_like")
def broadcast_like(
    lhs: NDArray, rhs: NDArray, lhs_axes: Any = None, rhs_axes: Any = None
) -> NDArray:
    """Stretch axes of length 1 to the shape of `rhs`.

    If axes are given, only `lhs_axes` are stretched, to the lengths of `rhs_axes`. Raises
    MXNetError if the axes or shapes do not fit.
    """
    if (lhs_axes is None) != (rhs_axes is None):
        raise MXNetError.checked("broadcast_like: lhs_axes and rhs_axes must be given together")
    if lhs_axes is None:
        if lhs.ndim != rhs.ndim:
            raise MXNetError.checked(
                f"Check failed: lhs_shape.ndim() == rhs_shape.ndim() ({lhs.ndim} vs. "
                f"{rhs.ndim}) : Operand of shape "
                f"{_listed(lhs.shape)} cannot be broadcasted to {_listed(rhs.shape)}"
            )
        return _broadcast(lhs, rhs.shape)
    wanted = list(lhs.shape)
    for a, b in zip(axes_tuple(lhs_axes), axes_tuple(rhs_axes), strict=True):
        at, n = checked_axis(a, lhs.ndim), rhs.shape[checked_axis(b, rhs.ndim)]
        if lhs.shape[at] != 1:
            raise MXNetError.checked(
                f"Check failed: lhs_shape[copyfrom] == 1: Input axis {at} at dimension {at} "
                f"cannot be broadcasted to {n}"
            )
        wanted[at] = n
    return _broadcast(lhs, tuple(wanted))


@operator("tile")
def tile(data: NDArray, reps: Shape) -> NDArray:
    """Repeat the whole array reps[i] times along axis i.

    If `reps` is longer than the shape, new axes are added in front. Raises MXNetError if a number
    is below 1.
    """
    times = axes_tuple(reps)
    if any(n < 1 for n in times):
        raise MXNetError.checked(
            f"tile: every number of repetitions must be at least 1, got {times}"
        )
    return shape.tile(data, reps=times) if times else elementwise.identity(data)


@operator("repeat")
def repeat(data: NDArray, repeats: int, axis: int | None = None) -> NDArray:
    """Repeat each element `repeats` times along `axis`, or of the flattened array if it is None.

    Raises MXNetError if `repeats` is negative or the axis is out of range.
    """
    if repeats < 0:
        raise MXNetError.checked(
            f"Check failed: *repeats >= 0 ({repeats} vs. 0) : repeats cannot be a negative number"
        )
    if axis is None:
        return shape.repeat(shape.reshape(data, shape=(-1,)), repeats=repeats, axis=0)
    if not -data.ndim <= axis < data.ndim:
        raise MXNetError.checked(
            f"Check failed: axis >= 0 && axis < ndims: axis = {axis} out of bounds"
        )
    return shape.repeat(data, repeats=repeats, axis=axis % data.ndim)


@operator("pad", "Pad")
def pad(
    data: NDArray, mode: str, pad_width: tuple[int, ...], constant_value: float = 0.0
) -> NDArray:
    """Add a border around the spatial axes of an array of 4 or 5 axes.

    `mode` fills it with a `constant` value, the nearest element (`edge`), or the mirrored inside
    (`reflect`). `pad_width` lists before and after for each axis in turn; the first four numbers,
    those of batch and channels, are 0. Raises MXNetError if the data, the widths or the mode does
    not fit.
    """
    chosen("Pad", "mode", mode, ("constant", "edge", "reflect"))
    if data.ndim not in (4, 5):
        raise MXNetError.checked("Current implementation only supports 4-D or 5-D input.")
    if len(pad_width) != 2 * data.ndim:
        raise MXNetError.checked("Input shape vs padding spec mismatch.")
    widths = [(int(b), int(a)) for b, a in zip(pad_width[::2], pad_width[1::2], strict=True)]
    if any(widths[0] + widths[1]):
        raise MXNetError.checked(
            "Current implementation expects padding on the first two axes to be zero."
        )
    if data._raw.dtype.kind in "iub":
        raise MXNetError.checked(
            f"This operation only support floating point types, not {data._raw.dtype}"
        )
    if mode == "reflect" and any(
        w >= n for pair, n in zip(widths, data.shape, strict=True) for w in pair
    ):
        raise MXNetError.checked(
            "Current implementation of reflection padding only supports padding sizes smaller "
            "than the input size."
        )
    return padding.pad(data, widths=widths, mode=mode, value=constant_value)


@operator("diag")
def diag(data: NDArray, k: int = 0, axis1: int = 0, axis2: int = 1) -> NDArray:
    """Return the k-th diagonal of `axis1` and `axis2`, as a new last axis.

    For an array of one axis, returns the matrix that has it on the k-th diagonal. Raises MXNetError
    if the axes are equal or the diagonal does not exist.
    """
    xp = data._device.use()
    if data.ndim == 1:
        n = data.shape[0]
        numbers = xp.arange(n)
        key = (numbers + max(-k, 0), numbers + max(k, 0))
        return indexing.scatter(data, key=key, shape=(n + abs(k), n + abs(k)))
    a, b = checked_axis(axis1, data.ndim), checked_axis(axis2, data.ndim)
    if a == b:
        raise MXNetError.checked(
            f"Check failed: x1 != x2 ({a} vs. {b}) : axis1 and axis2 cannot refer to the same "
            f"axis {a}"
        )
    n = min(data.shape[a] - max(-k, 0), data.shape[b] - max(k, 0))
    if n <= 0:
        raise MXNetError.checked("Diagonal does not exist.")
    rest = [axis for axis in range(data.ndim) if axis not in (a, b)]
    numbers = xp.arange(n)
    found = indexing.getitem(
        shape.transpose(data, axes=(a, b, *rest)), key=(numbers + max(-k, 0), numbers + max(k, 0))
    )
    return shape.transpose(found, axes=(*range(1, found.ndim), 0)) if rest else found


# --- parts by position


@operator("slice", "crop")
def slice_(data: NDArray, begin: Any, end: Any, step: Any = ()) -> NDArray:
    """Return the elements from begin[i] to before end[i] of each of the first axes, in steps of
    step[i].

    None means no bound. Raises MXNetError for a step of 0 or bounds that do not fit the axes.
    """
    begins, ends, steps = (
        tuple(v) if isinstance(v, (tuple, list)) else (v,) for v in (begin, end, step)
    )
    if not (
        len(begins) == len(ends) and len(steps) in (0, len(begins)) and len(begins) <= data.ndim
    ):
        raise MXNetError.checked(
            f"slice: begin {begins}, end {ends} and step {steps} do not belong to the "
            f"{data.ndim} axes of the array"
        )
    for i, n in enumerate(steps):
        if n == 0:
            raise MXNetError.checked(
                f"Check failed: s != 0 (0 vs. 0) : slice op step[{i}] cannot be 0"
            )
    key = tuple(
        slice(b, e, s) for b, e, s in zip(begins, ends, steps or (None,) * len(begins), strict=True)
    )
    return indexing.getitem(data, key=key, view=False)


@operator("slice_axis")
def slice_axis(data: NDArray, axis: int, begin: int, end: int | None) -> NDArray:
    """Return the elements begin … end - 1 along `axis`. Raises MXNetError if they do not exist."""
    if not -data.ndim <= axis < data.ndim:
        raise MXNetError.checked(
            "Check failed: *axis < ishape.ndim() && *axis >= 0: Transformed axis must be smaller "
            "than the source ndim and larger "
            f"than zero! Recieved axis={axis}, src_ndim={data.ndim}"
        )
    n = data.shape[axis]
    first = begin + n if begin < 0 else begin
    last = n if end is None else end + n if end < 0 else end
    if last > n:
        raise MXNetError.checked(
            f"Check failed: *end <= axis_size: Invalid end for end={end} as axis_size is {n}"
        )
    if first < 0:
        raise MXNetError.checked(f"Check failed: *begin >= 0: Invalid begin for begin={begin}")
    if first >= last:
        raise MXNetError.checked(
            f"Check failed: (*begin < *end): Invalid begin, end, get begin={begin}, end={end}"
        )
    return indexing.getitem(
        data, key=(slice(None),) * (axis % data.ndim) + (slice(first, last),), view=False
    )


@operator("slice_like")
def slice_like(data: NDArray, shape_like: NDArray, axes: Any = ()) -> NDArray:
    """Return the first elements of `data` along `axes` (by default all), as many as `shape_like`
    has.

    Raises MXNetError if `data` has fewer.
    """
    axes = axes_tuple(axes)
    if not axes and data.ndim != shape_like.ndim:
        raise MXNetError.checked(
            f"Check failed: ishape.ndim() == from_shape.ndim() ({data.ndim} vs. "
            f"{shape_like.ndim}) : By default slice_axis "
            f"performs slice on all axes, but ndim mismatch for inputs: {data.ndim} vs. {shape_like.ndim}"
        )
    key = [slice(None)] * data.ndim
    for axis in axes or range(data.ndim):
        at, n = checked_axis(axis, data.ndim), shape_like.shape[checked_axis(axis, shape_like.ndim)]
        if n > data.shape[at]:
            raise MXNetError.checked(
                f"Check failed: ishape[i] >= from_shape[i] ({data.shape[at]} vs. {n}) : Slice "
                f"axis {at} with size {n}exceeds "
                f"limit of input with size {data.shape[at]}"
            )
        key[at] = slice(n)
    return indexing.getitem(data, key=tuple(key), view=False)


@operator("split", "SliceChannel")
def split(data: NDArray, num_outputs: int, axis: int = 1, squeeze_axis: bool = False) -> Any:
    """Split an axis into `num_outputs` equal parts.

    Returns a list, or the array itself for one part. Raises MXNetError if the length is not
    divisible, or if `squeeze_axis` and the parts are longer than 1.
    """
    at = checked_axis(axis, data.ndim)
    length = data.shape[at]
    if num_outputs < 1 or length % num_outputs:
        raise MXNetError.checked(
            "Check failed: dshape[real_axis] % param_.num_outputs == 0U: You are trying to "
            f"split the {axis}-th axis of input "
            f"tensor with shape {_listed(data.shape)} into num_outputs={num_outputs} evenly sized chunks, "
            "but this is not possible because "
            f"{num_outputs} does not evenly divide {length}"
        )
    if squeeze_axis and length != num_outputs:
        raise MXNetError.checked(
            f"Check failed: ishape[real_axis] == param_.num_outputs ({length} vs. "
            f"{num_outputs}) : "
            "If squeeze axis is True, the "
            f"size of the sliced axis must be the same as num_outputs. Input shape={_listed(data.shape)}, "
            f"axis={axis}, "
            f"num_outputs={num_outputs}."
        )
    step = length // num_outputs
    parts = _cut(
        data,
        at,
        list(range(0, length + 1, step)) if step else [0] * (num_outputs + 1),
        squeeze_axis,
    )
    return parts[0] if num_outputs == 1 else parts


def _cut(data: NDArray, axis: int, edges: list[int], squeeze_axis: bool) -> list[NDArray]:
    before = (slice(None),) * axis
    keys = [
        (*before, a if squeeze_axis else slice(a, b))
        for a, b in zip(edges, edges[1:], strict=False)
    ]
    return [indexing.getitem(data, key=key, view=False) for key in keys]


@operator("split_v2")
def split_v2(
    ary: NDArray, indices_or_sections: Any, axis: int = 0, squeeze_axis: bool = False
) -> Any:
    """Split an axis into a number of equal parts, or before each of several indices.

    Raises ValueError if the parts would not be equal or the argument is something else, and
    MXNetError if `squeeze_axis` and a part is not of length 1.
    """
    at = checked_axis(axis, ary.ndim)
    length = ary.shape[at]
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1 or length % indices_or_sections:
            raise ValueError("array split does not result in an equal division")
        edges = [length // indices_or_sections * i for i in range(indices_or_sections + 1)]
    elif isinstance(indices_or_sections, (tuple, list)):
        edges = [0, *(int(i) for i in indices_or_sections), length]
    else:
        raise ValueError("indices_or_sections must either int, or tuple / list of ints")
    if squeeze_axis and any(b - a != 1 for a, b in zip(edges, edges[1:], strict=False)):
        raise MXNetError.checked(
            f"split_v2: squeeze_axis needs parts of length 1, but they are cut at {edges} "
            f"along axis {axis}"
        )
    parts = _cut(ary, at, edges, squeeze_axis)
    return parts[0] if len(parts) == 1 else parts


# --- joining


@operator("concat", "Concat")
def concat(*data: NDArray, dim: int = 1) -> NDArray:
    """Join arrays along the existing axis `dim`. Raises MXNetError if none is given."""
    if not data:
        raise MXNetError.checked(
            "value 0 for Parameter num_args should be greater equal to 1, in operator Concat"
        )
    return shape.concat(*data, dim=dim)


def concatenate(arrays: Sequence[NDArray], axis: int = 0, always_copy: bool = True) -> NDArray:
    """Join arrays along `axis`; a single array is returned itself unless `always_copy`.

    Raises AssertionError if no array is given.
    """
    if not arrays:
        raise AssertionError("concatenate needs at least one array")
    if len(arrays) == 1 and not always_copy:
        return arrays[0]
    return concat(*arrays, dim=axis)


@operator("stack")
def stack(*data: NDArray, axis: int = 0) -> NDArray:
    """Join arrays of the same shape along a new axis. Raises MXNetError if none is given."""
    if not data:
        raise MXNetError.checked(
            "value 0 for Parameter num_args should be greater equal to 1, in operator stack"
        )
    return shape.stack(*data, axis=axis)
