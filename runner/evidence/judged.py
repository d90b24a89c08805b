"""The verdicts of claims in the folder of their runs: `claims.json`, and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from initlab.engine import strict_json
from initlab.runner.errors import EvidenceError
from initlab.runner.evidence.version import check_version
from initlab.runner.files import write_json
from initlab.runner.json_values import JSON

CHARTS = "claims"
"""The name of the chart files without suffix."""
NAME = f"{CHARTS}.json"
FILES = (NAME, f"{CHARTS}.svg", f"{CHARTS}.png")
"""The files of verdicts in a folder."""
FORMAT = "initlab-claims-1"
VERSIONS = (1,)
JUDGE_AGAIN = "run the words of its claims again"


def write(folder: Path, alpha: float, claims: Sequence[Mapping[str, JSON]]) -> None:
    """Write `claims.json`: every claim with its estimate, verdict and reason; `alpha` is the family
    error.
    """
    write_json(folder / NAME, {"format": FORMAT, "alpha": alpha, "claims": list(claims)})


def read(folder: Path) -> list[dict[str, JSON]]:
    """Return the claims of `claims.json` in a folder; none if there is no such file.

    Raises EvidenceError if it is damaged or of another version.
    """
    path = folder / NAME
    if not path.exists():
        return []
    try:
        content = strict_json.read(path)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: is damaged, {error} - {JUDGE_AGAIN}") from error
    claims = content.get("claims") if isinstance(content, dict) else None
    if not isinstance(claims, list) or not all(isinstance(claim, dict) for claim in claims):
        raise EvidenceError(f"{path}: is damaged, it holds no list of claims - {JUDGE_AGAIN}")
    check_version(path, content.get("format"), "claims", VERSIONS, JUDGE_AGAIN)
    return claims


def remove(folder: Path) -> None:
    """Remove the verdicts of an earlier judgement from a folder."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
