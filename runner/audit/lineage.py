"""Whether a file's tensors can descend from another file's: how far each has moved, and whether any
trace of the older values is left.

Training and fine-tuning move values, and leave them correlated with those they started from. A tensor
whose correlation is within the noise of independent tensors shows no trace: it was drawn anew, or comes
from elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.text import Text

from initlab.runner.audit.audit import opened
from initlab.runner.check.distance import distance
from initlab.runner.errors import EXIT_FAILED, EXIT_REFUSED, EvidenceError, print_error
from initlab.runner.evidence.statistics import shape_text
from initlab.runner.excerpt import counted, on_one_line
from initlab.runner.files import in_json
from initlab.runner.listing import Listing, print_line
from initlab.runner.terminal import tables
from initlab.runner.terminal.folding import number

FORMAT = "initlab-lineage-1"
NOISE = 6.0
"""Standard errors of a correlation of independent tensors below which no trace is seen (p = 2e-9)."""
LEAST = 256
"""Elements from which a missing correlation says something."""
SAME, DESCENDS, NO_TRACE, OTHER_SHAPE, NEW, GONE, UNSAID, UNREAD = (
    "the same", "moved", "no trace", "other shape", "new", "gone", "cannot be told", "not read",
)  # fmt: skip
WRONG = (NO_TRACE, OTHER_SHAPE)


@dataclass(frozen=True)
class Descent:
    """One tensor: the result, the distance relative to the older values, and the correlation."""

    name: str
    shape: tuple[int, ...]
    result: str
    relative: float | None = None
    correlation: float | None = None


def lineage(older: Path, younger: Path) -> list[Descent]:
    """Return the result for each tensor of both files. Raises EvidenceError if one cannot be read, or
    if no name is in both.
    """
    a, b = opened(older), opened(younger)
    unread = a.unread.keys() | b.unread.keys()
    if not (a.names | a.unread.keys()) & (b.names | b.unread.keys()):
        said = f"has no tensor of a name that is in {older}, so nothing can be compared"
        raise EvidenceError(f"{younger}: {said} - rename the tensors of one of them")
    found = [Descent(name, (), UNREAD) for name in sorted(unread)]
    for name in sorted((a.names | b.names) - unread):
        x, y = a.values(name), b.values(name)
        if x is not None and y is not None:
            found.append(descent(name, x, y))
        elif y is not None:
            found.append(Descent(name, y.shape, NEW))
        elif x is not None:
            found.append(Descent(name, x.shape, GONE))
    return found


def descent(name: str, older: np.ndarray, younger: np.ndarray) -> Descent:
    """Return the result for one tensor of both files."""
    if older.shape != younger.shape:
        return Descent(name, younger.shape, OTHER_SHAPE)
    found = distance(older, younger)
    if found.identical:
        return Descent(name, younger.shape, SAME, 0.0, 1.0)
    correlation, size = found.correlation, younger.size - found.left_out
    if correlation is None:
        result = UNSAID
    elif abs(correlation) > NOISE / math.sqrt(max(1, size)):
        result = DESCENDS
    else:
        result = NO_TRACE if size >= LEAST else UNSAID
    return Descent(name, younger.shape, result, found.relative_l2, correlation)


def lineage_all(older: Path, files: Sequence[Path], as_json: bool) -> int:
    """Print the lineage of each file; return 1 if a tensor cannot descend, 2 if one could not be
    read, else 0. A file that cannot be compared is a line on stderr, and does not keep the others from
    being compared.
    """
    described: list[object] = []
    worst = 0
    for path in files:
        try:
            found = lineage(older, path)
        except EvidenceError as error:
            print_error(error)
            worst = max(worst, EXIT_REFUSED)
            continue
        worst = max(worst, _code(found))
        if as_json:
            rows = [asdict(one) for one in found]
            described.append(
                {"format": FORMAT, "file": str(path), "from": str(older), "tensors": rows}
            )
        else:
            _print(path, older, found)
    if as_json:
        tables.print_json(in_json(described))
    return worst


def _code(found: list[Descent]) -> int:
    """Return the exit code for one file."""
    results = {one.result for one in found}
    return EXIT_FAILED if results & set(WRONG) else EXIT_REFUSED if UNREAD in results else 0


def _print(path: Path, older: Path, found: list[Descent]) -> None:
    out = tables.console()
    table = Listing(
        ("tensor", "left"),
        ("shape", "right"),
        ("result", "left"),
        ("rel L2", "right"),
        ("correlation", "right"),
    )
    for one in found:
        result = Text(one.result, "red" if one.result in WRONG else "")
        moved = "" if one.relative is None else number(one.relative)
        alike = "" if one.correlation is None else number(one.correlation)
        table.add_row(on_one_line(one.name), shape_text(one.shape), result, moved, alike)
    table.print(out)
    results = [one.result for one in found]
    counts = ", ".join(f"{results.count(kind)} {kind}" for kind in dict.fromkeys(results))
    print_line(out, f"{path} from {older}: {counted(len(found), 'tensor')}, {counts}")
