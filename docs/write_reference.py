"""Write the pages of docs/reference from the classes: `python docs/write_reference.py`. A test holds the
pages against it.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import initlab.runner.commands  # noqa: E402, F401  registers the commands
from initlab.runner.reference.pages import pages  # noqa: E402


def main() -> None:
    """Write every page, and remove those of groups that are no more."""
    folder = ROOT / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    made = pages()
    for old in set(folder.glob("*.md")) - {folder / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
