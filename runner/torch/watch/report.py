"""What a watch found, as text of 80 columns and as JSON types."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from initlab.runner.excerpt import counted, on_one_line
from initlab.runner.torch.watch.record.found import Finding, Held, law_of, writer_of

FORMAT = "initlab-watch-1"
WIDTH = 80
MOST = 4


def pattern(name: str) -> str:
    """Return a name with `*` for its numbers: `h.*.attn.weight`."""
    return re.sub(r"(?<![^.])\d+(?![^.])", "*", name)


def patterns(names: Iterable[str]) -> str:
    """Return names in a few words: those that differ in numbers once, with how many there are."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[pattern(name)].append(name)
    said = [each[0] if len(each) == 1 else f"{key} ({len(each)})" for key, each in groups.items()]
    more = f" and {len(said) - MOST} more" if len(said) > MOST else ""
    return ", ".join(said[:MOST]) + more


@dataclass(frozen=True)
class Row:
    """Tensors that were written by the same code with the same law."""

    names: tuple[str, ...]
    law: str
    writer: str
    writes: int

    @classmethod
    def of(cls, names: Iterable[str], held: Held) -> Row:
        """Return the row of tensors like this one."""
        return cls(tuple(names), law_of(held), writer_of(held), len(held.history.writes))


@dataclass(frozen=True)
class Report:
    """A watched model: its rows, and what was found. `allowed` are findings that are meant, with the
    reason.
    """

    model: str
    rows: tuple[Row, ...]
    ties: Mapping[str, str]
    findings: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, str], ...] = field(default=())
    checked: tuple[str, ...] = ()
    """The ids of the checks that were made."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found that is not allowed."""
        return not self.findings

    def named(self, check: str) -> tuple[str, ...]:
        """Return the names of tensors that a check found."""
        return tuple(name for one in self.findings if one.id == check for name in one.names)

    def describe(self) -> dict[str, object]:
        """Return the report as JSON types."""
        return {
            "format": FORMAT,
            "model": self.model,
            "tensors": [
                {
                    "names": list(row.names),
                    "law": row.law,
                    "writer": row.writer,
                    "writes": row.writes,
                }
                for row in self.rows
            ],
            "ties": dict(self.ties),
            "checks": list(self.checked),
            "findings": [
                {"id": one.id, "names": list(one.names), "said": one.said} for one in self.findings
            ],
            "allowed": [
                {"id": one.id, "names": list(one.names), "said": one.said, "why": why}
                for one, why in self.allowed
            ],
        }

    def __str__(self) -> str:
        """Return the report as text, for a terminal of 80 columns."""
        return "\n".join([*_rows(self), *_found(self), _verdict(self)])

    __repr__ = __str__


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        on_one_line(text), WIDTH, initial_indent=indent, subsequent_indent=indent + "  "
    ) or [indent]


def _rows(report: Report) -> list[str]:
    count = sum(len(row.names) for row in report.rows)
    lines = [f"{report.model}: {counted(count, 'tensor')}"]
    for row in report.rows:
        writes = counted(row.writes, "write")
        lines += _wrapped(patterns(row.names), "  ")
        lines += _wrapped(
            f"{row.law}; {writes}{f', by {row.writer}' if row.writer else ''}", "      "
        )
    lines += [
        line
        for name, owner in report.ties.items()
        for line in _wrapped(f"{name} is tied to {owner}", "  ")
    ]
    return lines


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with those of one check that say the same put together."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in findings:
        groups[one.id, one.said] += one.names
    return [
        Finding(key, tuple(dict.fromkeys(names)), said) for (key, said), names in groups.items()
    ]


def _found(report: Report) -> list[str]:
    lines: list[str] = []
    for one in report.findings:
        lines += _wrapped(f"{one.id}: {patterns(one.names)}", "")
        lines += _wrapped(one.said, "    ")
    for one, why in report.allowed:
        lines += _wrapped(f"allowed ({why}): {one.id}: {patterns(one.names)}", "")
    return lines


def _verdict(report: Report) -> str:
    if not report.findings:
        return f"{report.model}: nothing was found by {counted(len(report.checked), 'check')}"
    return f"{report.model}: {counted(len(report.findings), 'finding')}"
