"""Recomputation of a run's parameters, and the tolerance for laws that are not exact to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from initlab.engine import digest, streams
from initlab.engine.laws import Invariant
from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.plan.network import Network
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig
from initlab.runner.progress import steps_of
from initlab.runner.run import stages, streamed
from initlab.runner.stats.meter import Meter

Figures = dict[str, object]
SPACING = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
"""The distance of 1 from the next number, by dtype."""
TOLERANCE = 1e-5
"""Largest absolute difference between two machines' values of a law that passes through LAPACK,
relative to the largest value.
"""


@dataclass(frozen=True)
class Measured:
    """The statistics of a run, and its diagnosis if it is to be made again."""

    statistics: Statistics
    diagnosis: Diagnosis | None


class Again(Protocol):
    """What was measured of a run, measured again."""

    def measured(self, snapshot: Path | None) -> Measured:
        """Return it; `snapshot` is the file of the run's values, if one was kept."""

    def disturbed(self, snapshot: Path | None, number: int) -> Measured:
        """Return it as it would be if each first value had another rounding error."""


class Recomputed:
    """A run's parameters, drawn again in the same mode: all in memory, or for a streamed run one by
    one. With `measured`, a streamed pass measures them too.
    """

    def __init__(self, config: RunConfig, measured: bool = False) -> None:
        self._config = config
        self._rows: dict[str, Figures] = {}
        self._network: Network | None = None
        if config.init_mode == "streamed":
            stats = list(config.stats.values())
            meter = (lambda row: Meter(stats, row)) if measured else None
            drawn = streamed.recompute(config, meter)
            self._digests = {one.path: one.digest for one in drawn}
            self._rows = {one.path: one.row for one in drawn}
            self._values: dict[str, np.ndarray] = {}
        else:
            self._network = stages.initialize(config)[0]
            self._values = stages.host_values(self._network)
            self._digests = {
                path: digest.tensor_digest(values).hex() for path, values in self._values.items()
            }

    def measured(self, snapshot: Path | None) -> Measured:
        """Return what was measured of the run, measured again; once only, since a probe may train the
        network.

        A streamed run's probe reads the values from its `snapshot`.
        """
        config = self._config
        if config.init_mode == "streamed":
            rows = self._rows | stages.large_figures(config, snapshot)
            network = stages.network_of(config, snapshot)
        else:
            rows = stages.measure(config, self._values)
            network, self._network = self._network, None
        return measured_again(config, rows, network)

    def disturbed(self, snapshot: Path | None, number: int) -> Measured:
        """Return the same as it would be if each first value had another rounding error.

        `number` chooses the errors. The figures of parameters whose law is exact to the bit are
        those of the undisturbed values.
        """
        config = self._config
        if config.init_mode == "streamed":
            network = stages.network_of(config, snapshot)
            if network is not None:
                disturb(network, config, number)
            return measured_again(
                config, self._rows | stages.large_figures(config, snapshot), network
            )
        network = stages.initialize(config)[0]
        disturb(network, config, number)
        moved = stages.host_values(network)
        loose = {row.path: moved[row.path] for row in config.rows if row.law.exactness != "bits"}
        rows = stages.measure(config, self._values | loose)
        return measured_again(config, rows, network)

    def digest(self, path: str) -> str:
        """Return the tensor-v1 digest in hex."""
        return self._digests[path]

    def values(self, row: Row) -> np.ndarray:
        """Return the values."""
        return (
            self._values[row.path] if row.path in self._values else streamed.draw(self._config, row)
        )


def disturb(network: Network, config: RunConfig, number: int) -> None:
    """Give every value of the network another rounding error: it is multiplied by 1 + e or 1 - e,
    where e is the distance of 1 from the next number of its dtype.
    """
    for path, parameter in network.owners.items():
        values = parameter.data().asnumpy()
        words = streams.words(streams.Key(number, f"@rounding/{path}"), 0, values.size)
        signs = np.where(words & np.uint32(1), 1.0, -1.0).reshape(values.shape)
        step = SPACING.get(values.dtype.name, 0.0)
        with np.errstate(all="ignore"):
            moved = (values.astype(np.float64) * (1 + step * signs)).astype(values.dtype)
        parameter.adopt(moved, config.device)


def measured_again(
    config: RunConfig, rows: dict[str, Figures], network: Network | None
) -> Measured:
    """Return what is measured of a network, and the figures of its parameters."""
    with steps_of(f"probe {config.probe.kind} again") as shown:
        trace, sections, diagnosis = stages.examine(config, network, shown)
    return Measured(stages.statistics_of(config, rows, trace, sections), diagnosis)


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
    return max(TOLERANCE, 2 * SPACING.get(dtype, 0.0))
