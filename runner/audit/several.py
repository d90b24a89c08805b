"""Audits of several files: printed, as JSON, or as a JUnit report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from initlab.runner.audit.against import audit_against
from initlab.runner.audit.audit import Audit, audit, describe
from initlab.runner.audit.page import print_audit
from initlab.runner.audit.scales import Facts
from initlab.runner.audit.spec import Spec
from initlab.runner.check import junit
from initlab.runner.errors import EXIT_REFUSED, ConfigError, EvidenceError, print_error
from initlab.runner.files import in_json
from initlab.runner.terminal import tables


def audit_all(
    files: Sequence[Path], declared: Facts | Spec, as_json: bool, report: Path | None
) -> int:
    """Audit each file, against a declaration if one is given, and print it; return the largest exit
    code. A file that cannot be read, or judged, is a line on stderr, and does not keep the others from
    being audited.
    """
    worst = 0
    described: list[object] = []
    cases: list[junit.Case] = []
    for path in files:
        start = time.monotonic()
        try:
            if isinstance(declared, Spec):
                found = audit_against(path, declared)
            else:
                found = audit(path, declared)
        except (EvidenceError, ConfigError) as error:
            print_error(error)
            worst = max(worst, EXIT_REFUSED)
            cases.append(junit.Case(str(path), time.monotonic() - start, error=str(error)))
            continue
        worst = max(worst, found.code)
        cases += _cases(found, time.monotonic() - start)
        if as_json:
            described.append(in_json(describe(found)))
        else:
            print_audit(tables.console(), found)
    if as_json:
        tables.print_json(described)
    if report is not None:
        junit.write(report, "initlab audit", cases)
    return worst


def _cases(found: Audit, seconds: float) -> list[junit.Case]:
    """Return a case for each tensor, and one for the file."""
    cases = [
        junit.Case(
            f"{found.path}: {one.name}",
            0.0,
            [(each.name, each.said) for each in one.contradictions],
            one.unread or None,
        )
        for one in found.tensors
    ]
    whole = [(each.name, each.said) for each in found.whole]
    return [junit.Case(str(found.path), seconds, whole), *cases]
