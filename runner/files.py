"""Small text files that appear whole or not at all: written under a temporary name, synced, renamed."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.formats.base import TEMPORARY, replacing


def sync_folder(folder: Path) -> None:
    """Make what was renamed into or removed from a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically and durably."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def remove_leftovers(folder: Path) -> None:
    """Take away what a killed process may have left half written in a folder."""
    for path in folder.glob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON a person can read; NaN and infinity, which JSON lacks, become the texts that `float` reads."""
    write_text(path, json.dumps(_in_json(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _in_json(value: Any) -> Any:
    """`value` in JSON's own types; a NumPy number, which a user's statistic may give, as Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {key: _in_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_json(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a table; a missing figure is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: row.get(column) for column in columns})
    write_text(path, text.getvalue())
