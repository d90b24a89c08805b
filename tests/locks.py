"""The contents of lock files in tests, and changes to them."""

from __future__ import annotations

import json
from pathlib import Path

SMALL = [
    "model.layers=[{kind: dense, units: 4, activation: relu}, {kind: dense, units: 2}]",
    "model.input=[3]",
    "probe=none",
]


def change(path: Path, alter) -> None:
    content = json.loads(path.read_text())
    alter(content)
    path.write_text(json.dumps(content))
