"""The initializer of convolutions before a pixel shuffle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.init.base import Initializer, create, register
from initlab.engine.init.description import Description
from initlab.engine.init.fan_scaled import He
from initlab.engine.options import Count, Told


@register
@dataclass(eq=False, repr=False)
class Icnr(Initializer):
    """Sub-kernels that `init` draws, each used for several outputs in a row: for the convolution
    whose output goes into a pixel shuffle. The network then begins as nearest-neighbour
    interpolation, without checkerboard artifacts.

    A sub-kernel is used for `upscale`^n outputs, where n is the number of the kernel's axes. `init`
    alone fills every other weight. In a declared network the convolutions are found; between them
    and the shuffle there may be activations and normalizations of each channel. In a program choose
    Icnr for the layer (`weight_initializer=`): there it fills every convolution that it is given.

    Source: Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017
    (arXiv:1707.02937), section 2.

    Example:
        input: [3, 8, 8]
        layers:
          - {kind: conv2d, channels: 12, kernel_size: 3, weight_initializer: icnr}
          - {kind: pixel_shuffle, factor: 2}
    """

    upscale: Count = 2
    """The factor of the pixel shuffle."""
    init: Annotated[Any, Told("an initializer: its name, or {kind: …, and its options}")] = "he"
    """What draws the sub-kernels and all other weights."""

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            self.init = He() if self.init == "he" else create(self.init)
        except AssertionError as error:
            raise OptionError(
                "init", f"must be an initializer or the name of one, got {self.init!r}: {error}"
            ) from None

    def needs_network(self) -> bool:
        """Return whether `init` does."""
        return bool(self.init.needs_network())

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Check that one of the parameters is a convolution that goes into a pixel shuffle.

        Raises OptionError if none is.
        """
        if parameters and all(one.shuffle == () for one in parameters):
            kernels = [one for one in parameters if _axes(one)]
            example = f" ('{kernels[0].structural_path}' does not)" if kernels else ""
            raise OptionError(
                "kind",
                f"is icnr, but no convolution that it fills goes into a pixel shuffle{example} - "
                "choose the initializer that is its init",
            )
        return []

    def check_own(self, parameter: Description) -> None:
        """Raise ValueError for a layer whose output goes into no pixel shuffle."""
        if parameter.shuffle == ():
            raise ValueError(
                "its output goes into no pixel shuffle, which icnr is for - choose the initializer "
                "that is its init"
            )

    def law(self, description: Description) -> laws.Law:
        """Return Repeated(the law of the sub-kernels, upscale^n), or the law of `init`.

        Raises ValueError if the shuffle has another factor, or the outputs do not divide.
        """
        axes = _axes(description)
        if axes == 0 or description.shuffle == ():
            own: laws.Law = self.init.law(description)
            return own
        if description.shuffle not in (None, (self.upscale,) * axes):
            raise ValueError(
                f"{description.name}: its output goes into a pixel shuffle by {description.shuffle}, "
                f"but upscale is {self.upscale}"
            )
        times = self.upscale**axes
        outputs = description.shape[0]
        first = description.roles[0] if description.roles else "out"
        if first != "out" or outputs % times:
            said = (
                f"its axis 0, {first} of {outputs}, must run over outputs and divide by "
                f"{self.upscale}^{axes}"
            )
            raise ValueError(f"{description.name}: {said}")
        inner = replace(description, shape=(outputs // times, *description.shape[1:]))
        law = laws.Repeated(self.init.law(inner), times)
        law.check_shape(description.shape)
        return law


def _axes(description: Description) -> int:
    """Return the number of the kernel's axes; without roles, those after the second."""
    if description.roles is None:
        return max(0, len(description.shape) - 2)
    return description.roles.count("spatial")
