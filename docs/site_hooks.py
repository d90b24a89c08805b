"""What mkdocs does to our pages for the site: README.md becomes its first page, the other pages of the
repository's root are added, and the name of a page in code, like `docs/torch.md`, becomes a link to it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
ADDED = {
    "README.md": "index.md",
    "SECURITY.md": "reporting.md",  # beside security.md, where a file system knows no capitals
    "ARCHITECTURE.md": "ARCHITECTURE.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
}
"""Page of the root -> its name in the site."""
NAMED = re.compile(r"(?<![\[`])`((?:docs/)?([\w/-]+\.md)(#[\w-]+)?)`")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the root."""
    for name, page in ADDED.items():
        if (ROOT / name).is_file():
            files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(text: str, page: Any, config: Any, files: Files) -> str:
    """Let the links of a page lead to the site's pages."""
    known = {file.src_uri for file in files}
    below = page.file.src_uri.count("/")

    def link(path: str) -> str | None:
        """Return the address of a page that is named as in the repository, or None."""
        name = path.removeprefix("docs/")
        name = ADDED.get(path, name)
        return "../" * below + name if name in known else None

    def named(found: re.Match[str]) -> str:
        address = link(found[1].partition("#")[0])
        return found[0] if address is None else f"[{found[0]}]({address}{found[3] or ''})"

    def linked(found: re.Match[str]) -> str:
        path = re.sub(r"^(\.\./)+", "", found[1])
        beside = path == found[1] and page.file.src_uri not in ADDED.values()
        address = None if beside else link(path)
        return found[0] if address is None else f"]({address}{found[2] or ''})"

    def prose(part: str) -> str:
        return re.sub(r"\]\(([^)#:]+)(#[^)]+)?\)", linked, NAMED.sub(named, part))

    parts = FENCE.split(text)
    fences = [*FENCE.findall(text), ""]
    return "".join(prose(part) + fence for part, fence in zip(parts, fences, strict=True))
