"""Functions of a number, for claims about the figures of others."""

from __future__ import annotations

import math

from initlab.engine.options import positive
from initlab.runner.theory.forms import closed_form


@closed_form
def log(value: float) -> float:
    """The natural logarithm of a number. OptionError unless it is positive."""
    return math.log(positive("value", value))
