"""Whether each parameter looks as declared, all of them judged together so that a fixed seed never
flakes.

Holm's procedure over the p-values of all parameters, family error 1e-6.

    exact      a law that leaves no choice, and the values are it
    ok         nothing speaks against the law
    off        the values do not follow the law
    untested   the law states nothing to test (a user's own initializer)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initlab.engine import laws
from initlab.runner.plan.rows import Row

FAMILY_ERROR = 1e-6


def judge(rows: Sequence[Row], figures: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Path -> verdict, for owners; `figures` has those of the statistic `law` by path."""
    verdicts = {row.path: _without_p(row.law, figures.get(row.path, {})) for row in rows}
    tested = [
        (figures[path]["p"], path)
        for path in verdicts
        if figures.get(path, {}).get("p") is not None
    ]
    tested.sort()
    for rank, (p, path) in enumerate(tested):
        if p > FAMILY_ERROR / (len(tested) - rank):
            break
        verdicts[path] = "off"
    return verdicts


def _without_p(law: laws.Law, row: dict[str, Any]) -> str:
    """The verdict that needs no comparison with other parameters."""
    if row.get("bound_ok") is None or (law.std is None and row.get("invariants_ok") is None):
        return "untested"
    if row.get("bound_ok") is False or row.get("invariants_ok") is False:
        return "off"
    return "ok" if law.random else "exact"
