"""The results of experiments as a table on a terminal and as a page with figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from initlab.runner.claims import noise
from initlab.runner.claims.judge import Judged
from initlab.runner.excerpt import counted
from initlab.runner.expectation import COLORS, HEADINGS, TEXTS, cells
from initlab.runner.experiments.performing import Judgement
from initlab.runner.files import write_text
from initlab.runner.listing import Listing, print_line
from initlab.runner.report.claim_charts import write_claim_charts
from initlab.runner.report.drawing import available

PAGE, FIGURES = "results.md", "results"


def print_table(out: Console, judgements: Sequence[Judgement]) -> None:
    """Print a row for each claim, and the reason for each one that is not reproduced."""
    sides = (("left" if name in TEXTS else "right") for name in HEADINGS)
    table = Listing(("result", "left"), *zip(HEADINGS, sides, strict=True), keys=2)
    for judgement in judgements:
        for number, one in enumerate(judgement.judged):
            *row, verdict = cells(one)
            table.add_row(
                judgement.performed.experiment.name if number == 0 else "",
                *row,
                Text(verdict, COLORS[verdict]),
            )
    table.print(out)
    for judgement in judgements:
        for one in judgement.judged:
            if one.reason:
                name = f"{judgement.performed.experiment.name}.{one.claim.id}"
                print_line(out, f"{name}: {one.reason}", COLORS[one.verdict])
    every = [one for judgement in judgements for one in judgement.judged]
    counts = ", ".join(
        f"{sum(one.verdict == verdict for one in every)} {verdict}" for verdict in COLORS
    )
    many = f"{counted(len(judgements), 'experiment')}, {counted(len(every), 'claim')}"
    out.print(f"\n{many}: {counts}", highlight=False)


def write_page(folder: Path, judgements: Sequence[Judgement], alpha: float) -> Path:
    """Write `results.md` into a folder, and with matplotlib an SVG figure of each experiment."""
    drawn = available()
    lines = [
        "# Published results, reproduced",
        "",
        "Written by `initlab experiments --docs docs`; do not edit. Every row is a claim of a "
        "file in `conf/experiment`,",
        f"judged with all the others at a family error of {alpha:g} (Holm). `error` is the standard error, "
        "`z` the deviation as a normal",
        "deviate of the same probability. `floor` is the deviation that the claim allows for rounding or "
        "for what the theory neglects",
        "at this size: only what exceeds it is held against a claim, so one with a large `z` is reproduced "
        "where the floor covers its",
        "deviation. Of a bound (`<=`, `>=`), a large `z` on the right side is no deviation. "
        "`docs/experiments.md` says how verdicts are",
        "reached.",
        "",
        "| result | claim | predicted | measured | error | floor | z | verdict |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for judgement in judgements:
        name = judgement.performed.experiment.name
        lines += [
            f"| [{name}](#{name}) | {' | '.join(map(_escaped, cells(one)))}{_by_floor(one)} |"
            for one in judgement.judged
        ]
    for judgement in judgements:
        lines += ["", *_section(folder, judgement, drawn)]
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PAGE, "\n".join(lines) + "\n")
    return folder / PAGE


def _section(folder: Path, judgement: Judgement, drawn: bool) -> list[str]:
    performed = judgement.performed
    name = performed.experiment.name
    lines = [
        f"## {name}",
        "",
        performed.experiment.text.strip(),
        "",
        "```",
        f"initlab experiments {name}",
        "```",
        "",
    ]
    if drawn:
        figures = folder / FIGURES
        figures.mkdir(parents=True, exist_ok=True)
        write_claim_charts(figures, name, judgement.judged, performed.results(), [".svg"])
        said = "; ".join(f"{one.claim.id} {one.verdict}" for one in judgement.judged)
        lines += [f"![{name}: {said}]({FIGURES}/{name}.svg)", ""]
    lines += [_claim_line(one) for one in judgement.judged]
    groups = noise.shared({one.claim.id: one.estimate.points for one in judgement.judged})
    return lines + [line for group in groups for line in ("", noise.sentence(group))]


def _claim_line(one: Judged) -> str:
    note = f" {one.claim.note[0].upper()}{one.claim.note[1:]}." if one.claim.note else ""
    reason = f" {one.reason}." if one.reason else ""
    return (
        f"- **{one.claim.id}**: `{one.claim.quantity}` against `{one.claim.form}` ({one.claim.cite}); "
        f"{one.verdict}.{_floor_line(one)}{note}{reason}"
    )


def _by_floor(one: Judged) -> str:
    """Return which floor allows a z that would refute the claim, for the cell of its verdict."""
    return f", floor {one.claim.floor:g}" if one.by_floor else ""


def _floor_line(one: Judged) -> str:
    """Return a sentence about a reproduced claim whose z alone would refute it, or nothing."""
    if not one.by_floor:
        return ""
    claim, found = one.claim, one.estimate
    off = abs(found.value - claim.predicted)
    return (
        f" The floor is the reason, with a z of {one.z:+.2f}: it is off by {off:.2g}, and "
        f"{claim.floor:g} is allowed."
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
