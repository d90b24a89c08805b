"""What a sweep comes to: a row for each setting, with the mean and the deviation of every figure over
the runs that differ in their seed only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from initlab.runner.evidence.diagnosed import SEVERITIES, Diagnosis, Finding
from initlab.runner.evidence.statistics import Statistics
from initlab.runner.evidence.status import COMPLETED
from initlab.runner.json_values import JSON, number

REPEATED = ("seed",)
"""Keys whose change repeats a run and makes no other setting."""
OBJECTIVE = "objective"


@dataclass
class Spread:
    """The numbers that a figure had in `count` runs: their mean, and the sum of the squares of their
    differences from it.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Add a number (Welford 1962)."""
        self.count += 1
        before = value - self.mean
        self.mean += before / self.count
        self.squares += before * (value - self.mean)

    @property
    def deviation(self) -> float | None:
        """The standard deviation, with n - 1; None of fewer than two numbers."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None


@dataclass
class Setting:
    """The runs of a sweep with the same values of everything that varies but the seed."""

    values: dict[str, str]
    runs: int = 0
    completed: int = 0
    off: int = 0
    """Runs with a parameter that is not as declared."""
    figures: dict[str, Spread] = field(default_factory=dict)
    not_finite: dict[str, str] = field(default_factory=dict)
    """Figure -> a value of it that is not finite, like `nan`."""
    diagnoses: int = 0
    """Runs with a diagnosis."""
    findings: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    """How many findings of each severity their diagnoses have together."""
    worst: Finding | None = None
    """The worst finding of all."""
    by_worst: Counter[str | None] = field(default_factory=Counter)
    """How many runs have a worst finding of each severity; None counts those without a finding."""
    last: bool = False
    """Whether one of them is of the last sweep."""

    def add_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Add the diagnosis of a run."""
        self.diagnoses += 1
        self.by_worst[diagnosis.severity] += 1
        for severity, count in diagnosis.counts.items():
            self.findings[severity] += count
        for finding in diagnosis.findings[:1]:
            if self.worst is None or finding.place > self.worst.place:
                self.worst = finding

    @property
    def diagnosis(self) -> str:
        """The worst finding of its runs: `fatal: dead-units`, or `none`; `-` without a diagnosis.

        If not all of its completed runs have one as severe, those that do are counted:
        `fatal: dead-units (1 of 3)`.
        """
        if not self.diagnoses:
            return "-"
        severity = None if self.worst is None else self.worst.severity
        text = "none" if self.worst is None else f"{severity}: {self.worst.id}"
        count = self.by_worst[severity]
        return text if count == self.completed else f"{text} ({count} of {self.completed})"

    def text(self, name: str) -> str:
        """Return `0.8934 ± 0.2`, the mean of a figure and its deviation over seeds.

        If some completed runs have no finite number, the others are counted: `0.8934 ± 0.2 (2 of 3)`.
        """
        found = self.figures.get(name)
        if found is None:
            return self.not_finite.get(name, "-")
        deviation = found.deviation
        text = f"{found.mean:.4g}" + ("" if deviation is None else f" ± {deviation:.2g}")
        lacking = found.count < self.completed
        return f"{text} ({found.count} of {self.completed})" if lacking else text


class Settings:
    """The settings of a sweep, collected from the rows of its runs."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = [key for key in keys if key not in REPEATED]
        """The keys that vary, without the seed."""
        self._figures: dict[str, None] = {}
        self._found: dict[tuple[str | None, ...], Setting] = {}

    def add(
        self,
        values: Mapping[str, str],
        row: Mapping[str, JSON],
        figures: Iterable[str],
        diagnosis: Diagnosis | None = None,
        last: bool = True,
    ) -> None:
        """Add a run: the values of the keys that vary, its row, which columns are figures, its
        diagnosis if it has one, and whether it is of the last sweep.
        """
        key = tuple(values.get(name) for name in self.keys)
        told = {name: value for name, value in values.items() if name in self.keys}
        setting = self._found.setdefault(key, Setting(told))
        setting.runs += 1
        setting.last |= last
        setting.completed += row["state"] == COMPLETED
        setting.off += bool(row.get("parameters_off"))
        if diagnosis is not None:
            setting.add_diagnosis(diagnosis)
        for name in figures:
            value = number(row.get(name))
            if value is None:
                continue
            self._figures[name] = None
            if math.isfinite(value):
                setting.figures.setdefault(name, Spread()).add(value)
            else:
                setting.not_finite[name] = str(value)

    @property
    def figures(self) -> list[str]:
        """The names of all figures, the objective first."""
        return sorted(self._figures, key=lambda name: name != OBJECTIVE)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def diagnosed(self) -> bool:
        """Whether a run has a diagnosis."""
        return any(setting.diagnoses for setting in self._found.values())

    def ranked(self, largest: bool = False) -> list[Setting]:
        """Return the settings, those with the smallest mean objective first, or with `largest` the
        largest. Without any objective, those with the fewest fatal findings a run come first, then
        the fewest harmful, then the fewest odd ones; without a diagnosis either, the order is that
        of the sweep. Settings of which a run has no objective, or no diagnosis, come after the
        others.
        """
        found = list(self._found.values())
        if OBJECTIVE in self._figures:
            return sorted(found, key=lambda setting: _by_objective(setting, largest))
        return sorted(found, key=_by_diagnosis) if self.diagnosed else found


def _by_objective(setting: Setting, largest: bool) -> tuple[int, float]:
    found = setting.figures.get(OBJECTIVE, Spread())
    lacking = (found.count < setting.runs) + (found.count == 0)
    return lacking, -found.mean if largest else found.mean


def _by_diagnosis(setting: Setting) -> tuple[float, ...]:
    count = setting.diagnoses
    lacking = (count < setting.runs) + (count == 0)
    return lacking, *(setting.findings[s] / max(1, count) for s in reversed(SEVERITIES))


def figures_of(stats: Statistics) -> dict[str, JSON]:
    """Return the figures of a run that a summary has: those of its probe, and its gradients.

    `gradient_first` and `gradient_last` are the rms of the gradient of the first and the last
    parameter with at least two axes; of a training, at its first step. `gradient_norm` is the norm
    of the whole gradient in the last epoch or step of a training.
    """
    found: dict[str, JSON] = dict(stats.figures)
    shapes = {row["path"]: row["shape"] for row in stats.parameters}
    column, rows = ("rms", stats.gradients) if stats.gradients else ("gradient_rms", stats.updates)
    sizes = [row.get(column) for row in rows if len(shapes.get(row.get("path"), ())) > 1]
    if sizes:
        found |= {"gradient_first": sizes[0], "gradient_last": sizes[-1]}
    if stats.training:
        found["gradient_norm"] = stats.training[-1].get("gradient_norm")
    return found
