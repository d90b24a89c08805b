"""The diagnosis in a report: its headline, and each finding with the words to type instead."""

from __future__ import annotations

from collections.abc import Iterable

from initlab.runner.evidence.diagnosed import NOTHING, Diagnosis, Finding
from initlab.runner.report.page import broken, escaped, section


def diagnosis_section(diagnosis: Diagnosis | None) -> str:
    """Return the section of a run's diagnosis; '' if the run made none."""
    if diagnosis is None:
        return ""
    style = _style(diagnosis.severity)
    headline = diagnosis.headline
    looked = _looked_at(diagnosis.looked_at)
    said = f'<p class="{style}">{escaped(headline[:1].upper() + headline[1:])}.</p>'
    advised: set[tuple[str, ...]] = set()
    items = []
    for finding in diagnosis.findings:
        items.append(_finding(finding, finding.instead not in advised))
        advised.add(finding.instead)
    found = "\n".join(items)
    return section(
        "Diagnosis", said, f'<ol class="findings">\n{found}\n</ol>' if found else "", looked
    )


def diagnosis_cell(diagnosis: Diagnosis | None) -> str:
    """Return the table cell of a run's worst finding. It is sorted by how bad that is."""
    if diagnosis is None:
        return "<td></td>"
    return worst_cell(diagnosis.findings[0] if diagnosis.findings else None, diagnosis.short)


def worst_cell(worst: Finding | None, text: str) -> str:
    """Return the table cell of the worst of some findings, None without any, in words."""
    place, style = (-1.0, _style(None)) if worst is None else (worst.place, worst.severity)
    return f'<td class="found {style}" data-value="{place!r}">{escaped(text)}</td>'


def diagnoses_line(found: Iterable[Diagnosis]) -> str:
    """Return how many runs of a sweep have a finding of each severity at worst; '' without a
    diagnosis.
    """
    worst = [diagnosis.severity for diagnosis in found]
    if not worst:
        return ""
    counts = {severity: worst.count(severity) for severity in ("fatal", "harmful", "odd", None)}
    said = ", ".join(
        f"{n} {severity or 'without a finding'}" for severity, n in counts.items() if n
    )
    style = _style(next(severity for severity, n in counts.items() if n))
    runs = "run" if len(worst) == 1 else "runs"
    text = (
        f"{NOTHING} in {len(worst)} {runs}" if not any(worst) else f"{said} of {len(worst)} {runs}"
    )
    return f'<p class="{style}">Diagnosis, by the worst finding: {escaped(text)}.</p>'


def _style(severity: str | None) -> str:
    return "good" if severity is None else severity


def _finding(finding: Finding, advises: bool) -> str:
    """Return the item of a finding; `advises` says whether with what to type instead, which is said once."""
    words = " ".join(finding.instead) if advises else ""
    pairs = [
        ("measured", escaped(finding.measured)),
        ("expected", escaped(finding.expected)),
        ("why", f'{escaped(finding.why)} <span class="soft">({escaped(finding.source)})</span>'),
        *([("instead", f"<code>{escaped(words)}</code>")] if words else []),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)
    return (
        f'<li><h3><span class="{finding.severity}">{finding.severity}</span> {escaped(finding.id)} '
        f'<span class="soft">at</span> <span class="mono">{broken(finding.where)}</span></h3>'
        f"<dl>{rows}</dl></li>"
    )


def _looked_at(titles: tuple[str, ...]) -> str:
    if not titles:
        return ""
    items = "".join(f"<li>{escaped(title)}</li>" for title in dict.fromkeys(titles))
    return f"<details><summary>What was looked at</summary><ul>{items}</ul></details>"
