"""The diagnosis in lines of text: worst first, each finding with what to type instead."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from initlab.runner.evidence.diagnosed import Diagnosis, Finding
from initlab.runner.excerpt import counted

STYLE = {"fatal": "bold red", "harmful": "yellow", "odd": "cyan"}
MARGIN = "         "
"""As wide as the longest severity and two spaces."""
WIDEST = 110
"""Characters of a line of text at most; longer ones are hard to read."""


def said(diagnosis: Diagnosis, width: int, label: str = "diagnosis: ") -> Iterator[Text]:
    """Yield the headline after a label, a paragraph for each finding, and without any how much was
    looked at.
    """
    width = min(width, WIDEST)
    style = STYLE.get(diagnosis.severity or "", "green")
    first, *rest = textwrap.wrap(
        label + diagnosis.headline,
        width,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield Text(label).append(first.removeprefix(label), style=style)
    yield from (Text(line, style) for line in rest)
    advised: tuple[str, ...] = ()
    for finding in diagnosis.findings:
        yield from _paragraph(finding, width, finding.instead != advised)
        advised = finding.instead or advised
    if not diagnosis.findings and diagnosis.looked_at:
        count = counted(len(diagnosis.looked_at), "figure")
        looked = f"looked at: {count}, which docs/diagnosis.md explains"
        yield from map(Text, textwrap.wrap(looked, width, subsequent_indent="  "))


def print_diagnosis(out: Console, diagnosis: Diagnosis) -> None:
    """Print the diagnosis."""
    for line in said(diagnosis, out.width):
        out.print(line, highlight=False, soft_wrap=True)


def print_declared(out: Console, findings: tuple[Finding, ...]) -> None:
    """Print what is known to hurt in what is declared, if anything is."""
    if findings:
        out.print()
        for line in said(Diagnosis(findings, ()), out.width, "as declared: "):
            out.print(line, highlight=False, soft_wrap=True)


def _paragraph(finding: Finding, width: int, advises: bool) -> Iterator[Text]:
    first = f"{finding.id} at {finding.where}: {finding.measured}; expected {finding.expected}."
    texts = [*_wrapped(first, width), *_wrapped(f"{finding.why} ({finding.source})", width)]
    if finding.instead and advises:
        texts += _wrapped(f"instead: {' '.join(finding.instead)}", width)
    yield Text(f"{finding.severity:<{len(MARGIN)}}", STYLE[finding.severity]).append(
        texts[0], style="default"
    )
    yield from (Text(MARGIN + text) for text in texts[1:])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, max(20, width - len(MARGIN)), break_long_words=False, break_on_hyphens=False
    )
