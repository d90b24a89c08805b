"""All runs below a folder, finished or not: selection by conditions, sorting, conversion to a table."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from initlab.runner.evidence import columns
from initlab.runner.evidence.finished import Run, figure_text
from initlab.runner.evidence.found import root_of
from initlab.runner.evidence.index import records
from initlab.runner.evidence.members import short_names
from initlab.runner.evidence.record import FINISHED, NAMES, Record
from initlab.runner.evidence.status import DAMAGED
from initlab.runner.excerpt import MOST, Excerpt, counted, shortened
from initlab.runner.figures.lookup import Measured
from initlab.runner.figures.where import parse_where
from initlab.runner.json_values import number

if TYPE_CHECKING:
    import pandas

FIGURES_SHOWN = 2
"""Figures that are shown of runs beside their facts."""
LONGEST = 24
"""The characters of a value in an excerpt at most; a longer one lacks its middle."""


class Runs(Sequence[Run]):
    """Runs, the oldest first. A slice like `runs[:10]` is a Runs too.

    Each is as it was when they were listed: call `initlab.runs` again to see what happened since.
    """

    def __init__(self, listed: Sequence[tuple[Path, Record]], every: Runs | None = None) -> None:
        self._listed = list(listed)
        self._every = self if every is None else every

    @property
    def records(self) -> list[Record]:
        """What is listed of each run: its facts, config and figures (`runner.evidence.record`)."""
        return [record for _, record in self._listed]

    @cached_property
    def _views(self) -> list[Measured]:
        return [columns.view(record, folder) for folder, record in self._listed]

    def of(self, numbers: Sequence[int]) -> Runs:
        """Return the runs of these numbers, from 0."""
        return Runs([self._listed[at] for at in numbers], self._every)

    def __len__(self) -> int:
        return len(self._listed)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> Runs: ...

    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, slice):
            return self.of(range(len(self))[index])
        return Run(*self._listed[index])

    def where(self, condition: str) -> Runs:
        """Return the runs for which a condition on their facts, configs and figures holds.

        For example `init.kind == 'he' and figures.loss < 2.4`, or `state == 'failed'`;
        docs/figures.md and docs/runs.md in the source describe the language and the facts. A
        damaged run that cannot tell is a warning. Raises TypeError if the condition is no text, and
        QuantityError with the column of a syntax error, or with the nearest name if no run has such
        a figure.
        """
        if not isinstance(condition, str):
            said = f'must be a text like "seed == 0 and figures.loss < 2", got {condition!r}'
            raise TypeError(f"the condition {said}")
        parsed = parse_where(condition)
        parsed.check_names(NAMES)
        chosen, untold = parsed.sort_out(self._views)
        for at in untold:
            facts = self._listed[at][1].facts
            if facts["state"] == DAMAGED:
                warnings.warn(f"left out: {facts['error']}", stacklevel=2)
        return self.of(chosen)

    def sort(self, order: str) -> Runs:
        """Return the runs in the order of figures, like `-figures.loss` for the largest loss first, or
        `init.kind, when`. Runs without a value are last.

        Raises TypeError if the order is no text, and QuantityError like `where`.
        """
        if not isinstance(order, str):
            raise TypeError(f'the order must be a text like "-figures.loss", got {order!r}')
        return self.of(columns.order(order, self._views, self._every._views))

    def column(self, name: str) -> list[object]:
        """Return what each run has in a column, like `figures.loss`, `state` or `tags`; None where it
        has nothing.

        Raises QuantityError like `where`.
        """
        path = columns.parse_columns(name)[-1]
        return columns.values(path, self._views, self._every._views)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a table with one row for each run.

        The columns are the facts (`state`, `run_id`, `path`, `root`, …), every key of the config
        with a single value (`init.kind`), and the figures (`figures.loss`); None where a run has
        nothing. Raises ImportError if pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "pandas is not installed - pip install 'initlab[pandas]'", name="pandas"
            ) from error
        names, rows = columns.rows(self.records)
        return pandas.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        return self._excerpt().text()

    def _repr_html_(self) -> str:
        return self._excerpt().html()

    def _excerpt(self) -> Excerpt:
        shown = self.records[:MOST]
        figures = columns.default_figures(self.records, FIGURES_SHOWN)
        differ = columns.differences(shown)
        keys = list(differ[0]) if differ else []
        rows = [
            (
                *(figure_text(record.facts[name]) for name in columns.SHOWN),
                *(figure_text(number(record.figures.get(name))) for name in figures),
                *(shortened(values[key], LONGEST) for key in keys),
            )
            for record, values in zip(shown, differ, strict=True)
        ]
        heads = (*columns.SHOWN, *figures, *short_names(keys))
        return Excerpt(self._title(), heads, rows, len(self), len(heads) - 1)

    def _title(self) -> str:
        """Return `3 runs: 2 finished, 1 failed`."""
        counts = Counter(sorted(str(record.facts["state"]) for record in self.records))
        if not counts.keys() - {FINISHED}:
            return counted(len(self), "finished run")
        said = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        return f"{counted(len(self), 'run')}: {said}"


def runs(root: str | os.PathLike[str] | None = None) -> Runs:
    """Return every run in a folder or below it, finished or not, the oldest first.

    The folder is by default that of the environment variable INITLAB_OUTPUTS, or else `outputs`. A
    folder below it that cannot be listed is left out, with a warning that names it. Raises
    EvidenceError if there is no such folder.
    """
    return Runs(list(_listed(root_of(root))))


def _listed(root: Path) -> Iterator[tuple[Path, Record]]:
    found = records(root.absolute(), _warn)
    yield from sorted(
        ((place.folder, record) for place, record in found),
        key=lambda one: (str(one[1].facts["when"]), str(one[1].facts["path"])),
    )


def _warn(error: OSError) -> None:
    warnings.warn(f"left out: {error}", stacklevel=2)
