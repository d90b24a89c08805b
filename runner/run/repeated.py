"""A run that is made again over a finished run of the same config: it must give the same values.

Only values that are exact to the bit are compared.
"""

from __future__ import annotations

from initlab.engine import laws
from initlab.runner.evidence.manifest import Digests, Manifest, used_versions
from initlab.runner.excerpt import counted
from initlab.runner.plan.row import Row
from initlab.runner.plan.validate import RunConfig

SHOWN = 3
"""Parameters that the line names at most."""


def said_of_changes(former: Manifest | None, config: RunConfig, made: Digests) -> str | None:
    """Return one line about the parameters that differ from those of the former run in the same
    folder, with the likely cause; None if all agree, or if it was of another config.
    """
    if former is None or former.canonical != config.canonical:
        return None
    rows = changed_rows(former, config, made)
    if not rows:
        return None
    return (
        f"{counted_of(rows, config)} are not as in the run of the same config that was here before: "
        f"{names_of(rows)} - {cause(rows, former)}"
    )


def changed_rows(former: Manifest, config: RunConfig, made: Digests) -> list[Row]:
    """Return the rows of the parameters that differ from those of a former run."""
    recorded = former.digests.tensors
    return [
        row
        for row in config.rows
        if row.law.exactness == "bits"
        and recorded.get(row.path, made.tensors[row.path]) != made.tensors[row.path]
    ]


def counted_of(rows: list[Row], config: RunConfig) -> str:
    """Return `2 of 4 parameters`."""
    return f"{len(rows)} of {counted(len(config.rows), 'parameter')}"


def names_of(rows: list[Row]) -> str:
    """Return the names of parameters for a line: the first, and how many more there are."""
    names = ", ".join(f"'{row.path}'" for row in rows[:SHOWN])
    return names + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def cause(rows: list[Row], former: Manifest) -> str:
    """Return what most likely made these parameters differ from those of a former run."""
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
