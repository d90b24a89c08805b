"""Folders of finished runs, written by hand, so that tests of lists need not make runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = "0123456789abcdef" * 4


def keep(
    folder: Path,
    words: Sequence[str] = (),
    config: Mapping[str, object] | None = None,
    figures: Mapping[str, object] | None = None,
    **fields: object,
) -> Path:
    """Write a manifest that can be read, and statistics with these figures; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "format": "initlab-manifest-1",
        "run_id": folder.name,
        "name": folder.parent.name,
        "config": dict(config or {}),
        "canonical": {},
        "overrides": list(words),
        "stream": "initlab-1",
        "digests": {"tensors": {}, "root": ROOT},
        "aliases": {},
        "snapshot": None,
        "plugins": [],
        "versions": {},
        "seconds": 0.5,
        **fields,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    stats = {"parameters": [], "figures": dict(figures or {})}
    (folder / "stats.json").write_text(json.dumps(stats))
    return folder
