"""The ledger: a record of what was initialized, and its check against the plan.

Each parameter must be filled exactly once, from its key and by its law.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from initlab.engine import gluon
from initlab.engine.gluon.state import Filled, observe
from initlab.runner.errors import LedgerError
from initlab.runner.plan.row import Row
from initlab.runner.plan.rows import Plan


@dataclass
class Ledger:
    """A record of every time a parameter was filled, in order."""

    entries: list[Filled] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        """Return counts for the manifest."""
        return {
            "filled": len(self.entries),
            "parameters": len({entry.path for entry in self.entries}),
        }


@contextmanager
def recording() -> Iterator[Ledger]:
    """Record everything that is filled inside a `with`."""
    ledger = Ledger()

    def note(parameter: gluon.Parameter, filled: Filled) -> None:
        ledger.entries.append(filled)

    with observe(note):
        yield ledger


def check(ledger: Ledger, plan: Plan) -> None:
    """Raise LedgerError naming the first parameter that was not filled exactly once as planned."""
    by_path: dict[str, list[Filled]] = {}
    for entry in ledger.entries:
        by_path.setdefault(entry.path, []).append(entry)
    for row in plan.owners:
        filled = by_path.pop(row.path, [])
        if len(filled) != 1:
            raise LedgerError(
                f"parameter '{row.path}' was initialized {len(filled)} times, planned once"
            )
        _check_entry(filled[0], row)
    for path in by_path:
        raise LedgerError(f"parameter '{path}' was initialized but is not in the plan")


def _check_entry(entry: Filled, row: Row) -> None:
    for what, got, planned in (
        ("shape", tuple(entry.shape), row.shape),
        ("stream key", entry.key if row.key is not None else None, row.key),
        ("law", str(entry.law), str(row.law)),
    ):
        if got != planned:
            raise LedgerError(
                f"parameter '{row.path}' was initialized with {what} {got}, planned {planned}"
            )
