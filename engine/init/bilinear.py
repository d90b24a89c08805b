"""Initializers of kernels that interpolate."""

from __future__ import annotations

from dataclasses import dataclass

from initlab.engine import laws
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description


@register
@dataclass(eq=False, repr=False)
class Bilinear(Initializer):
    """The same interpolating kernel for every pair of channels, with which a transposed convolution
    upsamples bilinearly. MXNet: `Bilinear`.

    Formula: (1 - |x/f - c|)(1 - |y/f - c|) with f = ceil(width / 2) and c = (2f - 1 - f mod 2) / 2f

    Source: Long, Shelhamer and Darrell, "Fully convolutional networks for semantic segmentation",
    2015.

    Example:
        input: [3, 8, 8]
        layers:
          - kind: conv2d_transpose
            channels: 3
            kernel_size: 4
            strides: 2
            padding: 1
            weight_initializer: bilinear
    """

    def law(self, description: Description) -> laws.Law:
        """Return Structured('bilinear') over the kernel's axes: those of the roles, else the last two.

        Raises LawError unless there are 4 axes.
        """
        law = laws.Structured("bilinear", channels=description.channels[0])
        law.check_shape(description.shape)
        return law
