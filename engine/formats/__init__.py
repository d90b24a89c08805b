"""Snapshot files: named raw arrays to a file and back. A module dropped into this folder and
imported here is a format.
"""

from __future__ import annotations

from initlab.engine.formats import npz, params, placed, safetensors, sharded
from initlab.engine.formats.base import Format, Snapshot, get, names

__all__ = [
    "Format",
    "Snapshot",
    "get",
    "names",
    "npz",
    "params",
    "placed",
    "safetensors",
    "sharded",
]
