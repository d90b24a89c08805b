"""Initializers with random orthogonal matrices: Haar matrices, Haar matrices at the centre of a
convolution's kernel, and Gluon's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from initlab.engine import laws
from initlab.engine.errors import OptionError
from initlab.engine.init.base import Initializer, register
from initlab.engine.init.description import Description
from initlab.engine.options import Positive, choice


def stacked(description: Description) -> int:
    """Return the number of blocks (gates, groups) of axis 0 that need an orthogonal matrix each.

    It is 1 for a stack that is not taller than wide: all its rows are orthonormal then, so those of
    each block are.
    """
    tall = len(description.shape) > 1 and description.shape[0] > math.prod(description.shape[1:])
    return description.blocks if tall else 1


def _checked(law: laws.Law, description: Description) -> laws.Law:
    """Return the law, if it can fill the parameter.

    Raises ValueError for a vector, LawError for an empty axis.
    """
    if len(description.shape) < 2:
        raise ValueError(
            f"Orthogonal initializer cannot be applied to vector {description.name}. It requires at least 2D."
        )
    law.check_shape(description.shape)
    return law


@register
@dataclass(eq=False, repr=False)
class Haar(Initializer):
    """A multiple of a uniformly random orthogonal matrix of shape (axis 0, product of the other
    axes).

    The shorter side is orthonormal, and every direction is equally likely. Each gate of a recurrent
    layer, each of packed queries, keys and values, and each group of a convolution is orthogonal by
    itself. torch: `nn.init.orthogonal_`. In a config: `orthogonal`.

    Formula: W = scale Q with Q^T Q = 1

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014 (arXiv:1312.6120).

    Example: initlab init=orthogonal init.scale=1.414
    """

    kind: ClassVar[str] = "orthogonal"
    scale: Positive = 1.0
    """All singular values."""
    exact: bool = False
    """Whether the same bits are drawn on every machine, without LAPACK; affordable up to about 1024
    x 1024.
    """

    def law(self, description: Description) -> laws.Law:
        """Return Haar(scale). Raises ValueError for a vector, LawError for an empty axis."""
        law = laws.Haar(self.scale, self.exact, blocks=stacked(description))
        return _checked(law, description)


def _roles_of(description: Description) -> tuple[str, ...]:
    """Return the axis roles, or without any those of MXNet's layout (out, in, *kernel)."""
    return description.roles or ("out", "in", *["spatial"] * (len(description.shape) - 2))


@register
@dataclass(eq=False, repr=False)
class DeltaOrthogonal(Initializer):
    """A multiple of a Haar matrix (outputs, inputs) at the centre tap of a convolution's kernel,
    and 0 elsewhere.

    Each group needs at least as many outputs as inputs. A weight without a kernel gets the same
    values as with `Haar`, whichever side is longer. TensorFlow: `ConvolutionDeltaOrthogonal`.

    Source: Xiao et al., "Dynamical isometry and a mean field theory of CNNs", 2018
    (arXiv:1806.05393).

    Example: initlab init=delta_orthogonal model=lenet
    """

    scale: Positive = 1.0
    """All singular values."""
    exact: bool = False
    """Whether the same bits are drawn on every machine, without LAPACK; affordable up to about 1024
    x 1024.
    """

    def check_parameters(self, parameters: Sequence[Description]) -> list[str]:
        """Raise OptionError if it fills weights, and none of them has a kernel."""
        weights = [one for one in parameters if len(one.shape) > 1]
        if weights and not any("spatial" in _roles_of(one) for one in weights):
            said = "is delta_orthogonal, but it fills no convolution - choose orthogonal"
            raise OptionError("kind", said)
        return []

    def check_own(self, parameter: Description) -> None:
        """Raise ValueError for a weight without a kernel."""
        if "spatial" not in _roles_of(parameter):
            raise ValueError("delta_orthogonal is for convolutions - choose orthogonal")

    def law(self, description: Description) -> laws.Law:
        """Return DeltaOrthogonal(scale), or Haar(scale) if the parameter has no kernel.

        Channel axes and groups follow from the roles; without roles, from MXNet's layout (out, in,
        *kernel). Raises ValueError for a vector and for other roles, LawError for a kernel with
        fewer outputs than inputs.
        """
        roles = _roles_of(description)
        names = [role.partition("*")[0] for role in roles]
        if "spatial" not in names or len(description.shape) < 2:
            return Haar(self.scale, self.exact).law(description)
        if sorted(names) != ["in", "out", *["spatial"] * (len(names) - 2)] or any(
            "*" in role for role in roles[1:]
        ):
            raise ValueError(
                f"{description.name}: a delta-orthogonal kernel has one axis of outputs and one of inputs, "
                f"not {roles}"
            )
        law = laws.DeltaOrthogonal(
            self.scale, self.exact, names.index("out"), names.index("in"), description.blocks
        )
        return _checked(law, description)


@register
@dataclass(eq=False, repr=False)
class Orthogonal(Initializer):
    """The singular vectors of a matrix of noise, times `scale`. MXNet: `Orthogonal`.

    The shorter side is orthonormal, but not every direction is equally likely; use `Haar` for that.
    In a config: `gluon_orthogonal`.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=gluon_orthogonal init.rand_type=normal
    """

    kind: ClassVar[str] = "gluon_orthogonal"
    scale: Positive = 1.414
    """All singular values."""
    rand_type: Annotated[str, choice("uniform normal")] = "uniform"
    """The noise: uniform on [-1, 1), or normal."""

    def law(self, description: Description) -> laws.Law:
        """Return SingularVectors(scale, rand_type). Raises ValueError for a vector, LawError for an
        empty axis.
        """
        return _checked(laws.SingularVectors(self.scale, self.rand_type), description)
