"""Operators over the spatial axes of (batch, channels, height, width): enlarging, resizing, pooling
of regions, normalization across channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.layers import Deconvolution
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, chosen, operator
from initlab.engine.ops import elementwise, indexing, linear, padding, shape


def check_images(name: str, data: NDArray) -> None:
    """Raise MXNetError unless data has the four axes of images."""
    check_array(data, "data")
    if data.ndim != 4:
        raise MXNetError.checked(
            f"{name}: data must have 4 axes (batch, channels, height, width), got {data.shape}"
        )


def _enlarged(data: NDArray, times: int) -> NDArray:
    for axis in (2, 3):
        data = shape.repeat(data, repeats=times, axis=axis)
    return data


@operator("UpSampling")
def UpSampling(
    *data: NDArray,
    scale: int,
    sample_type: str,
    num_filter: int = 0,
    multi_input_mode: str = "concat",
    num_args: int = 1,
    workspace: int = 512,
) -> NDArray:
    """Enlarge height and width `scale` times.

    `nearest` repeats elements; several arrays are enlarged to the size of the first result and then
    joined along the channels (`concat`) or added (`sum`). `bilinear` takes data and the kernels
    (channels, 1, k, k) of a transposed convolution, with k = 2 scale - scale % 2.
    """
    chosen("UpSampling", "sample_type", sample_type, ("bilinear", "nearest"))
    chosen("UpSampling", "multi_input_mode", multi_input_mode, ("concat", "sum"))
    for one in data:
        check_images("UpSampling", one)
    if sample_type == "bilinear":
        if len(data) != 2:
            raise MXNetError.checked("UpSampling: bilinear takes data and weight")
        image, weight = data
        size, pad = 2 * scale - scale % 2, math.ceil((scale - 1) / 2)
        return Deconvolution(
            image, weight, kernel=(size, size), stride=(scale, scale), pad=(pad, pad),
            num_filter=image.shape[1], num_group=image.shape[1],
        )  # fmt: skip
    height = data[0].shape[2] * scale
    parts = [_enlarged(one, height // one.shape[2]) for one in data]
    if len(parts) == 1:
        return parts[0]
    if multi_input_mode == "concat":
        return shape.concat(*parts, dim=1)
    total = parts[0]
    for part in parts[1:]:
        total = elementwise.add(total, part)
    return total


@operator("LRN")
def LRN(
    data: NDArray, nsize: int, alpha: float = 1e-4, beta: float = 0.75, knorm: float = 2.0
) -> NDArray:
    """Return x (knorm + alpha / nsize s)^-beta, with s the sum of squares of `nsize` channels around
    (Krizhevsky et al. 2012).
    """
    if nsize % 2 == 0:
        raise MXNetError.checked(
            "Check failed: param_.nsize % 2 == 1U: LRN only supports odd values for local_size"
        )
    half, channels = nsize // 2, data.shape[1]
    widths = [(half, half) if axis == 1 else (0, 0) for axis in range(data.ndim)]
    squares = padding.pad(elementwise.square(data), widths=widths)
    total = elementwise.add(
        elementwise.multiply(_window(squares, 0, nsize, channels), alpha / nsize), knorm
    )
    return elementwise.multiply(data, elementwise.power(total, -beta))


def _window(x: NDArray, start: int, count: int, length: int) -> NDArray:
    """Return the sum of `count` neighbours along axis 1."""
    parts = [
        indexing.getitem(x, key=(slice(None), slice(start + i, start + i + length)), view=False)
        for i in range(count)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = elementwise.add(total, part)
    return total


# --- resizing: products with a matrix a side


def resampled(data: NDArray, rows: np.ndarray, columns: np.ndarray) -> NDArray:
    """Return rows X columns^T for each image X."""
    left, right = (
        array(m, ctx=data.device, dtype=data.dtype) for m in (rows, np.ascontiguousarray(columns.T))
    )
    return linear.matmul(linear.matmul(left, data), right)


def _linear(old: int, new: int, corners: bool) -> np.ndarray:
    """Return the weights (new, old) of linear interpolation, at float32 places."""
    one = np.float32(1)
    if corners:
        step = np.float32(old - 1) / np.float32(new - 1) if new > 1 else np.float32(0)
        places = step * np.arange(new, dtype=np.float32)
    else:
        step = np.float32(old) / np.float32(new) if new > 1 else np.float32(0)  # as MXNet
        half = np.float32(0.5)
        places = np.maximum(step * (np.arange(new, dtype=np.float32) + half) - half, 0)
    before = np.minimum(places.astype(np.int64), old - 1)
    part = places - before.astype(np.float32)
    weights = np.zeros((new, old), np.float32)
    numbers = np.arange(new)
    np.add.at(weights, (numbers, before), one - part)
    np.add.at(weights, (numbers, np.minimum(before + 1, old - 1)), part)
    return weights


def _wanted_size(mode: str, old: int, given: int, scale: float | None, other: int) -> int:
    """Return a side of the result of BilinearResize2D."""
    if mode == "like":
        return other
    if mode == "odd_scale" and scale is not None:
        return int(old * scale) if old % 2 == 0 else int((old - 1) * scale) + 1
    if mode.startswith("to_"):
        wants_even, up = "even" in mode, mode.endswith("up")
        return old if (old % 2 == 0) == wants_even else old + (1 if up else -1)
    return int(scale * old) if scale is not None else given


MODES = (
    "size", "odd_scale", "like", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up",
)  # fmt: skip


def BilinearResize2D(
    data: NDArray,
    like: NDArray | None = None,
    height: int = 1,
    width: int = 1,
    scale_height: float | None = None,
    scale_width: float | None = None,
    mode: str = "size",
    align_corners: bool = True,
) -> NDArray:
    """Resize images linearly to (height, width), or by scales, or to the size of `like`.

    The modes `to_even_…` and `to_odd_…` change a side by 1 if it is not even or odd. With
    `align_corners` the corners keep their values; otherwise pixels are areas.
    """
    check_images("BilinearResize2D", data)
    chosen("_contrib_BilinearResize2D", "mode", mode, MODES)
    if mode == "like" and like is None:
        raise MXNetError.checked("BilinearResize2D: mode 'like' needs the array `like`")
    others = data.shape if like is None else like.shape
    rows, columns = (
        _linear(
            data.shape[axis],
            _wanted_size(mode, data.shape[axis], given, scale, others[axis]),
            align_corners,
        )
        for axis, given, scale in ((2, height, scale_height), (3, width, scale_width))
    )
    return resampled(data, rows, columns)


def _means(old: int, new: int) -> np.ndarray:
    """Return the weights (new, old) of means over parts of an axis."""
    weights = np.zeros((new, old), np.float64)
    for i in range(new):
        start, end = i * old // new, -(-(i + 1) * old // new)
        weights[i, start:end] = 1 / (end - start)
    return weights


def AdaptiveAvgPooling2D(data: NDArray, output_size: int | Sequence[int] = ()) -> NDArray:
    """Return the means of output_size = (height, width) parts of each image; one number is both."""
    check_images("AdaptiveAvgPooling2D", data)
    size = (output_size,) if isinstance(output_size, int) else tuple(output_size) or (1,)
    height, width = size * 2 if len(size) == 1 else size
    return resampled(data, _means(data.shape[2], height), _means(data.shape[3], width))


# --- regions


def _rounded(x: float) -> int:
    """Round halves away from zero, as C does."""
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def _bins(start: int, end: int, count: int, length: int) -> list[tuple[int, int]]:
    """Return the edges of `count` parts of a region, cut to 0 … length."""
    size = np.float32(max(end - start + 1, 1)) / np.float32(count)
    edges = []
    for i in range(count):
        low, high = math.floor(np.float32(i) * size), math.ceil(np.float32(i + 1) * size)
        edges.append((min(max(low + start, 0), length), min(max(high + start, 0), length)))
    return edges


@operator("ROIPooling")
def ROIPooling(
    data: NDArray, rois: NDArray, pooled_size: tuple[int, int], spatial_scale: float
) -> NDArray:
    """Return the maximum of each of pooled_size = (height, width) parts of regions of images.

    A row of `rois` is (number of the image, x1, y1, x2, y2), in pixels times 1 / `spatial_scale`.
    An empty part is 0. The gradient goes to the elements that are largest (Girshick 2015).
    """
    check_images("ROIPooling", data)
    images, regions = data.asnumpy(), rois.asnumpy()
    count, channels = len(regions), data.shape[1]
    height, width = pooled_size
    at = np.zeros((count, height, width, channels), np.int64)
    filled = np.zeros((count, 1, height, width), images.dtype)
    for r, (number, *corners) in enumerate(regions):
        x1, y1, x2, y2 = (
            _rounded(float(np.float32(c) * np.float32(spatial_scale))) for c in corners
        )
        columns = _bins(x1, x2, width, images.shape[3])
        for i, (top, bottom) in enumerate(_bins(y1, y2, height, images.shape[2])):
            for j, (left, right) in enumerate(columns):
                part = images[int(number), :, top:bottom, left:right]
                if part.size:
                    best = part.reshape(channels, -1).argmax(axis=1)
                    row, column = np.divmod(best, right - left)
                    at[r, i, j] = (row + top) * images.shape[3] + column + left
                    filled[r, 0, i, j] = 1
    numbers = regions[:, 0].astype(np.int64).reshape(-1, 1, 1, 1)
    rows, columns_at = np.divmod(at.transpose(0, 3, 1, 2), images.shape[3])
    xp = data._device.use()
    key = tuple(
        xp.asarray(part)
        for part in (numbers, np.arange(channels).reshape(1, -1, 1, 1), rows, columns_at)
    )
    picked = indexing.getitem(data, key=key)
    return elementwise.multiply(picked, array(filled, ctx=data.device, dtype=filled.dtype))
