"""The documents are true: what they show is what the program prints, has and accepts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_architecture_shows_the_rooms_as_they_are():
    command = [sys.executable, str(ROOT / "docs" / "rooms.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_every_page_of_docs_is_named_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [
        page.name
        for page in sorted((ROOT / "docs").glob("*.md"))
        if f"docs/{page.name}" not in readme
    ] == []
