"""Elementary functions of a number, for claims."""

from __future__ import annotations

import math

from initlab.engine.options import positive
from initlab.runner.theory.forms import closed_form


@closed_form
def log(value: float) -> float:
    """Return the natural logarithm. Raises OptionError unless `value` is positive.

    Formula: ln(value)

    Source: a loss of equal scores for n classes is ln(n).

    Example: {form: log, value: 10}
    """
    return math.log(positive("value", value))
