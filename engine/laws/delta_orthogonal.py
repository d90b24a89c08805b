"""Convolution kernels that keep lengths: an orthogonal matrix at the centre tap and zeros around
it.

Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington, "Dynamical isometry and a mean field theory
of CNNs", 2018. With stride 1 and circular padding such a convolution multiplies the length of every
input by `gain`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from initlab.engine.errors import LawError
from initlab.engine.laws.base import Invariant
from initlab.engine.laws.factor import gram_invariant
from initlab.engine.laws.haar import Haar
from initlab.engine.streams import Key


@dataclass(frozen=True)
class DeltaOrthogonal(Haar):
    """A multiple of a Haar matrix (outputs, inputs) with orthonormal columns at the centre tap of a
    kernel, 0 elsewhere.

    The centre tap is (k - 1) // 2 for each kernel length k. Axes that are not the channels' are the
    kernel's. Matrix g of o x i is the factor of the stream's elements g o i … (g + 1) o i - 1.

    Source: Xiao et al., "Dynamical isometry and a mean field theory of CNNs", 2018
    (arXiv:1806.05393).

    Example: {kind: delta_orthogonal, gain: 1}
    """

    out_axis: int = 0
    """The axis of the outputs."""
    in_axis: int = 1
    """The axis of the inputs."""
    groups: int = 1
    """Into how many independent groups axis 0 is divided, each with its own matrix, so that the
    whole kernel keeps lengths.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        axes = (self.out_axis, self.in_axis)
        whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (*axes, self.groups))
        if (
            not whole
            or min(axes) < 0
            or axes[0] == axes[1]
            or self.groups < 1
            or self.blocks != 1
            or (self.groups > 1 and 0 not in axes)
        ):
            raise LawError(
                f"delta orthogonal: no kernel has out_axis {axes[0]!r}, in_axis {axes[1]!r} and "
                f"{self.groups!r} groups"
            )

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise LawError unless the shape has both channel axes, no empty axis, a multiple of
        `groups` outputs, and in each group at least as many outputs as inputs.
        """
        who = f"a delta-orthogonal kernel cannot have shape {shape}"
        if len(shape) <= max(self.out_axis, self.in_axis):
            raise LawError(f"{who}: its channels are axes {self.out_axis} and {self.in_axis}")
        if 0 in shape:
            raise LawError(f"{who}: an axis is empty")
        if shape[0] % self.groups:
            raise LawError(f"{who}: its axis 0 does not divide into {self.groups} groups")
        outputs, inputs = self._channels(shape)
        if outputs < inputs:
            each = " of each group" if self.groups > 1 else ""
            raise LawError(
                f"{who}: {outputs} outputs cannot hold {inputs} inputs{each} without loss of length - give "
                f"the layer at least {inputs} "
                "outputs, or use `orthogonal` for it"
            )

    def _channels(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """(outputs, inputs) of one group."""
        outputs, inputs = (
            shape[axis] // (self.groups if axis == 0 else 1)
            for axis in (self.out_axis, self.in_axis)
        )
        return outputs, inputs

    def _later(self, key: Key, shape: tuple[int, ...], first: int, dtype: np.dtype) -> np.ndarray:
        outputs, inputs = self._channels(shape)
        gaussian = self._gaussian(key, first, self.groups * outputs * inputs, dtype).reshape(
            self.groups, outputs, inputs
        )
        values = np.zeros(shape, gaussian.dtype)
        self._fill_factors(gaussian, self._matrices(values))
        return self.check_invariants(values).reshape(-1)

    def _matrices(self, values: np.ndarray) -> np.ndarray:
        """Return the centre tap as a view (groups, outputs of one, inputs of one)."""
        channels = np.moveaxis(values, (self.out_axis, self.in_axis), (0, 1))
        tap = channels[(slice(None), slice(None), *((k - 1) // 2 for k in channels.shape[2:]))]
        outputs, inputs = self._channels(values.shape)
        if self.out_axis == 0:
            return tap.reshape(self.groups, outputs, inputs)
        return tap.reshape(outputs, self.groups, inputs).swapaxes(0, 1)

    def invariants(self, values: np.ndarray) -> list[Invariant]:
        """Return the conditions: each group's columns are orthogonal and have length gain, and
        everything except the centre tap is 0.
        """
        matrices = self._matrices(values)
        around = int((values != 0).sum()) - int((matrices != 0).sum())
        outside = Invariant("elements beside the centre tap that are not 0", around, 0, around == 0)
        return [gram_invariant(np.swapaxes(matrices, -1, -2), self.gain), outside]

    def __str__(self) -> str:
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        return f"DeltaOrthogonal({self.gain:.6g}{', exact' if self.exact else ''}{groups})"
