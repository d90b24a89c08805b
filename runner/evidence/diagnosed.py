"""The diagnosis of a run: `diagnosis.json`, with its findings, worst first."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path

from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.sound import Sound, is_figure, is_text, list_of
from initlab.runner.evidence.version import check_version
from initlab.runner.json_values import JSON

FORMAT = "initlab-diagnosis-1"
VERSIONS = (1,)
RUN_AGAIN = "run its config again"
SEVERITIES = ("odd", "harmful", "fatal")
"""From the mildest: worth a look; training suffers; the network cannot learn."""
NOTHING = "nothing found that is known to hurt"
FORMS: dict[str, Sound] = {
    **dict.fromkeys(("id", "where", "measured", "expected", "why", "source"), is_text),
    **dict.fromkeys(("figure", "place"), lambda value: value is not None and is_figure(value)),
    "error": is_figure,
    "instead": list_of(is_text),
}
"""The parts of a finding, and the form of each."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    `where` is the path of a layer or parameter, or `the network`. `measured` says the figure in words
    with its unit; `figure` is the number and `error` its standard error, None if it has none.
    `expected` says what theory or the declared task asks for, `why` why it matters, with the
    `source` that shows it. `instead` are words that can be typed. `place` is that of `Scale.place`.
    """

    id: str
    where: str
    figure: float
    error: float | None
    measured: str
    expected: str
    why: str
    source: str
    instead: tuple[str, ...]
    place: float

    @property
    def severity(self) -> str:
        """`odd`, `harmful` or `fatal`."""
        return SEVERITIES[min(2, max(0, math.floor(self.place)))]

    def to_json(self) -> dict[str, JSON]:
        """Return the finding as JSON types."""
        return {"severity": self.severity, **vars(self), "instead": list(self.instead)}

    @classmethod
    def from_json(cls, content: object) -> Finding:
        """Return the finding. Raises ValueError if a part is missing or of another type."""
        if not isinstance(content, dict):
            raise ValueError("a finding is no mapping")
        for name, sound in FORMS.items():
            if not sound(content.get(name)):
                raise ValueError(f"{name} of a finding is missing or of another type")
        given = {field.name: content[field.name] for field in fields(cls)}
        for name in ("figure", "error", "place"):
            given[name] = None if given[name] is None else float(given[name])
        return cls(**(given | {"instead": tuple(given["instead"])}))


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The findings about a network before its first step, worst first, and what was looked at.

    `code` is the SHA-256 of the code that made it, in hex; '' if its file is older than that.
    """

    findings: tuple[Finding, ...]
    looked_at: tuple[str, ...]
    code: str = ""

    @property
    def severity(self) -> str | None:
        """The severity of the worst finding; None without any."""
        return self.findings[0].severity if self.findings else None

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity, the worst first."""
        return {s: sum(f.severity == s for f in self.findings) for s in reversed(SEVERITIES)}

    @property
    def short(self) -> str:
        """The worst finding in a cell of a table, like `fatal: signal-vanishes`; `none` without any."""
        return f"{self.severity}: {self.findings[0].id}" if self.findings else "none"

    @property
    def headline(self) -> str:
        """One line: how many findings of which severity, or that nothing was found."""
        if not self.findings:
            return NOTHING
        said = ", ".join(f"{count} {severity}" for severity, count in self.counts.items() if count)
        return f"{said}; worst: {self.findings[0].id} at {self.findings[0].where}"

    def __repr__(self) -> str:
        lines = [f"Diagnosis: {self.headline}"]
        for one in self.findings:
            lines.append(f"  {one.severity:<7}  {one.id} at {one.where}: {one.measured}")
            advised = [f"           instead: {words}" for words in one.instead]
            lines += [line for line in advised if line not in lines]
        return "\n".join(lines)

    def to_json(self) -> dict[str, JSON]:
        """Return the content of `diagnosis.json`."""
        found: list[JSON] = [finding.to_json() for finding in self.findings]
        return {
            "format": FORMAT,
            "severity": self.severity,
            "headline": self.headline,
            "findings": found,
            "looked_at": list(self.looked_at),
            "code": self.code,
        }

    @classmethod
    def from_json(cls, content: object, place: Path) -> Diagnosis:
        """Return the diagnosis in the file at `place`. Raises EvidenceError if it is damaged or newer."""
        if not isinstance(content, dict):
            raise EvidenceError(f"{place}: is damaged, it holds no mapping - {RUN_AGAIN}")
        check_version(place, content.get("format"), "diagnosis", VERSIONS, RUN_AGAIN)
        found, looked = content.get("findings"), content.get("looked_at")
        code = content.get("code", "")
        try:
            if not isinstance(found, list) or not list_of(is_text)(looked):
                raise ValueError("findings or looked_at are missing")
            if not is_text(code):
                raise ValueError("code is no text")
            findings = tuple(Finding.from_json(one) for one in found)
            return cls(findings, tuple(looked or ()), code)
        except ValueError as error:
            raise EvidenceError(f"{place}: is not as written, {error} - {RUN_AGAIN}") from error
