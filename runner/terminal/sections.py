"""What a run prints: a section for each word of `show`, in that order.

    parameters   declared against measured, a row for each
    layers       what the probe measured of every layer
    gradients    what it measured of every parameter's gradient
    training     its epochs or steps
    figures      its single figures
    measures     what `measure=[…]` measured
    diagnosis    what is known to hurt

Repeated blocks are folded (`runner.terminal.folding`) unless `fold=false`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence.diagnosed import Diagnosis
from initlab.runner.evidence.manifest import Manifest
from initlab.runner.evidence.statistics import FIGURES, ROWS, Statistics, mode_text, shape_text
from initlab.runner.files import in_json
from initlab.runner.json_values import restored
from initlab.runner.listing import Listing, print_line
from initlab.runner.plan.conversions import conversions
from initlab.runner.plan.rows import Plan
from initlab.runner.probes.watching import LAYER_COLUMNS
from initlab.runner.terminal.diagnosis import STYLE, said
from initlab.runner.terminal.folding import Cell, Figure, number, percent, printed

MOST_STEPS = 40
"""Rows of a training that are printed at most."""
MOST_NAMED = 5
"""Parameters that a line names at most."""
OFF = "off"
VERDICT_STYLE = {"ok": "green", "exact": "green", OFF: "bold red", "untested": "yellow"}
FOLDED = (
    "repeated blocks: first … last, worst between them (its block); fold=false lists each block"
)

T = TypeVar("T")


class Parameter(Protocol):
    """A row of a plan: a parameter, or an alias of another one."""

    @property
    def path(self) -> str:
        """Its path."""

    @property
    def shape(self) -> Sequence[int]:
        """The lengths of its axes."""

    @property
    def alias_of(self) -> str | None:
        """Its owner."""


@dataclass(frozen=True)
class Results:
    """What a run has to show, as it is in the run's files: what is printed then is what is printed when
    the files are read again.

    `rows` are the parameters, aliases included, with `remarks` on them.
    """

    rows: Sequence[Parameter]
    remarks: Sequence[str]
    stats: Statistics
    diagnosis: Diagnosis | None = None

    @classmethod
    def of(
        cls,
        rows: Sequence[Parameter],
        remarks: Sequence[str],
        stats: Statistics,
        diagnosis: Diagnosis | None,
    ) -> Results:
        """Return the results of statistics as a run makes them, or as they are read from a file."""
        plain = as_read(in_json(stats.by_name))
        given = {name: plain.pop(name) for name in (*ROWS, FIGURES)}
        made = Statistics(**given, sections=plain, mode=stats.mode)
        listed = [row for row in rows if (row.alias_of or row.path) in made.of_path]
        return cls(listed, remarks, made, diagnosis)


def as_read(value: Any) -> Any:
    """Return JSON with NaN and the infinities as numbers."""
    if isinstance(value, dict):
        return {key: as_read(item) for key, item in value.items()}
    return [as_read(item) for item in value] if isinstance(value, list) else restored(value)


class Sheet:
    """Prints tables one below the other, with an empty line between them."""

    def __init__(self, out: Console, fold: bool) -> None:
        self._out, self._fold = out, fold
        self._began = False
        self.folded = False
        """Whether a table has a row for several blocks."""

    def table(
        self,
        columns: Sequence[tuple[str, str]],
        rows: Sequence[Sequence[Cell]],
        kinds: Mapping[str, object] | None = None,
    ) -> None:
        """Print a table whose rows begin with a path; `kinds` as in `folding.printed`."""
        self.gap()
        shown = printed(rows, self._fold, kinds)
        self.folded |= len(shown) < len(rows)
        listing = Listing(*columns)
        for row in shown:
            listing.add_row(*row)
        listing.print(self._out)
        self._began = True

    def side_by_side(self, texts: Sequence[str]) -> None:
        """Print short texts in as few lines as the width allows; none is broken."""
        self.gap()
        line = ""
        for text in texts:
            longer = f"{line}   {text}" if line else text
            if line and len(longer) > self._out.width:
                self.line(line)
                longer = text
            line = longer
        self.line(line)

    def line(self, text: str, style: str = "") -> None:
        """Print a sentence, which is broken between words where it is too long."""
        self._began = True
        print_line(self._out, text, style)

    @property
    def width(self) -> int:
        """The columns of the screen."""
        return self._out.width

    def text(self, text: Text) -> None:
        """Print a line with styles of its own, which is not broken."""
        self._began = True
        self._out.print(text, highlight=False, soft_wrap=True)

    def gap(self) -> None:
        """Print an empty line, but not above everything."""
        if self._began:
            self._out.print()


def remarks_on(plan: Plan) -> list[str]:
    """Return what a user should read about the parameters, a line each."""
    return [*plan.remarks, *conversions(plan.rows)]


def print_results(out: Console, results: Results, show: Sequence[str], fold: bool) -> None:
    """Print the sections that `show` names, and an empty line if anything was printed.

    Remarks, which parameters are not as declared, and that a network cannot learn are printed even
    if they are not shown.
    """
    if out.quiet:
        return
    sheet = Sheet(out, fold)
    for name in dict.fromkeys(show):
        SECTIONS[name](sheet, results)
    if "parameters" not in show:
        _unseen(sheet, results)
    found = results.diagnosis
    if "diagnosis" not in show and found is not None and found.severity == "fatal":
        sheet.line(f"diagnosis: {found.headline}", STYLE["fatal"])
    if sheet.folded:
        sheet.gap()
        sheet.line(FOLDED)
    sheet.gap()


def print_run(
    out: Console, place: Path, results: Results, content: Manifest, show: Sequence[str], fold: bool
) -> None:
    """Print what a finished run in this folder comes to: its sections, its root digest and its folder."""
    print_results(out, results, show, fold)
    for line in (f"root {content.digests.root}", f"{place}  ({content.seconds:.2f} s)"):
        out.print(line, markup=False, soft_wrap=True)


def _unseen(sheet: Sheet, results: Results) -> None:
    """Print what must be read of parameters that are not shown."""
    off = results.stats.off
    if results.remarks or off:
        sheet.gap()
    for line in results.remarks:
        sheet.line(line)
    if off:
        more = f" and {len(off) - MOST_NAMED} more" if len(off) > MOST_NAMED else ""
        named = f"{', '.join(off[:MOST_NAMED])}{more}"
        sheet.line(f"not as declared: {named}", VERDICT_STYLE[OFF])


def _parameters(sheet: Sheet, results: Results) -> None:
    """Print one line for each parameter: declared against measured."""
    rows: list[list[Cell]] = []
    for row in results.rows:
        start: list[Cell] = [row.path, shape_text(row.shape)]
        if row.alias_of is not None:
            rows.append([*start, f"= {row.alias_of}", "", "", "", "alias"])
            continue
        measured = results.stats.of_path[row.path]
        verdict = measured["verdict"]
        rows.append(
            [
                *start,
                str(measured.get("law", "")),
                number(measured.get("declared_std")),
                Figure(measured.get("std")),
                Figure(_largest_z(measured), 2, size_counts=True),
                Text(verdict, style=VERDICT_STYLE.get(verdict, "")),
            ]
        )
    sheet.table(
        (
            ("path", "left"),
            ("shape", "right"),
            ("law", "left"),
            ("declared std", "right"),
            ("measured std", "right"),
            ("z", "right"),
            ("verdict", "left"),
        ),
        rows,
    )
    for line in results.remarks:
        sheet.line(line)


def _largest_z(measured: Mapping[str, Any]) -> float | None:
    found = [z for z in (measured.get("z_mean"), measured.get("z_var")) if z is not None]
    return max(found, key=abs) if found else None


def _layers(sheet: Sheet, results: Results) -> None:
    """Print one line for each call of a layer, with its role where it is no plain layer."""
    measured = [row for row in results.stats.layers if "rms" in row]
    if not measured:
        return
    roles = any(map(_role, measured))
    branches = any(row.get("branch_ratio") is not None for row in measured)
    heads = ("output", "pre-act rms", "rms", "rms ratio")
    rows: list[list[Cell]] = [
        [
            row["path"],
            *([_role(row)] if roles else []),
            shape_text(row["shape"]),
            Figure(row.get("pre_rms")),
            Figure(row["rms"]),
            Figure(row.get("rms_ratio")),
            *([Figure(row.get("branch_ratio"))] if branches else []),
            Figure(row["zeros"], show=percent, size_counts=True),
        ]
        for row in measured
    ]
    sheet.table(
        (
            ("layer", "left"),
            *([("role", "left")] if roles else []),
            *((head, "right") for head in heads),
            *([("branch / stream", "right")] if branches else []),
            ("zeros", "right"),
        ),
        rows,
    )
    if results.stats.mode is not None:
        sheet.line(f"layers in {mode_text(results.stats.mode)}")


def _role(row: Mapping[str, Any]) -> str:
    """Return `stream` for a container, `branch` for a layer whose output is added to a stream."""
    return "stream" if row.get("stream") else "branch" if row.get("joins") else ""


def _gradients(sheet: Sheet, results: Results) -> None:
    """Print one line for each parameter's gradient."""
    rows: list[list[Cell]] = [
        [row["path"], Figure(row["rms"]), Figure(row["max_abs"])] for row in results.stats.gradients
    ]
    if rows:
        laws = {path: row.get("law") for path, row in results.stats.of_path.items()}
        kinds = {
            row.path: (tuple(row.shape), laws.get(row.alias_of or row.path)) for row in results.rows
        }
        sheet.table((("gradient", "left"), ("rms", "right"), ("max abs", "right")), rows, kinds)


