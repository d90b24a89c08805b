"""The one number that a run is judged by: a figure of its `stats.json`, or how far it is from where
it should be.

objective: {figure: "layers[body.11.fc].rms", target: 1, distance: ratio}

figure      a path: names after dots, list entries in brackets by number (`layers[-1]`) or by their `path` (`parameters['0.weight']`)
target      a number, or null
distance    difference: |x - target|; ratio: |ln(x / target)|; null: x itself, without a target
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initlab.engine.registry import advice
from initlab.runner.errors import ConfigError, Problem

KEYS = ("figure", "target", "distance")
DISTANCES = ("difference", "ratio")
STATS = "stats.json"
PART = re.compile(
    r"""(?:^|\.)(?P<name>[^.\[\]'"]+) | \[ (?: '(?P<single>[^']*)' | "(?P<double>[^"]*)" | (?P<bare>[^\]'"]+) ) \]""",
    re.X,
)


@dataclass(frozen=True)
class Objective:
    """What a run is judged by. `parts` are the steps of the path `figure`."""

    figure: str
    parts: tuple[str | int, ...]
    target: float | None = None
    distance: str | None = None

    def of(self, folder: Path) -> float | None:
        """The objective of the finished run in `folder`; None where it is not finite. ConfigError
        where the run has no such figure.
        """
        return self.evaluate(json.loads((folder / STATS).read_text(encoding="utf-8")))

    def evaluate(self, stats: dict[str, Any]) -> float | None:
        """The same of the content of a `stats.json`, which has null, or a text like `inf`, for what
        is no finite number.
        """
        found = self._find(stats)
        number = found is None or (isinstance(found, (int, float)) and not isinstance(found, bool))
        if not number and found not in ("nan", "inf", "-inf"):
            what = f"holds {_names(found)}" if isinstance(found, (dict, list)) else f"is {found!r}"
            raise ConfigError.of(
                "objective.figure",
                f"'{self.figure}' {what}, which is no number - name one number of {STATS}",
            )
        value = self._distance(float("nan" if found is None else found))
        return value if math.isfinite(value) else None

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

    def _find(self, stats: dict[str, Any]) -> Any:
        here: Any = stats
        place = ""
        for part in self.parts:
            step, known = _step(here, part)
            if step is None:
                said = advice(str(part), known)
                where = f"the run's {STATS}" if not place else f"'{place}'"
                raise ConfigError.of(
                    "objective.figure", f"'{self.figure}': {where} has no '{part}' - {said}"
                )
            here = step[0]
            place = _join(place, part, known)
        return here


def _step(here: Any, part: str | int) -> tuple[tuple[Any] | None, list[str]]:
    """What stands at one step below, in a tuple, and the names that do; None where nothing does."""
    if isinstance(here, dict):
        return ((here[str(part)],) if str(part) in here else None), [str(key) for key in here]
    if isinstance(here, list):
        paths = [entry.get("path") for entry in here if isinstance(entry, dict)]
        if isinstance(part, int):
            found = (here[part],) if -len(here) <= part < len(here) else None
            return found, [str(path) for path in paths] or [f"0 to {len(here) - 1}"] * bool(here)
        return ((here[paths.index(part)],) if part in paths else None), [
            str(path) for path in paths
        ]
    return None, []


def _join(place: str, part: str | int, known: list[str]) -> str:
    plain = (
        isinstance(part, str) and "." not in part and part in known and re.fullmatch(r"\w+", part)
    )
    return f"{place}.{part}".lstrip(".") if plain else f"{place}[{part}]"


def _names(found: Any) -> str:
    names = list(map(str, found)) if isinstance(found, dict) else [f"{len(found)} entries"]
    return ", ".join(names) or "nothing"


def split_path(figure: str) -> tuple[str | int, ...] | None:
    """The steps of a path; None where it is none."""
    parts: list[str | int] = []
    end = 0
    for match in PART.finditer(figure):
        if match.start() != end:
            return None
        end = match.end()
        bare = match["bare"]
        text = next(text for text in match.groups() if text is not None)
        parts.append(int(text) if bare is not None and re.fullmatch(r"-?\d+", bare) else text)
    return tuple(parts) if parts and end == len(figure) and figure[0] != "." else None


def parse_objective(node: Any, problems: list[Problem]) -> Objective | None:
    """The objective that a config's key of that name declares, null for none; what is wrong with it
    is noted.
    """
    if node is None:
        return None
    if not isinstance(node, dict):
        problems.append(
            Problem(
                "objective", f"must be a mapping {{figure, target, distance}} or null, got {node!r}"
            )
        )
        return None
    before = len(problems)
    problems += [
        Problem(f"objective.{key}", f"no such key - {advice(str(key), KEYS)}")
        for key in node
        if key not in KEYS
    ]
    figure, target, distance = (node.get(key) for key in KEYS)
    parts = split_path(figure) if isinstance(figure, str) else None
    if parts is None:
        problems.append(
            Problem(
                "objective.figure",
                f"must be a path like figures.output_rms or layers[-1].rms, got {figure!r}",
            )
        )
    if distance is not None and distance not in DISTANCES:
        problems.append(
            Problem(
                "objective.distance", f"cannot be {distance!r} - {advice(str(distance), DISTANCES)}"
            )
        )
    sound = (
        isinstance(target, (int, float)) and not isinstance(target, bool) and math.isfinite(target)
    )
    if target is not None and not sound:
        problems.append(Problem("objective.target", f"must be a number or null, got {target!r}"))
    elif distance in DISTANCES and target is None:
        problems.append(Problem("objective.target", f"is needed for the distance {distance}"))
    elif distance is None and target is not None:
        problems.append(
            Problem(
                "objective.target",
                "has no meaning without a distance - give objective.distance=difference or ratio",
            )
        )
    elif distance == "ratio" and target == 0:
        problems.append(Problem("objective.target", "must not be 0 for the distance ratio"))
    if len(problems) > before or parts is None:
        return None
    return Objective(str(figure), parts, target, distance)
