"""The verdicts of claims in the folder of their runs: `claims.json`, and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from initlab.runner.files import write_json
from initlab.runner.json_values import JSON

CHARTS = "claims"
"""The name of the chart files without suffix."""
NAME = f"{CHARTS}.json"
FILES = (NAME, f"{CHARTS}.svg", f"{CHARTS}.png")
"""The files of verdicts in a folder."""
FORMAT = "initlab-claims-1"


def write(folder: Path, alpha: float, claims: Sequence[Mapping[str, JSON]]) -> None:
    """Write `claims.json`: every claim with its estimate, verdict and reason; `alpha` is the family
    error.
    """
    write_json(folder / NAME, {"format": FORMAT, "alpha": alpha, "claims": list(claims)})


def remove(folder: Path) -> None:
    """Remove the verdicts of an earlier judgement from a folder."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
