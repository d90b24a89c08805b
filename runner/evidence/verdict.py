"""Verdicts: whether each parameter agrees with its declaration.

All parameters are judged together by Holm's procedure over their p-values, with a family error of
1e-6, so a correct run practically never fails.

    exact      the law determines every value, and the values are those
    ok         no test rejects the law
    off        the values do not follow the law
    untested   the law states nothing to test (a user's own initializer)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initlab.engine.laws import Law

FAMILY_ERROR = 1e-6


def judge(laws: Mapping[str, Law], figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return {path: verdict}.

    `laws` are the owners' by path, `figures` the results of the statistic `law`.
    """
    verdicts = {path: _without_p(law, figures.get(path, {})) for path, law in laws.items()}
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


def _without_p(law: Law, row: Mapping[str, Any]) -> str:
    """Return the verdict if it does not depend on other parameters."""
    if row.get("bound_ok") is None or (law.std is None and row.get("invariants_ok") is None):
        return "untested"
    if row.get("bound_ok") is False or row.get("invariants_ok") is False:
        return "off"
    return "ok" if law.random else "exact"
