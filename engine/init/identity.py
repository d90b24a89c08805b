"""The initializer of layers that begin as the identity."""

from __future__ import annotations

from dataclasses import dataclass

from initlab.engine import laws
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.options import Finite


@register
@dataclass(eq=False, repr=False)
class Identity(Initializer):
    """A multiple of the identity, for convolutions at the centre tap of the kernel. Each group of a
    convolution, and each gate of a recurrent layer, has its own diagonal.

    Keras: `Identity`; torch: `nn.init.eye_` and `nn.init.dirac_`. The centre tap of a kernel of
    length k is (k - 1) // 2; for an even k, `dirac_` takes the next one.

    Formula: w_ij = gain if i = j, else 0

    Source: Le, Jaitly and Hinton, "A simple way to initialize recurrent networks of rectified
    linear units", 2015.

    Example: initlab init=identity init.gain=0.5
    """

    gain: Finite = 1.0
    """The number on the diagonal."""

    def law(self, description: Description) -> laws.Law:
        """Return Structured('identity', gain), its axes and blocks from the roles.

        Raises ValueError for a vector.
        """
        if len(description.shape) < 2:
            raise ValueError(
                f"Identity initializer cannot be applied to vector {description.name}. It requires at "
                "least 2D."
            )
        channels, blocks = description.channels
        return laws.Structured("identity", self.gain, channels, blocks)
