"""Which tensors of a file are converted to another dtype when they are loaded.

This is said beside the plan and is no part of it: the plan's rows state both the file and the dtype.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from initlab.engine import dtypes
from initlab.engine.laws import Law, Loaded
from initlab.runner.excerpt import counted

MOST = 8
"""Names that a line lists."""


class Drawn(Protocol):
    """A row of a plan, as far as it says what is drawn."""

    @property
    def dtype(self) -> str:
        """The name of the parameter's dtype."""

    @property
    def law(self) -> Law:
        """The law."""

    @property
    def alias_of(self) -> str | None:
        """The owner."""


def conversions(rows: Iterable[Drawn]) -> list[str]:
    """Return a line for each file and pair of dtypes, in the order of the rows."""
    found: dict[tuple[str, np.dtype, np.dtype], list[str]] = {}
    for row in rows:
        if row.alias_of is None and isinstance(row.law, Loaded):
            stored, wanted = row.law.read().dtype, dtypes.resolve(row.dtype)
            if stored != wanted:
                found.setdefault((row.law.file, stored, wanted), []).append(row.law.tensor)
    return [_line(*key, tensors) for key, tensors in found.items()]


def _line(file: str, stored: np.dtype, wanted: np.dtype, tensors: list[str]) -> str:
    rounds = "" if np.can_cast(stored, wanted, "safe") else ", which may round"
    more = [f"{len(tensors) - MOST} more"] if len(tensors) > MOST else []
    listed = ", ".join([f"'{name}'" for name in tensors[:MOST]] + more)
    return (
        f"{counted(len(tensors), 'tensor')} of {file} {'is' if len(tensors) == 1 else 'are'} converted from "
        f"{stored.name} to {wanted.name}{rounds}: {listed}"
    )
