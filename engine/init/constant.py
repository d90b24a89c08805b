"""Initializers without randomness that give every element the same number, or those of an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.engine import laws, nd
from initlab.engine.errors import OptionError
from initlab.engine.init.base import Initializer, alias, register
from initlab.engine.init.description import Description
from initlab.engine.options import finite

ZERO, ONE = laws.Constant(0), laws.Constant(1)


@register
@alias("zeros")
@dataclass(eq=False, repr=False)
class Zero(Initializer):
    """Every element 0. MXNet: `Zero`, `'zeros'`."""

    def law(self, description: Description) -> laws.Law:
        """Constant(0)."""
        return ZERO


@register
@alias("ones")
@dataclass(eq=False, repr=False)
class One(Initializer):
    """Every element 1. MXNet: `One`, `'ones'`."""

    def law(self, description: Description) -> laws.Law:
        """Constant(1)."""
        return ONE


@register
@dataclass(eq=False, repr=False)
class Constant(Initializer):
    """Every element `value`: a number, or an array (nested lists do) that broadcasts to the
    parameter's shape. MXNet: `Constant`.
    """

    value: Any

    def __post_init__(self) -> None:
        value = self.value.asnumpy() if isinstance(self.value, nd.NDArray) else self.value
        self.value = (
            _checked_array(value)
            if isinstance(value, (list, tuple, np.ndarray))
            else finite("value", value)
        )

    def law(self, description: Description) -> laws.Law:
        """Constant(value). LawError where the array does not fit the shape."""
        law = laws.Constant(self.value)
        law.check_shape(description.shape)
        return law


def _checked_array(value: Any) -> Any:
    """The array as nested lists of numbers."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise OptionError(
            "value",
            f"must be a number or an array of numbers, got rows of unequal length {value!r}",
        ) from None
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise OptionError("value", f"must be a number or an array of finite numbers, got {value!r}")
    return array.tolist()