COLUMNS = {
    "loss": "loss",
    "accuracy": "accuracy",
    "gradient_norm": "gradient norm",
    "update_ratio": "update / weight",
    "test_accuracy": "test accuracy",
}
"""Figures of a step of a training, and their headings."""


def _training(sheet: Sheet, results: Results) -> None:
    """Print one line for each epoch or step, of many only some."""
    training = results.stats.training
    if training:
        unit = "epoch" if "epoch" in training[0] else "step"
        sheet.table(
            ((unit, "right"), *((head, "right") for head in COLUMNS.values())),
            [
                [str(row[unit]), *(number(row[name]) for name in COLUMNS)]
                for row in evenly(training, MOST_STEPS)
            ],
        )


def evenly(rows: list[T], most: int) -> list[T]:
    """Return at most `most` (2 or more) of the rows, evenly spaced, including the first and the
    last.
    """
    if len(rows) <= most:
        return rows
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def _figures(sheet: Sheet, results: Results) -> None:
    """Print the single figures of the probe."""
    found = {name: value for name, value in results.stats.figures.items() if value is not None}
    if found:
        sheet.side_by_side([f"{name} {number(value, 5)}" for name, value in found.items()])


OF_THE_PROBE = ("path", *LAYER_COLUMNS)
"""Columns of layers that are the probe's; the section `layers` shows them, or leaves them to
`stats.json`.
"""


