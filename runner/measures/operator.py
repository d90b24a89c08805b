"""Singular values of convolutions as linear maps of whole images."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np

from initlab.engine import gluon
from initlab.engine.options import Rule, whole
from initlab.runner.measures.base import Findings, Measure, register, wide
from initlab.runner.probes import Subject

sizes = Rule(
    "be a list of whole numbers of at least 1, like [8, 8]",
    lambda value: (
        isinstance(value, (list, tuple)) and value != [] and all(map(whole().fits, value))
    ),
)


def _usual() -> list[int]:
    return [8, 8]


@register
@dataclass
class Operator(Measure):
    """The singular values of each ordinary convolution (one group, channels first) as a map of
    whole images.

    The convolution is taken with stride 1, no dilation and circular padding. The Fourier transform
    makes such a map block-diagonal, so its singular values are those of the kernel's transform at
    each frequency.

    Source: Sedghi, Gupta and Long, "The singular values of convolutional layers", 2019
    (arXiv:1805.10408).

    Example: initlab measure=[operator] measure.operator.size=[16,16] model=lenet
    """

    watches: ClassVar[bool] = False
    gives: ClassVar[dict[str, tuple[str, ...]]] = {
        "operator": ("largest", "smallest", "mean_square", "condition")
    }
    size: Annotated[list[int], sizes] = field(default_factory=_usual)
    """The size of the images, with as many numbers as the kernel has axes."""

    def measure(self, subject: Subject) -> Findings:
        """Return a row for each kernel (out, in, *kernel) with as many spatial axes as `size` has
        numbers.

        A kernel wider than the image wraps around it.
        """
        kernels = {
            path: wide(p.data()) for path, p in subject.parameters.items() if self._is_kernel(p)
        }
        return {
            "operator": [{"path": path, **self._row(kernel)} for path, kernel in kernels.items()]
        }

    def _is_kernel(self, parameter: gluon.Parameter) -> bool:
        roles = parameter.roles or ()
        return roles[:2] == ("out", "in") and list(roles[2:]) == ["spatial"] * len(self.size)

    def _row(self, kernel: np.ndarray) -> dict[str, Any]:
        if not np.isfinite(kernel).all():
            return dict.fromkeys(self.gives["operator"], math.nan)
        singular = operator_spectrum(kernel, self.size)
        largest, smallest = float(singular.max()), float(singular.min())
        row = {
            "largest": largest,
            "smallest": smallest,
            "mean_square": float(np.square(singular).mean()),
        }
        return row | {"condition": largest / smallest if smallest > 0 else math.inf}


def operator_spectrum(kernel: np.ndarray, size: list[int]) -> np.ndarray:
    """Return the singular values of a kernel (out, in, *kernel) on images of `size`.

    They have shape (frequencies, min(out, in)).
    """
    spatial = kernel.shape[2:]
    wrapped = np.zeros((*kernel.shape[:2], *size))
    for offset in np.ndindex(*spatial):
        place = tuple(o % n for o, n in zip(offset, size, strict=True))
        wrapped[(slice(None), slice(None), *place)] += kernel[(slice(None), slice(None), *offset)]
    axes = tuple(range(2, kernel.ndim))
    transform = np.fft.fftn(wrapped, axes=axes)
    matrices = np.moveaxis(transform, (0, 1), (-2, -1)).reshape(-1, *kernel.shape[:2])
    return np.linalg.svd(matrices, compute_uv=False)
