"""Statistics of a parameter's first values. A module dropped into this folder is found."""

from __future__ import annotations

from runner.kinds import import_modules
from runner.stats.base import REGISTRY, OnePass, Statistic, measure_all, register, summary_of

import_modules(__name__, __path__)

__all__ = ["REGISTRY", "OnePass", "Statistic", "measure_all", "register", "summary_of"]
