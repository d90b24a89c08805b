"""The columns of a list of runs: which there are, what a run has in each, and in which order the runs
stand.

A column is a path of `runner.figures`: a fact of a record (`state`), a key of the config (`init.kind`), a
figure (`figures.loss`), anything in the statistics that is one value (`layers[-1].rms`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath

from initlab.runner.errors import QuantityError
from initlab.runner.evidence.members import KIND, Member, swept_values
from initlab.runner.evidence.record import FACTS, PROVENANCE, Record, Sections
from initlab.runner.figures.lookup import Measured, column, plain
from initlab.runner.figures.path import Path, parse_path, parse_paths, parse_signed, written
from initlab.runner.flat import ABSENT, flatten, value_text
from initlab.runner.json_values import JSON, number, restored

FIGURES = "figures"
SHOWN = ("path", "state", "when", "diagnosis")
"""The columns that a list has by default, before some figures."""
FIRST = ("loss", "test_accuracy", "accuracy", "train_accuracy", "output_rms")
"""Figures that are shown before others."""


SEED = "seed"
COMPARED = 200
"""Runs whose configs are compared key by key at most, where no words tell them apart."""


def view(record: Record, folder: FilePath) -> Measured:
    """Return a run as a path sees it."""
    return Measured(record.config, Sections(record, folder))


def parse_columns(text: str) -> list[Path]:
    """Return the columns that a text names, like `init.kind, figures.loss`; the path of the run comes
    first unless it is named. Raises QuantityError.
    """
    named = parse_paths(text)
    first = parse_paths(SHOWN[0])
    return named if first[0] in named else first + named


def values(column_path: Path, chosen: Sequence[Measured], runs: Iterable[Measured]) -> list[object]:
    """Return what each chosen run has in a column, None where it has nothing.

    Raises QuantityError, with the nearest name, if none of all runs has such a column.
    """
    return column(column_path, chosen, runs, lists=True)


def order(text: str, chosen: Sequence[Measured], runs: Iterable[Measured]) -> list[int]:
    """Return the numbers of the chosen runs in the order of a text like `init.kind, -figures.loss`,
    where `-` begins with the largest. Runs without a value, or with NaN, are last in both
    directions; numbers come before texts.

    Raises QuantityError like `values`, and for a text that is no list of paths.
    """
    found = list(range(len(chosen)))
    for sign, path in reversed(parse_signed(text)):
        given = values(path, chosen, runs)
        known = [at for at in found if not _is_nothing(given[at])]
        known.sort(key=lambda at: _comparable(given[at]), reverse=bool(sign))
        found = known + [at for at in found if _is_nothing(given[at])]
    return found


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _comparable(value: object) -> tuple[bool, float, str]:
    if isinstance(value, (bool, int, float)):
        return False, number(int(value) if isinstance(value, bool) else value) or 0.0, ""
    return True, 0.0, str(value)


def default_figures(records: Sequence[Record], most: int) -> list[str]:
    """Return the names of the figures that say most of these runs: those that most of them have, of
    them the best known first.
    """
    counts = Counter(
        name for record in records for name, value in record.figures.items() if value is not None
    )
    places = {name: at for at, name in enumerate(FIRST)}
    names = sorted(counts, key=lambda name: (-counts[name], places.get(name, len(FIRST))))
    return names[:most]


def differences(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return what tells runs apart: {key: value} of each, the seed first, then varied words.

    A run without a varied word has the value of its config. If no word differs but the seed's, the
    keys of the configs that differ, of runs that are few enough to be compared.
    """
    configs = [_singles(record.config) if len(records) <= COMPARED else {} for record in records]
    members = [Member("", "", _words(record)) for record in records]
    words = swept_values(members)
    varied = list(dict.fromkeys(key for values in words for key in values if key != SEED))
    seeds = {str(record.config.get(SEED)) for record in records}
    keys = [SEED] * (len(seeds) > 1) + (varied or _differing(configs))
    return [
        {key: given.get(key) or _value(record.config, key) for key in keys}
        for given, record in zip(words, records, strict=True)
    ]


def _words(record: Record) -> list[str]:
    found = record.facts["words"]
    return [str(word) for word in found] if isinstance(found, list) else []


def _differing(configs: Sequence[dict[str, JSON]]) -> list[str]:
    names = list(dict.fromkeys(key for config in configs for key in config if key != SEED))
    differ = [key for key in names if len({value_text(c.get(key)) for c in configs}) > 1]
    return sorted(differ, key=lambda key: not key.endswith(KIND))


def _value(config: Mapping[str, object], key: str) -> str:
    for name in (key, key + KIND):
        try:
            return value_text(plain(parse_path(name), Measured(config, {})))
        except QuantityError:
            continue
    return ABSENT


def _singles(config: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the keys of a config that have a single value, and are no facts."""
    return {
        key: value
        for key, value in flatten(config).items()
        if key.partition("[")[0] not in FACTS
        and (value is None or isinstance(value, (bool, int, float, str)))
    }


def row(record: Record) -> dict[str, object]:
    """Return everything that is one value, or a list of facts: facts, keys of the config, figures."""
    figures = {written((FIGURES, name)): restored(value) for name, value in record.figures.items()}
    facts = {name: record.facts.get(name) for name in FACTS}
    came = _singles({PROVENANCE: record.facts.get(PROVENANCE) or {}})
    return {**facts, **came, **_singles(record.config), **figures}


def rows(records: Sequence[Record]) -> tuple[list[str], list[dict[str, object]]]:
    """Return the columns and the rows of the whole table: facts, keys of all configs, figures."""
    found = list(map(row, records))
    names = dict.fromkeys([*FACTS, *(name for one in found for name in one)])
    return sorted(names, key=lambda name: name.startswith((f"{FIGURES}.", f"{FIGURES}["))), found
