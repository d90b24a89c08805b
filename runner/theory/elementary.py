"""Elementary functions of a number, for claims."""

from __future__ import annotations

import math

from initlab.engine.options import positive
from initlab.runner.theory.forms import closed_form


@closed_form
def log(value: float) -> float:
    """Return the natural logarithm. Raises OptionError unless `value` is positive."""
    return math.log(positive("value", value))
