"""What claims came to, in the folder of the runs that they were judged by: `claims.json`, and
charts of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from initlab.runner.files import write_json

CHARTS = "claims"
"""The charts' name without a suffix."""
NAME = f"{CHARTS}.json"
FILES = (NAME, f"{CHARTS}.svg", f"{CHARTS}.png")
"""What a folder of judged runs holds."""
FORMAT = "initlab-claims-1"


def write(folder: Path, alpha: float, claims: Sequence[dict[str, Any]]) -> None:
    """`claims.json`: every claim with its estimate, its verdict and why, judged at the family error
    `alpha`.
    """
    write_json(folder / NAME, {"format": FORMAT, "alpha": alpha, "claims": list(claims)})


def forget(folder: Path) -> None:
    """Take away what an older judgement left in a folder: it must not speak for new runs."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
