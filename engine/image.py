"""Reading, resizing and cropping of images (MXNet: `mx.image`).

An image is an array (height, width, channels), of bytes if it was read. Sizes are (width, height).
Reading needs Pillow. Places of random crops come from Python's generator, as in MXNet:
`random.seed` fixes them.
"""

from __future__ import annotations

import io
import math
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from initlab.engine import nd
from initlab.engine.errors import FormatError, MXNetError
from initlab.engine.nd import NDArray
from initlab.engine.nd.image import scaled
from initlab.lazy import suggesting

Size = tuple[int, int]
Box = tuple[int, int, int, int]
AUTO, ANY = 9, 10
"""Methods of interpolation that depend on the sizes, and on chance."""

__all__ = [
    "center_crop",
    "color_normalize",
    "fixed_crop",
    "imdecode",
    "imread",
    "imresize",
    "imrotate",
    "random_crop",
    "random_rotate",
    "random_size_crop",
    "resize_short",
    "scale_down",
]


def imdecode(
    buf: bytes | bytearray | np.ndarray | NDArray, flag: int = 1, to_rgb: bool = True
) -> NDArray:
    """Return the image in the bytes of a PNG or JPEG file, as bytes (height, width, channels).

    `flag` 1 gives three channels, red first (blue first without `to_rgb`); 0 gives one, grey, which
    in a colored PNG may differ by 1 from OpenCV's.
    Raises MXNetError if Pillow is not installed, and FormatError if the bytes are no image.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise MXNetError(
            "images are read by Pillow, which is not installed - pip install pillow"
        ) from None
    data = buf.asnumpy() if isinstance(buf, NDArray) else buf
    if not isinstance(data, (bytes, bytearray, np.ndarray)):
        raise ValueError(
            "buf must be of type bytes, bytearray or numpy.ndarray,"
            "if you would like to input type str, please convert to bytes"
        )
    try:
        with Image.open(io.BytesIO(bytes(data))) as opened:
            if not flag:
                opened.draft("L", opened.size)  # the grey that a JPEG holds
            values = np.array(opened.convert("RGB" if flag else "L"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise FormatError(f"these {len(bytes(data))} bytes are no image: {error}") from error
    if not flag:
        values = values[:, :, None]
    elif not to_rgb:
        values = values[:, :, ::-1]
    return nd.array(values, dtype="uint8")


def imread(filename: str | os.PathLike[str], flag: int = 1, to_rgb: bool = True) -> NDArray:
    """Return the image in a PNG or JPEG file, like `imdecode`. Raises MXNetError if there is none."""
    path = Path(filename)
    if not path.is_file():
        raise MXNetError(f"{path}: there is no such image")
    try:
        return imdecode(path.read_bytes(), flag, to_rgb)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def _method(interp: int, old: Size, new: Size) -> int:
    """Return a method of interpolation for sizes (height, width).

    9 is cubic to enlarge, area to shrink, linear otherwise; 10 is any. Raises ValueError for others.
    """
    if interp == AUTO:
        if new[0] > old[0] and new[1] > old[1]:
            return 2
        return 3 if new[0] < old[0] and new[1] < old[1] else 1
    if interp == ANY:
        return random.randint(0, 3)
    if interp not in range(5):
        raise ValueError(f"Unknown interp method {interp}")
    return interp


def imresize(src: NDArray, w: int, h: int, interp: int = 1) -> NDArray:
    """Return the image in another size. `interp` is 0 nearest, 1 linear, 2 cubic, 3 area."""
    return scaled(src, int(h), int(w), interp)


def scale_down(src_size: Size, size: Size) -> Size:
    """Return the largest size of the proportions of `size` that is within both."""
    w, h = size
    sw, sh = src_size
    wide, high = float(w), float(h)
    if sh < high:
        wide, high = wide * sh / high, float(sh)
    if sw < wide:
        wide, high = float(sw), high * sw / wide
    return int(wide), int(high)


def resize_short(src: NDArray, size: int, interp: int = 2) -> NDArray:
    """Return the image with its shorter side of length `size`."""
    h, w, _ = src.shape
    new = (size * h // w, size) if h > w else (size, size * w // h)
    return imresize(src, new[1], new[0], interp=_method(interp, (h, w), new))


def fixed_crop(
    src: NDArray, x0: int, y0: int, w: int, h: int, size: Size | None = None, interp: int = 2
) -> NDArray:
    """Return the part of an image that begins at column x0 and row y0, resized to `size` if given."""
    out = src[y0 : y0 + h, x0 : x0 + w]
    if size is not None and (w, h) != tuple(size):
        out = imresize(out, *size, interp=_method(interp, (h, w), (size[1], size[0])))
    return out


def _cropped(src: NDArray, box: Box, size: Size, interp: int) -> tuple[NDArray, Box]:
    return fixed_crop(src, *box, size, interp), box


def random_crop(src: NDArray, size: Size, interp: int = 2) -> tuple[NDArray, Box]:
    """Return (a part of `size` at a random place, its (x, y, width, height)).

    Where the image is smaller, the part has the proportions of `size` and is enlarged.
    """
    h, w, _ = src.shape
    new_w, new_h = scale_down((w, h), size)
    x0 = random.randint(0, w - new_w)
    return _cropped(src, (x0, random.randint(0, h - new_h), new_w, new_h), size, interp)


def center_crop(src: NDArray, size: Size, interp: int = 2) -> tuple[NDArray, Box]:
    """Return (the middle part of `size`, its (x, y, width, height)), like `random_crop`."""
    h, w, _ = src.shape
    new_w, new_h = scale_down((w, h), size)
    box = int((w - new_w) / 2), int((h - new_h) / 2), new_w, new_h
    return _cropped(src, box, size, interp)


def random_size_crop(
    src: NDArray,
    size: Size,
    area: float | tuple[float, float],
    ratio: tuple[float, float],
    interp: int = 2,
) -> tuple[NDArray, Box]:
    """Return (a part of random size and place, resized to `size`; its (x, y, width, height)).

    Its share of the area is drawn from `area` (a number: from there to 1), the logarithm of width /
    height from that of `ratio`. Where ten draws do not fit, the middle part is taken.
    """
    h, w, _ = src.shape
    low, high = (area, 1.0) if isinstance(area, (int, float)) else area
    for _ in range(10):
        target = random.uniform(low, high) * (h * w)
        shape = float(np.exp(random.uniform(*np.log(ratio))))
        new_w, new_h = round(math.sqrt(target * shape)), round(math.sqrt(target / shape))
        if new_w <= w and new_h <= h:
            x0 = random.randint(0, w - new_w)
            return _cropped(src, (x0, random.randint(0, h - new_h), new_w, new_h), size, interp)
    return center_crop(src, size, interp)


def _fitting(angles: NDArray, height: int, width: int, outside: bool) -> NDArray:
    """Return the factor by which a turned grid must be scaled so that the whole image is seen, or
    only the image.
    """
    corner, slope = math.hypot(height, width), math.atan(height / width)
    turned = [nd.abs(angles), -nd.abs(angles)]
    most_x = nd.maximum(*(nd.abs(corner * nd.cos(slope + a)) for a in turned))
    most_y = nd.maximum(*(nd.abs(corner * nd.sin(slope + a)) for a in turned))
    if outside:
        return nd.maximum(most_x / width, most_y / height)
    return nd.minimum(width / most_x, height / most_y)


def imrotate(
    src: NDArray,
    rotation_degrees: NDArray | float,
    zoom_in: bool = False,
    zoom_out: bool = False,
) -> NDArray:
    """Turn float32 images (channels, height, width), or a batch of them, around their middle.

    A batch takes one angle, or one for each image. What comes from outside is 0; `zoom_in` enlarges
    until nothing does, `zoom_out` shrinks until the whole image is seen. Raises ValueError for both
    or for another number of angles, TypeError for another dtype.
    """
    if zoom_in and zoom_out:
        raise ValueError("`zoom_in` and `zoom_out` cannot be both True")
    if src.dtype != np.float32:
        raise TypeError("Only `float32` images are supported by this function")
    if src.ndim not in (3, 4):
        raise ValueError("Only 3D and 4D are supported by this function")
    if src.ndim == 3:
        if isinstance(rotation_degrees, NDArray):
            raise TypeError(
                "When a single image is passed the rotation angle is required to be a scalar."
            )
        return imrotate(src.expand_dims(axis=0), rotation_degrees, zoom_in, zoom_out)[0]
    count, _, height, width = src.shape
    degrees = rotation_degrees
    if not isinstance(degrees, NDArray):
        degrees = nd.full((count,), degrees)
    if len(degrees) != count:
        raise ValueError("The number of images must be equal to the number of rotation angles")
    angles = (degrees * (math.pi / 180)).reshape((-1, 1, 1))
    half_x, half_y = (width - 1) / 2, (height - 1) / 2
    x = (nd.arange(width) - half_x).reshape((1, 1, -1))
    y = (nd.arange(height) - half_y).reshape((1, -1, 1))
    cos, sin = nd.cos(angles), nd.sin(angles)
    scale = (
        _fitting(angles, height, width, zoom_out) if zoom_in or zoom_out else nd.ones_like(angles)
    )
    grid = nd.stack(
        nd.broadcast_mul((x * cos - y * sin) / half_x, scale),
        nd.broadcast_mul((x * sin + y * cos) / half_y, scale),
        axis=1,
    )
    return nd.BilinearSampler(src, grid.as_in_context(src.context))


def random_rotate(
    src: NDArray,
    angle_limits: tuple[float, float],
    zoom_in: bool = False,
    zoom_out: bool = False,
) -> NDArray:
    """Turn images by angles of U(limits), which NumPy's global generator draws, as in MXNet."""
    if src.ndim == 3:
        return imrotate(src, float(np.random.uniform(*angle_limits)), zoom_in, zoom_out)  # noqa: NPY002
    angles = nd.array(np.random.uniform(*angle_limits, size=src.shape[0]))  # noqa: NPY002
    return imrotate(src, angles, zoom_in, zoom_out)


def color_normalize(
    src: NDArray, mean: NDArray | float | None, std: NDArray | float | None = None
) -> NDArray:
    """Return (x - mean) / std."""
    centered = src if mean is None else src - mean
    return centered if std is None else centered / std


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
