"""Statistics of a parameter's first values. Every module in this folder is imported and registers
its statistics.
"""

from __future__ import annotations

from initlab.runner.stats.base import (
    REGISTRY,
    WHOLE,
    OnePass,
    Statistic,
    is_whole,
    measure_all,
    register,
    summary_of,
)
from initlab.runner.stats.onepass import BLOCK, Accumulator

__all__ = [
    "BLOCK",
    "REGISTRY",
    "WHOLE",
    "Accumulator",
    "OnePass",
    "Statistic",
    "is_whole",
    "measure_all",
    "register",
    "summary_of",
]
