"""An audit as a table on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from initlab.runner.audit.audit import Audit, Judged
from initlab.runner.audit.found import BLOCKS
from initlab.runner.evidence.statistics import shape_text
from initlab.runner.excerpt import counted, on_one_line, shortened
from initlab.runner.listing import Listing, print_line
from initlab.runner.terminal.folding import number

LONGEST_NAME = 100
MOST_NAMES = 3
"""Names of a spread in the table; `--json` has all."""


def print_audit(out: Console, found: Audit) -> None:
    """Print a row for each tensor, then what is remarkable, then the result in one line."""
    print_line(out, f"{found.path}  ({counted(len(found.tensors), 'tensor')})")
    table = Listing(
        ("tensor", "left"), ("shape", "right"), ("law", "left"), ("std", "right"), ("as by", "left")
    )
    for one in found.tensors:
        table.add_row(*_cells(one))
    table.print(out)
    for line in remarks(found):
        print_line(out, line)
    for line in contradictions(found):
        print_line(out, line, "red")
    print_line(out, verdict(found))


def _cells(one: Judged) -> list[str | Text]:
    name = shortened(one.name, LONGEST_NAME)
    if one.found is None:
        return [name, "", Text("not read", "yellow"), "", ""]
    found = one.found
    law = " | ".join(part.kind for part in found.parts) if found.kind == BLOCKS else found.kind
    std = found.numbers.get("std", found.numbers.get("gain"))
    names = [scale.name for scale in one.scales[:MOST_NAMES]]
    if len(one.scales) > MOST_NAMES:
        names.append(f"{len(one.scales) - MOST_NAMES} more")
    return [
        name,
        shape_text(one.shape),
        Text(law + "?" * bool(found.others), "" if found.fresh else "yellow"),
        "" if std is None else number(std),
        " or ".join(names),
    ]


def remarks(found: Audit) -> list[str]:
    """Return what is remarkable, a line each."""
    lines = [f"{one.name}: {said}" for one in found.tensors for said in _remarks(one)]
    lines += [f"{name}: is tied to {owner}" for name, owner in found.ties.items()]
    wrong = {each.said for each in found.whole}
    lines += [said for said in map(str, found.copies) if said not in wrong]
    if any(one.found is not None and one.found.others for one in found.tensors):
        lines.append(
            "? other laws fit as well: too few elements to tell them apart (--json has them)"
        )
    return [on_one_line(line) for line in lines]


def _remarks(one: Judged) -> tuple[str, ...]:
    if one.found is None:
        return (f"not read: {one.unread}",)
    return () if one.contradictions else one.found.remarks


def contradictions(found: Audit) -> list[str]:
    """Return what contradicts the declaration, a line each."""
    lines = [
        f"{one.name}: {each.said} [{each.name}]"
        for one in found.tensors
        for each in one.contradictions
    ]
    lines += [f"{each.said} [{each.name}]" for each in found.whole]
    return [on_one_line(line) for line in lines]


def verdict(found: Audit) -> str:
    """Return the result of a file in one line."""
    wrong = sum(bool(one.contradictions) for one in found.tensors) + len(found.whole)
    unread = sum(bool(one.unread) for one in found.tensors)
    not_fresh = sum(one.found is not None and not one.found.fresh for one in found.tensors)
    parts = [counted(len(found.tensors), "tensor")]
    parts += [f"{not_fresh} not fresh"] if not_fresh else []
    parts += [f"{unread} not read"] if unread else []
    parts += [counted(wrong, "contradiction") if wrong else "no contradiction"]
    return f"{found.path}: {', '.join(parts)}"
