"""What is measured of a parameter's first values: a dataclass whose `measure` gives one row of figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.laws import Law
from engine.registry import Registry
from runner.kinds import registrar

REGISTRY: Registry[type[Statistic]] = Registry("statistic")


@dataclass
class Statistic:
    """Base of all statistics."""

    kind: ClassVar[str] = ""

    def measure(self, values: np.ndarray, law: Law) -> dict[str, Any]:
        """Column -> figure, for values of any dtype and shape that were drawn from `law`. JSON types only."""
        raise NotImplementedError(f"statistic '{self.kind}' defines no measure")


register = registrar(REGISTRY, Statistic)
"""Makes a dataclass derived from `Statistic` a statistic under its snake-case name."""
