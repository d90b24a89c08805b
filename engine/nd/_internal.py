"""Operators under the names that MXNet's own Python code gives them, for code that was copied from it:
`F._internal._plus(x, y, name=…)`.
"""

from __future__ import annotations

from initlab.engine.nd import arithmetic as arithmetic
from initlab.engine.nd.operator import OPERATORS

_plus = OPERATORS["elemwise_add"]
_minus = OPERATORS["elemwise_sub"]
_mul = OPERATORS["elemwise_mul"]
_div = OPERATORS["elemwise_div"]
