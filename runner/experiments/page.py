"""The results of experiments as a table on a terminal and as a page with figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from initlab.runner.claims.judge import Judged
from initlab.runner.excerpt import counted
from initlab.runner.expectation import COLORS, HEADINGS, TEXTS, cells
from initlab.runner.experiments.performing import Judgement
from initlab.runner.files import write_text
from initlab.runner.listing import Listing
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
                out.print(
                    f"{name}: {one.reason}",
                    style=COLORS[one.verdict],
                    highlight=False,
                    markup=False,
                )
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
        "deviate of the same probability. `docs/experiments.md` says how verdicts are reached.",
        "",
        "| result | claim | predicted | measured | error | z | verdict |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for judgement in judgements:
        name = judgement.performed.experiment.name
        lines += [
            f"| [{name}](#{name}) | " + " | ".join(_escaped(cell) for cell in cells(one)) + " |"
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
    return lines + [_claim_line(one) for one in judgement.judged]


def _claim_line(one: Judged) -> str:
    note = f" {one.claim.note[0].upper()}{one.claim.note[1:]}." if one.claim.note else ""
    reason = f" {one.reason}." if one.reason else ""
    return (
        f"- **{one.claim.id}**: `{one.claim.quantity}` against `{one.claim.form}` ({one.claim.cite}); "
        f"{one.verdict}.{note}{reason}"
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
