"""Recomputation of a run's parameters, and the tolerance for laws that are not exact to the bit."""

from __future__ import annotations

import numpy as np

from initlab.engine import digest
from initlab.engine.laws import Invariant
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig
from initlab.runner.run import stages, streamed

TOLERANCE = 1e-5
"""Largest absolute difference between two machines' values of a law that passes through LAPACK,
relative to the largest value.
"""


class Recomputed:
    """A run's parameters, drawn again in the same mode: all in memory, or for a streamed run one by
    one.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        if config.init_mode == "streamed":
            self._digests: dict[str, str] = streamed.recompute(config)
            self._values: dict[str, np.ndarray] = {}
        else:
            self._values = stages.host_values(stages.initialize(config)[0])
            self._digests = {
                path: digest.tensor_digest(values).hex() for path, values in self._values.items()
            }

    def digest(self, path: str) -> str:
        """Return the tensor-v1 digest in hex."""
        return self._digests[path]

    def values(self, row: Row) -> np.ndarray:
        """Return the values."""
        return (
            self._values[row.path] if row.path in self._values else streamed.draw(self._config, row)
        )


def compare_within(
    path: str, values: np.ndarray, saved: np.ndarray, invariants: list[Invariant]
) -> tuple[str | None, float]:
    """Compare values with saved ones to a tolerance.

    Returns (what is wrong, or None; the largest absolute difference).
    """
    distance = float(np.abs(values.astype(np.float64) - saved.astype(np.float64)).max(initial=0.0))
    wrong = first_violation(path, invariants)
    if wrong is not None:
        return wrong, distance
    allowed = tolerance(saved.dtype.name) * float(np.abs(saved.astype(np.float64)).max(initial=1.0))
    if distance > allowed:
        return (
            f"parameter '{path}': recomputed values differ by {distance:.3g} at most, {allowed:.3g} "
            "is allowed",
            distance,
        )
    return None, distance


def first_violation(path: str, invariants: list[Invariant]) -> str | None:
    """Return one line about the first invariant that does not hold, or None."""
    for invariant in invariants:
        if not invariant.ok:
            return (
                f"parameter '{path}': {invariant.name} is {invariant.value:.3g}, at most "
                f"{invariant.bound:.3g} is allowed"
            )
    return None


def tolerance(dtype: str) -> float:
    """Return the largest difference allowed, relative to the largest value or 1.

    It is TOLERANCE, or two roundings of the dtype if that is more.
    """
    return max(TOLERANCE, 2 * {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 2.0**-23))
