"""The `nd.image` namespace: images (height, width, channels), or batches of them, for datasets.

Factors are drawn from the ambient stream. Results of bytes are cut to 0 … 255 and truncated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from initlab.engine.device import from_host
from initlab.engine.errors import MXNetError
from initlab.engine.nd import random, resampling
from initlab.engine.nd.creation import array
from initlab.engine.nd.ndarray import NDArray
from initlab.engine.nd.operator import operator
from initlab.engine.streams import current
from initlab.lazy import suggesting

FUNCTIONS: dict[str, Callable[..., NDArray]] = {}
"""The functions of this namespace by name."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""The weights of red, green and blue in grey (ITU-R BT.601)."""
LIGHT = np.array(
    [
        [55.46 * -0.5675, 4.794 * 0.7192, 1.148 * 0.4009],
        [55.46 * -0.5808, 4.794 * -0.0045, 1.148 * -0.8140],
        [55.46 * -0.5836, 4.794 * -0.6948, 1.148 * 0.4203],
    ],
    np.float32,
)
"""The principal components of ImageNet's colors, times the roots of their variances (Krizhevsky et
al. 2012), by channel.
"""


def _listed(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(str(n) for n in shape) + "]"


def _check(data: NDArray, check: str, says: str, ndims: tuple[int, ...] = (3, 4)) -> None:
    if data.ndim not in ndims:
        raise MXNetError.checked(f"Check failed: {check}: {says} but got {_listed(data.shape)}")


def _like(values: np.ndarray, data: NDArray) -> NDArray:
    """Return host values as an array of the dtype of `data`, on its device."""
    if data.dtype == np.uint8:
        values = np.clip(values, 0, 255)
    return NDArray(from_host(values.astype(data.dtype), data.device), data.device)


@operator("to_tensor", among=FUNCTIONS)
def to_tensor(data: NDArray) -> NDArray:
    """Convert (…, height, width, channels) of 0 … 255 to float32 (…, channels, height, width) of 0
    … 1.
    """
    _check(
        data,
        "(shp.ndim() == 3) || (shp.ndim() == 4)",
        "Input image must have shape (height, width, channels), or (N, height, width, channels)",
    )
    order = (2, 0, 1) if data.ndim == 3 else (0, 3, 1, 2)
    return data.astype("float32").transpose(order) / 255.0


@operator("normalize", among=FUNCTIONS)
def normalize(
    data: NDArray, mean: float | tuple[float, ...] = 0.0, std: float | tuple[float, ...] = 1.0
) -> NDArray:
    """Return (x - mean) / std for (…, channels, height, width), with a number for each channel.

    Raises MXNetError unless there are 1 or 3 channels and 1 number or as many as channels.
    """
    _check(
        data,
        "(dshape.ndim() == 3) || (dshape.ndim() == 4)",
        "Input tensor must have shape (channels, height, width), or (N, channels, height, width),",
    )
    channels = data.shape[-3]
    if channels not in (1, 3):
        raise MXNetError.checked(
            "Check failed: nchannels == 3 || nchannels == 1: The first dimension of input tensor must "
            "be the channel dimension with either 1 or 3 elements, but got input with shape "
            f"{_listed(data.shape)}"
        )
    rows = []
    for name, value in (("mean", mean), ("std", std)):
        numbers = np.atleast_1d(np.asarray(value, np.float32))
        if numbers.size not in (1, channels):
            raise MXNetError.checked(
                f"Check failed: (param.{name}.ndim() == 1) || (param.{name}.ndim() == nchannels): "
                f"Invalid {name} for input with shape {_listed(data.shape)}. {name} must have either "
                f"1 or {channels} elements, but got [{','.join(f'{n:g}' for n in numbers)}]"
            )
        rows.append(array(numbers.reshape(-1, 1, 1), ctx=data.device, dtype=data.dtype))
    return (data - rows[0]) / rows[1]


@operator("resize", among=FUNCTIONS)
def resize(
    data: NDArray,
    size: int | tuple[int, ...] = (),
    keep_ratio: bool = False,
    interp: int = 1,
) -> NDArray:
    """Return images in another size: (width, height), or one number for both.

    With one number and `keep_ratio`, the shorter side gets that length. `interp` is 0 nearest, 1
    linear, 2 cubic, 3 area.
    """
    check = "(in_attrs->at(0).ndim() == 3U) || (in_attrs->at(0).ndim() == 4U)"
    if data.ndim not in (3, 4):
        raise MXNetError.checked(
            f"Check failed: {check}: Input image dimension should be 3 or 4 but got {data.ndim}"
        )
    wanted = tuple(int(n) for n in (size if isinstance(size, (tuple, list)) else (size,)))
    if len(wanted) not in (1, 2):
        raise MXNetError.checked(
            "Check failed: (param.size.ndim() == 1) || (param.size.ndim() == 2): Input size dimension "
            f"must be 1 or 2, but got {len(wanted)}"
        )
    for place, length in enumerate(wanted):
        if length <= 0:
            what = "size" if len(wanted) == 1 else ("width", "height")[place]
            raise MXNetError.checked(
                f"Check failed: param.size[{place}] > 0 ({length} vs. 0) : Input {what} should be "
                f"greater than 0, but got {length}"
            )
    height, width = data.shape[-3:-1]
    if len(wanted) == 2:
        width, height = wanted
    elif not keep_ratio:
        width = height = wanted[0]
    elif height > width:
        width, height = wanted[0], wanted[0] * height // width
    else:
        width, height = wanted[0] * width // height, wanted[0]
    return scaled(data, height, width, interp)


def scaled(data: NDArray, height: int, width: int, interp: int) -> NDArray:
    """Return images in another size. Raises MXNetError for a method that is not here."""
    if interp not in range(4):
        raise MXNetError(
            f"interp cannot be {interp}: 0 (nearest), 1 (linear), 2 (cubic), 3 (area) are here"
        )
    images = data.asnumpy()
    if data.ndim == 3:
        return _like(resampling.resized(images, height, width, interp), data)
    return _like(np.stack([resampling.resized(i, height, width, interp) for i in images]), data)


@operator("crop", among=FUNCTIONS)
def crop(data: NDArray, x: int, y: int, width: int, height: int) -> NDArray:
    """Return the part of images that begins at column x and row y.

    Raises MXNetError if it is empty or leaves the image.
    """
    _check(data, "(ishape.ndim() == 3) || (ishape.ndim() == 4)", "Input image must be 3 or 4 axes")
    if not (height > 0 and width > 0):
        raise MXNetError.checked(
            "Check failed: (param.height > 0) && (param.width > 0): Input height and width must be "
            "greater than 0"
        )
    for start, length, axis, name, side in (
        (x, width, -2, "x", "width"),
        (y, height, -3, "y", "height"),
    ):
        if start < 0 or start + length > data.shape[axis]:
            raise MXNetError.checked(
                f"Check failed: param.{name} + param.{side} <= ishape[ishape.ndim() - {-axis}]: {name} "
                f"+ {side} should not be greater than input {side}"
            )
    return data.slice_axis(axis=-3, begin=y, end=y + height).slice_axis(
        axis=-2, begin=x, end=x + width
    )


def _flipped(data: NDArray, axis: int) -> NDArray:
    says = "Input image must have shape (height, width, channels),"
    _check(data, f"dshape.ndim() == 3 ({data.ndim} vs. 3) ", says, (3,))
    return data.flip(axis=axis)


@operator("flip_left_right", among=FUNCTIONS)
def flip_left_right(data: NDArray) -> NDArray:
    """Return an image with its columns in reverse order."""
    return _flipped(data, 1)


@operator("flip_top_bottom", among=FUNCTIONS)
def flip_top_bottom(data: NDArray) -> NDArray:
    """Return an image with its rows in reverse order."""
    return _flipped(data, 0)


def _drawn(low: float, high: float) -> float:
    return float(current().uniform(low, high, 1, "float32")[0])


@operator("random_flip_left_right", among=FUNCTIONS)
def random_flip_left_right(data: NDArray, p: float = 0.5) -> NDArray:
    """Reverse the columns of an image with probability p."""
    return flip_left_right(data) if _drawn(0, 1) < p else data


@operator("random_flip_top_bottom", among=FUNCTIONS)
def random_flip_top_bottom(data: NDArray, p: float = 0.5) -> NDArray:
    """Reverse the rows of an image with probability p."""
    return flip_top_bottom(data) if _drawn(0, 1) < p else data


def _brighter(x: np.ndarray, factor: float) -> np.ndarray:
    return x * np.float32(factor)


def _grey(x: np.ndarray) -> np.ndarray:
    return np.asarray((x * LUMA).sum(axis=-1, keepdims=True)) if x.shape[-1] == 3 else x


def _contrasted(x: np.ndarray, factor: float) -> np.ndarray:
    mean = _grey(x).mean(axis=(-3, -2, -1), keepdims=True)
    return np.asarray(x * np.float32(factor) + np.float32(1 - factor) * mean)


def _saturated(x: np.ndarray, factor: float) -> np.ndarray:
    if x.shape[-1] != 3:
        return x
    return np.asarray(x * np.float32(factor) + np.float32(1 - factor) * _grey(x))


def _turned(x: np.ndarray, turn: float) -> np.ndarray:
    """Return colors whose hue is turned by `turn` of a circle; lightness and saturation stay."""
    if x.shape[-1] != 3:
        return x
    high, low = x.max(axis=-1), x.min(axis=-1)
    spread, total = high - low, high + low
    grey = spread == 0
    safe = np.where(grey, 1, spread)
    r, g, b = (x[..., i] for i in range(3))
    sector = np.where(
        high == r, (g - b) / safe, np.where(high == g, 2 + (b - r) / safe, 4 + (r - g) / safe)
    )
    hue = np.where(grey, 0, sector + np.float32(6 * turn))
    # Distance of the hue from each primary color, in sixths of the circle, cut to 1 … 2.
    shift = np.stack([(hue - at + 3) % 6 - 3 for at in (0, 2, 4)], axis=-1)
    share = np.clip(2 - np.abs(shift), 0, 1)
    low_now = (total - spread) / 2
    turned: np.ndarray = low_now[..., None] + spread[..., None] * share
    return turned


def _changed(data: NDArray, change: Callable[..., np.ndarray], *factors: float) -> NDArray:
    values = data.asnumpy().astype(np.float32)
    return _like(change(values, *factors), data)


@operator("random_brightness", among=FUNCTIONS)
def random_brightness(data: NDArray, min_factor: float, max_factor: float) -> NDArray:
    """Multiply an image by a factor of U[min_factor, max_factor)."""
    return _changed(data, _brighter, _drawn(min_factor, max_factor))


@operator("random_contrast", among=FUNCTIONS)
def random_contrast(data: NDArray, min_factor: float, max_factor: float) -> NDArray:
    """Multiply the distance from the mean grey by a factor of U[min_factor, max_factor)."""
    return _changed(data, _contrasted, _drawn(min_factor, max_factor))


@operator("random_saturation", among=FUNCTIONS)
def random_saturation(data: NDArray, min_factor: float, max_factor: float) -> NDArray:
    """Multiply the distance from each pixel's grey by a factor of U[min_factor, max_factor)."""
    return _changed(data, _saturated, _drawn(min_factor, max_factor))


@operator("random_hue", among=FUNCTIONS)
def random_hue(data: NDArray, min_factor: float, max_factor: float) -> NDArray:
    """Turn the hue by a part of the circle of U[min_factor, max_factor)."""
    return _changed(data, _turned, _drawn(min_factor, max_factor))


@operator("random_color_jitter", among=FUNCTIONS)
def random_color_jitter(
    data: NDArray, brightness: float, contrast: float, saturation: float, hue: float
) -> NDArray:
    """Change brightness, contrast, saturation and hue, in random order.

    Factors are 1 + U[-b, b), the turn of the hue is U[-hue, hue).
    """
    changes = (
        (_brighter, brightness, 1.0),
        (_contrasted, contrast, 1.0),
        (_saturated, saturation, 1.0),
        (_turned, hue, 0.0),
    )
    order = np.argsort(current().uniform(0, 1, 4, "float32"), kind="stable")
    for i in order:
        change, width, middle = changes[i]
        if width:
            data = _changed(data, change, middle + _drawn(-width, width))
    return data


@operator("adjust_lighting", among=FUNCTIONS)
def adjust_lighting(data: NDArray, alpha: tuple[float, ...]) -> NDArray:
    """Add ImageNet's principal colors, times alpha, to an image of three channels."""
    if data.shape[-1] != 3:
        return data
    return _changed(data, lambda x: x + LIGHT @ np.asarray(alpha, np.float32))


@operator("random_lighting", among=FUNCTIONS)
def random_lighting(data: NDArray, alpha_std: float = 0.05) -> NDArray:
    """Add ImageNet's principal colors, times numbers of N(0, alpha_std^2)."""
    if alpha_std <= 0:
        return data
    return adjust_lighting(data, tuple(random.normal(0, alpha_std, shape=(3,)).tolist()))


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