def _measures(sheet: Sheet, results: Results) -> None:
    """Print a table of what measurements say of layers, and one for each section of theirs,
    without columns that have no value.
    """
    for name, rows in {"layers": results.stats.layers, **results.stats.sections}.items():
        known = OF_THE_PROBE if name == "layers" else ("path",)
        measured = (key for row in rows for key, value in row.items() if value is not None)
        columns = [column for column in dict.fromkeys(measured) if column not in known]
        if columns:
            first = "layer" if name == "layers" else name
            sheet.table(
                ((first, "left"), *((column.replace("_", " "), "right") for column in columns)),
                [[row["path"], *(_cell(row.get(column)) for column in columns)] for row in rows],
            )


def _cell(value: object) -> Cell:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Figure(value) if value is None or is_number else str(value)


def _diagnosis(sheet: Sheet, results: Results) -> None:
    """Print the headline and a paragraph for each finding."""
    if results.diagnosis is not None:
        sheet.gap()
        for line in said(results.diagnosis, sheet.width):
            sheet.text(line)


SECTIONS: dict[str, Callable[[Sheet, Results], None]] = {
    "parameters": _parameters,
    "layers": _layers,
    "gradients": _gradients,
    "training": _training,
    "figures": _figures,
    "measures": _measures,
    "diagnosis": _diagnosis,
}
"""The words of `show` (`runner.config.schema.SECTIONS`) and what prints each."""
