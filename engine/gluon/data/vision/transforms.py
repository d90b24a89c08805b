"""Transforms of images, as blocks (MXNet: gluon/data/vision/transforms.py).

Images are (height, width, channels) before `ToTensor` and (channels, height, width) after it.
`RandomResizedCrop` and `RandomApply` draw from Python's generator and `RandomRotation` from NumPy's,
as in MXNet; the others from the ambient stream. In a DataLoader with workers, which draw comes first
depends on the workers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence as Several
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.engine import image
from initlab.engine.arrays import DType
from initlab.engine.gluon.block import Block
from initlab.engine.gluon.hybrid_block import HybridBlock
from initlab.engine.gluon.nn import HybridSequential, Sequential
from initlab.engine.nd import NDArray
from initlab.lazy import suggesting

Limits = tuple[float, float]

__all__ = [
    "Cast",
    "CenterCrop",
    "Compose",
    "CropResize",
    "Normalize",
    "RandomApply",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomFlipLeftRight",
    "RandomFlipTopBottom",
    "RandomHue",
    "RandomLighting",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSaturation",
    "Resize",
    "Rotate",
    "ToTensor",
]


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


class Compose(Sequential):
    """Transforms one after the other; hybrid ones in a row become one HybridSequential."""

    def __init__(self, transforms: Several[Block]) -> None:
        super().__init__()
        row: list[Block] = []
        for transform in [*transforms, None]:
            if isinstance(transform, HybridBlock):
                row.append(transform)
                continue
            if len(row) > 1:
                joined = HybridSequential()
                joined.add(*row)
                self.add(joined)
            elif row:
                self.add(row[0])
            row = []
            if transform is not None:
                self.add(transform)


class Cast(HybridBlock):
    """Convert to a dtype."""

    def __init__(self, dtype: DType = "float32") -> None:
        super().__init__()
        self._dtype = dtype

    def hybrid_forward(self, F: Any, x: NDArray) -> NDArray:
        """Return the image in the dtype."""
        return x.astype(self._dtype)


class ToTensor(HybridBlock):
    """Convert bytes (…, height, width, channels) to float32 (…, channels, height, width) of 0 … 1."""

    def hybrid_forward(self, F: Any, x: NDArray) -> NDArray:
        """Return the image as a tensor."""
        result: NDArray = F.image.to_tensor(x)
        return result


class _Applied(HybridBlock):
    """A function of `nd.image` with fixed arguments."""

    function: str

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        self._arguments = arguments

    def hybrid_forward(self, F: Any, x: NDArray) -> NDArray:
        """Return the changed image."""
        result: NDArray = getattr(F.image, self.function)(x, *self._arguments)
        return result


class Normalize(_Applied):
    """(x - mean) / std for (…, channels, height, width), with a number for each channel."""

    function = "normalize"

    def __init__(
        self, mean: float | tuple[float, ...] = 0.0, std: float | tuple[float, ...] = 1.0
    ) -> None:
        super().__init__(mean, std)


class Resize(_Applied):
    """Another size: (width, height), or one number for both; with `keep_ratio` that of the shorter
    side.
    """

    function = "resize"

    def __init__(
        self, size: int | tuple[int, int], keep_ratio: bool = False, interpolation: int = 1
    ) -> None:
        super().__init__(size, keep_ratio, interpolation)


class CropResize(HybridBlock):
    """The part of `width` and `height` at column x and row y, resized to `size` if given."""

    def __init__(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        size: int | tuple[int, int] | None = None,
        interpolation: int | None = None,
    ) -> None:
        super().__init__()
        self._box = (x, y, width, height)
        self._size = size
        self._interpolation = 1 if interpolation is None else interpolation

    def hybrid_forward(self, F: Any, x: NDArray) -> NDArray:
        """Return the part."""
        part: NDArray = F.image.crop(x, *self._box)
        return F.image.resize(part, self._size, False, self._interpolation) if self._size else part


class CenterCrop(Block):
    """The middle part of `size` (width, height); where the image is smaller, enlarged."""

    def __init__(self, size: int | tuple[int, int], interpolation: int = 1) -> None:
        super().__init__()
        self._arguments = _pair(size), interpolation

    def forward(self, x: NDArray) -> NDArray:
        """Return the middle part."""
        return image.center_crop(x, *self._arguments)[0]


class RandomResizedCrop(Block):
    """A part of random size and place, resized to `size` (see `image.random_size_crop`)."""

    def __init__(
        self,
        size: int | tuple[int, int],
        scale: float | Limits = (0.08, 1.0),
        ratio: Limits = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: int = 1,
    ) -> None:
        super().__init__()
        self._arguments = _pair(size), scale, ratio, interpolation

    def forward(self, x: NDArray) -> NDArray:
        """Return a random part."""
        return image.random_size_crop(x, *self._arguments)[0]


class Rotate(Block):
    """Turn float32 images (channels, height, width) by an angle in degrees (see `image.imrotate`)."""

    def __init__(
        self, rotation_degrees: float, zoom_in: bool = False, zoom_out: bool = False
    ) -> None:
        super().__init__()
        self._arguments = rotation_degrees, zoom_in, zoom_out

    def forward(self, x: NDArray) -> NDArray:
        """Return the turned image. Raises TypeError for another dtype."""
        _check_float32(x)
        return image.imrotate(x, *self._arguments)


class RandomRotation(Block):
    """Turn float32 images by a random angle within limits, with a probability.

    Raises ValueError unless the limits rise and the probability is within 0 and 1.
    """

    def __init__(
        self,
        angle_limits: Limits,
        zoom_in: bool = False,
        zoom_out: bool = False,
        rotate_with_proba: float = 1.0,
    ) -> None:
        super().__init__()
        if angle_limits[0] >= angle_limits[1]:
            raise ValueError("`angle_limits` must be an ordered tuple")
        if not 0 <= rotate_with_proba <= 1:
            raise ValueError("Probability of rotating the image should be between 0 and 1")
        self._arguments = angle_limits, zoom_in, zoom_out
        self._rotate_with_proba = rotate_with_proba

    def forward(self, x: NDArray) -> NDArray:
        """Return the turned image, or the image itself. Raises TypeError for another dtype."""
        if np.random.random() > self._rotate_with_proba:  # noqa: NPY002
            return x
        _check_float32(x)
        return image.random_rotate(x, *self._arguments)


def _check_float32(x: NDArray) -> None:
    if x.dtype != np.float32:
        raise TypeError(
            "This transformation only supports float32. Consider calling it after ToTensor"
        )


class RandomFlipLeftRight(_Applied):
    """Reverse the columns with probability 1/2."""

    function = "random_flip_left_right"

    def __init__(self) -> None:
        super().__init__()


class RandomFlipTopBottom(_Applied):
    """Reverse the rows with probability 1/2."""

    function = "random_flip_top_bottom"

    def __init__(self) -> None:
        super().__init__()


class _Factor(_Applied):
    """A change by a factor of U[max(0, 1 - width), 1 + width)."""

    def __init__(self, width: float) -> None:
        super().__init__(max(0, 1 - width), 1 + width)


class RandomBrightness(_Factor):
    """Multiply by a factor of U[max(0, 1 - brightness), 1 + brightness)."""

    function = "random_brightness"

    def __init__(self, brightness: float) -> None:
        super().__init__(brightness)


class RandomContrast(_Factor):
    """Multiply the distance from the mean grey by a factor of U[max(0, 1 - contrast), 1 + contrast)."""

    function = "random_contrast"

    def __init__(self, contrast: float) -> None:
        super().__init__(contrast)


class RandomSaturation(_Factor):
    """Multiply the distance from grey by a factor of U[max(0, 1 - saturation), 1 + saturation)."""

    function = "random_saturation"

    def __init__(self, saturation: float) -> None:
        super().__init__(saturation)


class RandomHue(_Factor):
    """Turn the hue by a part of the circle of U[-hue, hue)."""

    function = "random_hue"

    def __init__(self, hue: float) -> None:
        super().__init__(hue)


class RandomColorJitter(_Applied):
    """Change brightness, contrast, saturation and hue at random, in random order."""

    function = "random_color_jitter"

    def __init__(
        self,
        brightness: float = 0,
        contrast: float = 0,
        saturation: float = 0,
        hue: float = 0,
    ) -> None:
        super().__init__(brightness, contrast, saturation, hue)


class RandomLighting(_Applied):
    """Add ImageNet's principal colors, times numbers of N(0, alpha^2)."""

    function = "random_lighting"

    def __init__(self, alpha: float) -> None:
        super().__init__(alpha)


class RandomApply(Sequential):
    """Apply a transform with probability p."""

    def __init__(self, transforms: Block, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, x: NDArray) -> NDArray:
        """Return the changed image, or the image itself."""
        if self.p < random.random():
            return x
        result: NDArray = self.transforms(x)
        return result


if not TYPE_CHECKING:
    __getattr__ = suggesting(__name__)
