"""A run that is made again over a finished run of the same config: it must give the same values.

Only values that are exact to the bit are compared.
"""

from __future__ import annotations

from initlab.engine import laws
from initlab.runner.evidence.manifest import Digests, Manifest, used_versions
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig

SHOWN = 3
"""Parameters that the line names at most."""


def said_of_changes(former: Manifest | None, config: RunConfig, made: Digests) -> str | None:
    """Return one line about the parameters that differ from those of the former run, with the
    likely cause; None if all agree, or if the former run was of another config.
    """
    if former is None or former.canonical != config.canonical:
        return None
    recorded = former.digests.tensors
    rows = [
        row
        for row in config.rows
        if row.law.exactness == "bits"
        and recorded.get(row.path, made.tensors[row.path]) != made.tensors[row.path]
    ]
    if not rows:
        return None
    names = ", ".join(f"'{row.path}'" for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return (
        f"{len(rows)} of {len(config.rows)} parameters are not as in the run of the same config that was "
        f"here before: {names}{more} - {_cause(rows, former)}"
    )


def _cause(rows: list[Row], former: Manifest) -> str:
    """Return what most likely made these parameters differ, and what to do."""
    custom = [row for row in rows if former.plugins or isinstance(row.law, laws.Custom)]
    if custom:
        return (
            f"{custom[0].initializer} draws numbers that do not follow from the seed, like those of "
            "numpy.random; draw them from initlab's nd.random"
        )
    ours, before = used_versions()["initlab"], former.versions.get("initlab", "unknown")
    if ours != before:
        return f"it was made by initlab {before}, and this is {ours}"
    return "its files were changed, or the code that drew it was; initlab verify checks the new run"
