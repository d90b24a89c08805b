"""Initializers without randomness: one number for every element, or the elements of an array."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from initlab.engine import laws, nd
from initlab.engine.errors import OptionError
from initlab.engine.init.base import Initializer, alias, register
from initlab.engine.init.description import Description
from initlab.engine.options import finite, told


def number_or_array(option: str, value: Any) -> Any:
    """Return a number, or an array as nested lists. Raises OptionError for anything else."""
    value = value.asnumpy() if isinstance(value, nd.NDArray) else value
    if not isinstance(value, (list, tuple, np.ndarray)):
        return finite(option, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise OptionError(
            option,
            f"must be a number or an array of numbers, got rows of unequal length {value!r}",
        ) from None
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise OptionError(option, f"must be a number or an array of finite numbers, got {value!r}")
    return array.tolist()


NUMBERS = {"type": ["number", "array"]}
ZERO, ONE = laws.Constant(0), laws.Constant(1)


@register
@alias("zeros")
@dataclass(eq=False, repr=False)
class Zero(Initializer):
    """Every element 0. MXNet: `Zero`, `'zeros'`.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.
    """

    def law(self, description: Description) -> laws.Law:
        """Return Constant(0)."""
        return ZERO


@register
@alias("ones")
@dataclass(eq=False, repr=False)
class One(Initializer):
    """Every element 1. MXNet: `One`, `'ones'`.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.
    """

    def law(self, description: Description) -> laws.Law:
        """Return Constant(1)."""
        return ONE


@register
@dataclass(eq=False, repr=False)
class Constant(Initializer):
    """Every element is one number, or that of an array which broadcasts to the parameter's shape.
    MXNet: `Constant`.

    Source: MXNet 1.9.1, python/mxnet/initializer.py.

    Example: initlab init=constant init.value=0.5
    """

    value: Annotated[Any, number_or_array] = field(
        metadata=told("a number, or an array as nested lists", NUMBERS)
    )
    """A number, or an array as nested lists."""

    def law(self, description: Description) -> laws.Law:
        """Return Constant(value). Raises LawError if the array does not fit the shape."""
        law = laws.Constant(self.value)
        law.check_shape(description.shape)
        return law
