"""Operators that read images at places between pixels: samplers by a grid, aligned regions."""

from __future__ import annotations

import math

import numpy as np

from initlab.engine.errors import MXNetError
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import check_array, chosen, operator
from initlab.engine.nd.spatial import check_images, resampled
from initlab.engine.ops import elementwise, indexing, linear, shape


def _pixels(height: int, width: int) -> np.ndarray:
    """Return x and y of each pixel, (2, height, width), from -1 to 1."""
    y, x = (
        np.linspace(-1, 1, n, dtype=np.float32) if n > 1 else np.full(1, -1)
        for n in (height, width)
    )
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None])).astype(np.float32)


@operator("GridGenerator")
def GridGenerator(
    data: NDArray, transform_type: str, target_shape: tuple[int, int] = (0, 0)
) -> NDArray:
    """Return the places (batch, 2, height, width), as x and y from -1 to 1, for `BilinearSampler`.

    `affine` takes matrices (batch, 6) and moves the pixels of an image of `target_shape`; `warp`
    takes shifts in pixels (batch, 2, height, width).
    """
    chosen("GridGenerator", "transform_type", transform_type, ("affine", "warp"))
    if transform_type == "affine":
        if data.ndim != 2 or data.shape[1] != 6 or min(target_shape) <= 0:
            raise MXNetError.checked(
                f"GridGenerator: affine takes data (batch, 6) and a target_shape, got {data.shape} and "
                f"{tuple(target_shape)}"
            )
        flat = _pixels(*target_shape).reshape(2, -1)
        places = np.concatenate([flat, np.ones((1, flat.shape[1]), np.float32)])
        right = array(places, ctx=data.device, dtype=data.dtype)
        moved = linear.matmul(shape.reshape(data, shape=(-1, 2, 3)), right)
        return shape.reshape(moved, shape=(data.shape[0], 2, *target_shape))
    check_images("GridGenerator", data)
    height, width = data.shape[2:]
    halves = np.array([(width - 1) / 2, (height - 1) / 2], np.float32).reshape(1, 2, 1, 1)
    moved = elementwise.divide(data, array(halves, ctx=data.device, dtype=data.dtype))
    return elementwise.add(
        moved, array(_pixels(height, width)[None], ctx=data.device, dtype=data.dtype)
    )


@operator("BilinearSampler")
def BilinearSampler(data: NDArray, grid: NDArray, cudnn_off: bool = False) -> NDArray:
    """Return images (batch, channels, height, width) read at the places of a grid (batch, 2, h, w).

    Between pixels values are interpolated linearly; outside the image they are 0.
    """
    check_images("BilinearSampler", data)
    check_images("BilinearSampler", grid)
    if grid.shape[1] != 2 or grid.shape[0] != data.shape[0]:
        raise MXNetError.checked(
            f"BilinearSampler: grid must be (batch, 2, h, w) for data {data.shape}, got {grid.shape}"
        )
    xp = data._device.use()
    both = []
    for axis, length in ((1, data.shape[2]), (0, data.shape[3])):
        part = indexing.getitem(grid, key=(slice(None), slice(axis, axis + 1)), view=False)
        place = elementwise.multiply(elementwise.add(part, 1.0), (length - 1) / 2)
        both.append((place, xp.floor(place._raw).astype("int64"), length))
    batch = xp.arange(data.shape[0]).reshape((-1, 1, 1, 1))
    channels = xp.arange(data.shape[1]).reshape((1, -1, 1, 1))
    total = None
    for down in (0, 1):
        for right in (0, 1):
            numbers: list[object] = []
            weight: NDArray | float = 1.0
            for step, (place, before, length) in zip((down, right), both, strict=True):
                at = before + step
                inside = ((at >= 0) & (at < length)).astype(data._raw.dtype)
                # How near the place is to this pixel, in shares of a pixel.
                other = NDArray((before + 1 - step).astype(data._raw.dtype), data._device)
                near = place - other if step else other - place
                near = near * NDArray(inside, data._device)
                weight = near * weight
                numbers.append(xp.clip(at, 0, length - 1))
            value = indexing.getitem(data, key=(batch, channels, *numbers)) * weight
            total = value if total is None else total + value
    assert total is not None
    return total


@operator("SpatialTransformer")
def SpatialTransformer(
    data: NDArray,
    loc: NDArray,
    target_shape: tuple[int, int] = (0, 0),
    transform_type: str = "affine",
    sampler_type: str = "bilinear",
    cudnn_off: bool = False,
) -> NDArray:
    """Return images moved by matrices `loc` (batch, 6) to `target_shape` (Jaderberg et al. 2015)."""
    chosen("SpatialTransformer", "transform_type", transform_type, ("affine",))
    chosen("SpatialTransformer", "sampler_type", sampler_type, ("bilinear",))
    wanted = tuple(target_shape) if min(target_shape) > 0 else tuple(data.shape[2:])
    return BilinearSampler(data, GridGenerator(loc, "affine", (wanted[0], wanted[1])))


def _weights(start: float, size: float, bins: int, samples: int, length: int) -> np.ndarray:
    """Return how much each pixel counts for the mean of each part of a region, (bins, length)."""
    found = np.zeros((bins, length), np.float32)
    one = np.float32
    for b in range(bins):
        for s in range(samples):
            at = float(one(start) + one(b) * one(size) + one(s + 0.5) * one(size) / one(samples))
            if at < -1 or at > length:
                continue
            place = max(at, 0.0)
            low = min(int(place), length - 1)
            part = place - low if low < length - 1 else 0.0
            found[b, low] += (1 - part) / samples
            found[b, min(low + 1, length - 1)] += part / samples
    return found


def ROIAlign(
    data: NDArray,
    rois: NDArray,
    pooled_size: tuple[int, int],
    spatial_scale: float,
    sample_ratio: int = -1,
    position_sensitive: bool = False,
    aligned: bool = False,
) -> NDArray:
    """Return the means of parts of regions, read between pixels (He et al. 2017).

    A row of `rois` is (number of the image, x1, y1, x2, y2), in pixels times 1 / `spatial_scale`.
    `sample_ratio` places along a side of a part are read, by default as many as pixels. `aligned`
    moves regions by half a pixel. A negative number of an image gives zeros.
    """
    check_images("ROIAlign", data)
    check_array(rois, "rois")
    if position_sensitive:
        raise MXNetError("ROIAlign: position_sensitive is not here - leave it out")
    shift = 0.5 if aligned else 0.0
    parts = []
    for number, *corners in rois.asnumpy():
        x1, y1, x2, y2 = (float(np.float32(c) * np.float32(spatial_scale)) - shift for c in corners)
        sides = []
        for low, high, bins, length in (
            (y1, y2, pooled_size[0], data.shape[2]),
            (x1, x2, pooled_size[1], data.shape[3]),
        ):
            extent = high - low if aligned else max(high - low, 1.0)
            samples = sample_ratio if sample_ratio > 0 else max(math.ceil(extent / bins), 0)
            sides.append(_weights(low, extent / bins, bins, samples, length))
        image = indexing.getitem(
            data, key=(slice(max(int(number), 0), max(int(number), 0) + 1),), view=False
        )
        part = resampled(image, *sides)
        parts.append(part if number >= 0 else part * 0)
    return shape.concat(*parts, dim=0)
