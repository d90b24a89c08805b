"""The figures of a finished run, measured again and held against its statistics and its diagnosis.

Two machines that measure the same values may round differently: BLAS adds in another order, and a
training run carries the difference on. So a figure agrees if it is equal to six digits, or if it
lies within `MARGIN` times the change that another rounding error of every first value makes. That
change is measured, only where a figure is not equal to six digits. It is small for a network at its
start, and large for a figure that no machine reproduces, such as the loss after a chaotic training.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from initlab.engine import strict_json
from initlab.runner.check import findings
from initlab.runner.check.former import as_before
from initlab.runner.check.recompute import Again, Measured
from initlab.runner.evidence.folder import PLAN, STATISTICS, TABLE, RunFolder
from initlab.runner.evidence.statistics import FIGURES, Statistics
from initlab.runner.excerpt import shortened
from initlab.runner.files import csv_text, json_text
from initlab.runner.flat import flatten, value_text
from initlab.runner.json_values import JSON, equal, finite, number
from initlab.runner.plan.validate import RunConfig

DIGITS = 1e-6
"""The relative difference of figures that are equal."""
MARGIN = 64
"""How many times the change that one rounding makes is allowed: an element is rounded many times."""
TRIES = 2
"""Sets of rounding errors that are tried."""
TRAINED = ("training[", "updates[")
Leaves = Mapping[str, object]
"""The figures of statistics by place: `layers[1] 'fc'.rms`."""


def wrong_plan(run: RunFolder, config: RunConfig) -> str | None:
    """Return where `plan.json` is not the plan of the run's config, or None.

    The whole document must be that of the config.
    """
    expected = json.loads(json_text(config.plan.describe()))
    rows = {str(row["path"]): row for row in expected["rows"]}
    if list(run.plan) != list(rows):
        return f"{PLAN} has other parameters than its config"
    for path, row in run.plan.items():
        wrong = _wrong_entry(row, rows[path])
        if wrong is not None:
            return f"{PLAN}: the {wrong[0]} of '{path}' is {wrong[1]}, its config's {wrong[2]}"
    wrong = _wrong_entry(strict_json.read(run.path / PLAN), expected)
    return None if wrong is None else f"{PLAN}: {wrong[0]} is {wrong[1]}, its config's {wrong[2]}"


def _wrong_entry(
    found: Mapping[str, JSON], planned: Mapping[str, JSON]
) -> tuple[str, str, str] | None:
    """Return the first key with different values in two mappings, and both as texts, or None."""
    for key in sorted(found.keys() | planned.keys()):
        if key not in found or key not in planned or not equal(found[key], planned[key]):
            return shortened(key), _cell(found, key), _cell(planned, key)
    return None


def wrong_table(run: RunFolder) -> str | None:
    """Return that `stats.csv` is not the table of `stats.json`, or None."""
    found = (run.path / TABLE).read_text(encoding="utf-8")
    if found == csv_text(run.stats.columns, run.stats.table()):
        return None
    return f"{TABLE} is not the table of parameters of {STATISTICS}"


def _cell(row: Mapping[str, JSON], column: str) -> str:
    return shortened(value_text(row[column])) if column in row else "missing"


def wrong_figure(run: RunFolder, again: Again) -> str | None:
    """Return which figure of `stats.json` or `diagnosis.json` another measurement does not give, or
    None. A diagnosis that this code cannot make again is left out.
    """
    snapshot, judged = run.snapshot_path, findings.is_repeatable(run)
    wrong = findings.wrong_form(run)
    if wrong is not None:
        return wrong
    recorded = leaves(run.stats) | (findings.leaves_of(run.diagnosis) if judged else {})

    def leaves_again(one: Measured) -> dict[str, object]:
        found = leaves(as_before(one.statistics, run.stats))
        return found | (findings.leaves_of(one.diagnosis) if judged else {})

    found = leaves_again(again.measured(snapshot))
    apart = [place for place in _places(recorded, found) if not _equal(recorded, found, place)]
    if not apart:
        return None
    moved = [leaves_again(again.disturbed(snapshot, number)) for number in range(TRIES)]
    chaos = _spread_of_training(found, moved)
    for place in apart:
        spread = max(_distance(one, found, place) for one in moved)
        spread = max(spread, _scale(found, place) * chaos.get(_column(place), 0.0))
        if findings.on_the_border(place, recorded, found):
            continue
        if _distance(recorded, found, place) > MARGIN * spread:
            file, _, inner = place.rpartition(": ")
            said = f"{file or STATISTICS}: {inner} is {_shown(recorded, place)}, measured again"
            return f"{said} {_shown(found, place)}"
    return None


def _spread_of_training(found: Leaves, moved: Sequence[Leaves]) -> dict[str, float]:
    """Return how far disturbed runs are from each other, relative to the figure, by the column of
    `training` and `updates`; `figures` stands for all columns.

    Where training is chaotic, a row can be the same in all disturbed runs by chance, and its column
    is not.
    """
    spread: dict[str, float] = {}
    for place in found:
        if place.startswith(TRAINED):
            far = max(_distance(one, found, place) for one in moved)
            relative = far / _scale(found, place) if far else 0.0
            for column in (_column(place), FIGURES):
                spread[column] = max(spread.get(column, 0.0), relative)
    return spread


def _column(place: str) -> str:
    """Return the column of a figure of a training, or `figures` for a single figure."""
    if place.startswith(TRAINED):
        return place.split("[")[0] + place.rpartition(".")[2]
    return FIGURES if place.startswith(FIGURES) else ""


def _scale(found: Leaves, place: str) -> float:
    return abs(finite(found.get(place)) or 0.0) + 1e-12


def leaves(stats: Statistics) -> dict[str, object]:
    """Return every figure by its place, as JSON types."""
    content: dict[str, JSON] = json.loads(json_text(stats.by_name))
    found: dict[str, object] = {}
    for section, part in content.items():
        for place, row in _rows(section, part):
            found |= flatten(row, place)
    return found


def _rows(section: str, part: JSON) -> Iterator[tuple[str, JSON]]:
    if not isinstance(part, list):
        yield section, part
        return
    for place, row in enumerate(part):
        path = row.get("path") if isinstance(row, dict) else None
        yield f"{section}[{place}]" + (f" '{path}'" if isinstance(path, str) else ""), row


def _places(recorded: Leaves, found: Leaves) -> list[str]:
    return list(dict.fromkeys([*recorded, *found]))


def _equal(recorded: Leaves, found: Leaves, place: str) -> bool:
    allowed = 0.0
    numbers = finite(recorded.get(place)), finite(found.get(place))
    if isinstance(found.get(place), float) and None not in numbers:
        allowed = DIGITS * max(abs(one) for one in numbers if one is not None) + 1e-12
    return _distance(recorded, found, place) <= allowed


def _distance(a: Leaves, b: Leaves, place: str) -> float:
    """Return how far two figures are apart: 0 if they are equal, infinite if they are no two finite
    numbers.
    """
    if place not in a and place not in b:
        return 0.0
    if place in a and place in b:
        left, right = a[place], b[place]
        if left == right and isinstance(left, bool) is isinstance(right, bool):
            return 0.0
        one, other = finite(left), finite(right)
        if one is not None and other is not None:
            return abs(one - other)
    return float("inf")


def _shown(figures: Leaves, place: str) -> str:
    if place not in figures:
        return "missing"
    found = number(figures[place])
    return shortened(value_text(figures[place])) if found is None else f"{found:.6g}"
