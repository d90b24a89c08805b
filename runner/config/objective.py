"""The objective: the one number that a run is judged by.

objective: {figure: "layers[body.11.fc].rms", target: 1, distance: ratio}

figure      a path (`runner.figures.path`) to one number of the run's `stats.json`
target      a number, or null
distance    difference: |x - target|; ratio: |ln(x / target)|; null: x itself, without a target
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from initlab.engine.options import check_given, choice, finite
from initlab.runner.errors import ConfigError, Problems, QuantityError
from initlab.runner.excerpt import shortened
from initlab.runner.figures.lookup import Measured, figure
from initlab.runner.figures.path import Path as FigurePath
from initlab.runner.figures.path import parse_path

KEYS = ("figure", "target", "distance")
LONGEST = 120
"""Characters of a wrong figure that a message shows."""
DISTANCES = ("difference", "ratio")


@dataclass(frozen=True)
class Objective:
    """The objective of a run, parsed."""

    path: FigurePath
    target: Annotated[float | None, finite.or_null()] = None
    distance: Annotated[str, choice(DISTANCES)] | None = None

    def evaluate(self, config: Mapping[str, object], stats: Mapping[str, object]) -> float | None:
        """Return the objective of a run with this resolved config and these statistics, by section.

        Returns None if it is not finite. Raises ConfigError if the run has no such figure.
        """
        value = self._distance(self._figure(config, stats))
        return value if math.isfinite(value) else None

    def check(self, config: Mapping[str, object], sketch: Mapping[str, object]) -> None:
        """Raise ConfigError if a run with this config cannot have the figure.

        `sketch` is what is known about its statistics before the run.
        """
        self._figure(config, sketch)

    def _figure(self, config: Mapping[str, object], stats: Mapping[str, object]) -> float:
        try:
            return figure(self.path, Measured(config, stats))
        except QuantityError as error:
            raise error.at("objective.figure") from error

    def _distance(self, x: float) -> float:
        match self.distance:
            case None:
                return x
            case "difference":
                return abs(x - float(self.target or 0))
            case "ratio":
                share = x / float(self.target or math.nan)
                return abs(math.log(share)) if share > 0 else math.nan
        raise ValueError(self.distance)


def parse_objective(node: object) -> Objective | None:
    """Return the objective of a config's key `objective`, or None for null.

    Raises ConfigError with all problems.
    """
    if node is None:
        return None
    if not isinstance(node, dict):
        said = f"must be a mapping {{figure, target, distance}} or null, got {node!r}"
        raise ConfigError.of("", said)
    problems = Problems()
    for key in node:
        if key not in KEYS:
            problems.unknown(str(key), "no such key", key, KEYS)
    written, target, distance = (node.get(key) for key in KEYS)
    with problems.under("figure"):
        path = _path(written)
    with problems.under():
        check_given(Objective, {"target": target, "distance": distance})
    if problems.concern("target"):
        pass
    elif distance in DISTANCES and target is None:
        problems.add("target", f"is needed for the distance {distance}")
    elif distance is None and target is not None:
        problems.add(
            "target",
            "has no meaning without a distance - give objective.distance=difference or ratio",
        )
    elif distance == "ratio" and target == 0:
        problems.add("target", "must not be 0 for the distance ratio")
    problems.raise_any()
    return Objective(path, target, distance)


def _path(figure: object) -> FigurePath:
    said = f"must be a path like figures.output_rms or layers[-1].rms, got {shortened(repr(figure), LONGEST)}"
    if not isinstance(figure, str):
        raise ConfigError.of("", said)
    try:
        return parse_path(figure)
    except QuantityError as error:
        raise error.at("", f"{said}: ") from error
