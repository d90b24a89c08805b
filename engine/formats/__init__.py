"""Snapshot files: write named arrays to a file and read them back.

Each module in this folder registers a format when it is imported.
"""

from __future__ import annotations

from initlab.engine.formats import npz, pages, params, placed, safetensors, sharded
from initlab.engine.formats.base import Format, Snapshot, for_runs, get, names, register
from initlab.engine.formats.shared import open_shared
from initlab.engine.registry import import_modules

import_modules(__name__, __path__)

__all__ = [
    "Format",
    "Snapshot",
    "for_runs",
    "get",
    "names",
    "npz",
    "open_shared",
    "pages",
    "params",
    "placed",
    "register",
    "safetensors",
    "sharded",
]
