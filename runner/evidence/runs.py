"""All finished runs below a folder: selection by conditions, and conversion to a table."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.finished import Run, figure_text
from initlab.runner.evidence.folder import MANIFEST, RunFolder
from initlab.runner.evidence.members import KIND, Member, short_names, swept_values
from initlab.runner.excerpt import MOST, Excerpt, counted, shortened
from initlab.runner.figures.lookup import Measured
from initlab.runner.figures.where import parse_where
from initlab.runner.flat import ABSENT, flatten, value_text
from initlab.runner.json_values import JSON

if TYPE_CHECKING:
    import pandas

LONGEST = 24
"""The characters of a value in an excerpt at most; a longer one lacks its middle."""


SEED = "seed"
DIAGNOSIS = "diagnosis"


class Runs(Sequence[Run]):
    """Finished runs, in the order of their folders. A slice like `runs[:10]` is a Runs too.

    The folders are fixed at once. Manifests are read when the runs are first counted or iterated.
    A run whose manifest cannot be read is left out, with a warning that names it.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    @cached_property
    def _runs(self) -> list[Run]:
        return list(_readable(map(Run, self._folders)))

    @classmethod
    def _of(cls, runs: list[Run]) -> Runs:
        made = cls(())
        made.__dict__["_runs"] = runs
        return made

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> Runs: ...

    def __getitem__(self, index: int | slice) -> Run | Runs:
        found = self._runs[index]
        return self._of(found) if isinstance(found, list) else found

    def where(self, condition: str) -> Runs:
        """Return the runs for which a condition on their configs and figures holds.

        For example `init.kind == 'he' and figures.loss < 2.4`; docs/figures.md in the
        source describes the language. Raises TypeError if the condition is no text, and
        QuantityError with the column of a syntax error, or with the nearest name if no run has such
        a figure.
        """
        if not isinstance(condition, str):
            said = f'must be a text like "seed == 0 and figures.loss < 2", got {condition!r}'
            raise TypeError(f"the condition {said}")
        return self._of(parse_where(condition).choose(self, _measured))

    def to_pandas(self) -> pandas.DataFrame:
        """Return a table with one row for each run.

        The columns are `run_id`, `name`, `path`, `root`, `seconds`, `diagnosis`, every key of the
        config with a single value (`init.kind`), and the figures (`figures.loss`). `diagnosis` is
        the severity of the worst finding, `none` without a finding, and None if the run made no
        diagnosis. Raises ImportError if pandas
        is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "pandas is not installed - pip install 'initlab[pandas]'", name="pandas"
            ) from error
        rows = list(map(_row, self))
        last = [name for row in rows for name in row if name.startswith("figures.")]
        first = [name for row in rows for name in row if not name.startswith("figures.")]
        return pandas.DataFrame(rows, columns=list(dict.fromkeys([*first, *last])))

    def __repr__(self) -> str:
        return self._excerpt().text()

    def _repr_html_(self) -> str:
        return self._excerpt().html()

    def _excerpt(self) -> Excerpt:
        shown = self._runs[:MOST]
        differ = _differences(shown)
        keys = list(dict.fromkeys(key for values in differ for key in values))
        worst = [_severity(run) for run in shown]
        diagnosed = any(worst)
        severities = [(figure_text(one),) if diagnosed else () for one in worst]
        figures = [_figures(run) for run in shown]
        names = list(dict.fromkeys(name for found in figures for name in found))
        rows = [
            (
                run.manifest.run_id,
                *(shortened(values[key], LONGEST) for key in keys),
                *severity,
                *(figure_text(found.get(name)) for name in names),
            )
            for run, values, severity, found in zip(shown, differ, severities, figures, strict=True)
        ]
        columns = ("run", *short_names(keys), *([DIAGNOSIS] if diagnosed else []), *names)
        count = len(self)
        title = counted(count, "finished run")
        return Excerpt(title, columns, rows, count, len(columns) - 1)


def runs(root: str | os.PathLike[str] = "outputs") -> Runs:
    """Return every finished run in a folder or below it. A folder below it that cannot be listed is
    left out, with a warning that names it.

    Raises EvidenceError if there is no such folder.
    """
    folder = Path(root).absolute()
    if root == "" or not folder.is_dir():
        raise EvidenceError(
            f"{root or repr('')}: no such folder - give one that holds runs, like outputs"
        )
    return Runs(_finished_below(folder))


def _finished_below(root: Path) -> Iterator[Path]:
    """Yield the folders with a manifest, in order. A run's folder is not searched for runs."""
    for place, folders, files in os.walk(root, onerror=_warn):
        if MANIFEST in files:
            yield Path(place)
            folders.clear()
        folders.sort()


def _readable(found: Iterable[Run]) -> Iterator[Run]:
    for run in found:
        try:
            _ = run.manifest
        except EvidenceError as error:
            _warn(error)
            continue
        yield run


def _warn(error: EvidenceError | OSError) -> None:
    warnings.warn(f"left out: {error}", stacklevel=2)


def _measured(run: Run) -> Measured:
    """Return the run as a condition sees it; its statistics are not cached, as there may be many
    runs.

    If they cannot be read, it has only its config, with a warning.
    """
    try:
        return Measured(run.config, RunFolder(run.path).stats.by_name)
    except EvidenceError as error:
        _warn(error)
        return Measured(run.config, {})


def _figures(run: Run) -> dict[str, JSON]:
    try:
        return dict(Run(run.path).figures)
    except EvidenceError as error:
        _warn(error)
        return {}


def _severity(run: Run) -> str | None:
    """Return the severity of a run's worst finding, `none` without a finding; None if it made no
    diagnosis.
    """
    try:
        found = Run(run.path).diagnosis
    except EvidenceError as error:
        _warn(error)
        return None
    return None if found is None else found.severity or "none"


def _single_values(config: Mapping[str, JSON]) -> dict[str, JSON]:
    return {
        key: value
        for key, value in flatten(config).items()
        if value is None or isinstance(value, (bool, int, float, str))
    }


def _differences(shown: Sequence[Run]) -> list[dict[str, str]]:
    """Return what tells runs apart: {key: value} of each, the seed first, then varied words.

    A run without a varied word has the value of its config. If no word differs but the seed's, the
    keys of the configs that differ.
    """
    configs = [_single_values(run.config) for run in shown]
    names = list(dict.fromkeys(key for config in configs for key in config))
    differ = [key for key in names if len({value_text(c.get(key)) for c in configs}) > 1]
    words = swept_values([Member("", "", run.manifest.overrides) for run in shown])
    varied = list(dict.fromkeys(key for values in words for key in values if key != SEED))
    keys = [SEED] * (SEED in differ) + (
        varied or sorted((key for key in differ if key != SEED), key=lambda k: not k.endswith(KIND))
    )
    return [
        {key: given.get(key) or _value(config, key) for key in keys}
        for given, config in zip(words, configs, strict=True)
    ]


def _value(config: Mapping[str, JSON], key: str) -> str:
    found = [config[name] for name in (key, key + KIND) if name in config]
    return value_text(found[0]) if found else ABSENT


def _row(run: Run) -> dict[str, JSON]:
    manifest = run.manifest
    return {
        "run_id": manifest.run_id,
        "name": manifest.name,
        "path": str(run.path),
        "root": manifest.digests.root,
        "seconds": manifest.seconds,
        DIAGNOSIS: _severity(run),
        **_single_values(run.config),
        **{f"figures.{name}": value for name, value in _figures(run).items()},
    }
