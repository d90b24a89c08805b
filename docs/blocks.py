"""Run the marked blocks of the documents and compare what they print with what the pages show.

    python docs/blocks.py                          check README.md and every page of docs/
    python docs/blocks.py docs/torch.md            check one page
    python docs/blocks.py --write docs/torch.md    put what is printed now into the page

A mark is an HTML comment on the line above a fence. GitHub and the site show no comments.

    <!-- run -->            The block is run. `console` or `text`: each line that begins with `$ ` is a
                            command, and what follows is its output. `sh`: the commands. `python`: the
                            code; the Python blocks of a page share their names.
    <!-- run exit=2 -->     The same, where the last command of the block ends with this exit code.
    <!-- prints -->         The block is the output of the `sh` or `python` block before it.
    <!-- file PATH -->      The block is written to this file of the page's folder.

These stand alone:

    <!-- copy PATH … -->        Copy files or folders of the repository into the page's folder.
    <!-- do COMMAND -->         Run a command that the reader does not see.
    <!-- keep FILE TARGET -->   The commands made FILE (a pattern), and the page shows it as TARGET, a path
                                relative to the page. `--write` copies it there.
    <!-- needs MODULE … -->     Check the page only where these modules are installed.

The blocks of a page run in their order, in one folder that is empty at first, 80 columns wide. Durations,
dates, versions and the place of that folder may differ from what the page shows. In an output, a line `…`
stands for any number of lines.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("run", "prints", "file", "copy", "do", "keep", "needs")
ALONE = ("copy", "do", "keep", "needs")
COMMENT = re.compile(r"<!--\s*(\S+)\s*(.*?)\s*-->")
FENCE = re.compile(r"(```+)(\w*)")
VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?)?"), "<date>"),
    (re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b"), "<date>"),
    (re.compile(r"\b\d+(\.\d+)? ?(h|min|s|ms|µs)\b"), "<time>"),
    (re.compile(r"\b\d+\.\d+\.\d+[\w.+-]*"), "<version>"),
)
"""What may differ between two runs of one command."""
LOOP = """
import contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(json.loads(line), "page", "exec"), names)
        except Exception:
            code, _ = 1, out.write(traceback.format_exc())
    print(json.dumps([code, out.getvalue()]), flush=True)
"""


class PageError(Exception):
    """A mark that is none, a command with another exit code, or an output that is not as shown."""


@dataclass
class Block:
    """A mark and the lines of the fence below it, of which `first` is the index of the first."""

    mark: str
    words: str
    line: int
    language: str = ""
    first: int = 0
    lines: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The marked blocks of a page, in order. PageError for an unknown mark, or one without a fence."""
    lines, found, index = text.splitlines(), [], 0
    while index < len(lines):
        fence, comment = FENCE.match(lines[index]), COMMENT.fullmatch(lines[index].strip())
        if fence:
            index = end_of(lines, index)
        elif comment:
            found.append(block := Block(comment[1], comment[2], index + 1))
            if block.mark not in MARKS:
                raise PageError(f"line {index + 1}: no mark {block.mark!r}. {nearest(block.mark)}")
            if block.mark not in ALONE:
                index += 1
                fence = FENCE.match(lines[index]) if index < len(lines) else None
                if fence is None:
                    raise PageError(f"line {index}: {block.mark!r} stands above a fence (```)")
                end = end_of(lines, index)
                block.language, block.first = fence[2], index + 1
                block.lines, index = lines[index + 1 : end], end
        index += 1
    return found


def end_of(lines: list[str], index: int) -> int:
    """The index of the line that closes the fence at `index`."""
    fence = FENCE.match(lines[index])
    assert fence is not None
    for end in range(index + 1, len(lines)):
        if lines[end].strip() == fence[1]:
            return end
    raise PageError(f"line {index + 1}: the fence is not closed")


def nearest(mark: str) -> str:
    """Which mark was perhaps meant, and the known ones."""
    close = difflib.get_close_matches(mark, MARKS, 1)
    meant = f"Did you mean {close[0]!r}? " if close else ""
    return f"{meant}Known: {', '.join(MARKS)}"


def needs(text: str) -> list[str]:
    """The modules that a page needs and that are not installed."""
    named = [
        name for block in blocks(text) if block.mark == "needs" for name in block.words.split()
    ]
    return [name for name in named if importlib.util.find_spec(name) is None]


class Folder:
    """The folder that the blocks of one page run in, and the Python that its Python blocks share."""

    def __init__(self, path: Path, tools: Path) -> None:
        """`path` is where commands run; a command `initlab` of this checkout is made in `tools`."""
        self.path = path.resolve()
        command = tools / "initlab"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m initlab "$@"\n')
        command.chmod(0o755)
        search = [str(tools), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("INITLAB_", "PYTEST_")) and key not in ("CI", "FORCE_COLOR")
        }
        self.environment = kept | {
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PATH": os.pathsep.join(search),
            "PYTHONPATH": str(ROOT),
            "TERM": "dumb",
        }
        self.python: subprocess.Popen[str] | None = None

    def shell(self, command: str) -> tuple[int, str]:
        """Run a command of a shell; its exit code and what it printed."""
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout.replace(f"{self.path}/", "")

    def execute(self, code: str) -> tuple[int, str]:
        """Execute Python code; 1 with the traceback if it raises, else 0 with what it printed."""
        if self.python is None:
            self.python = subprocess.Popen(
                [sys.executable, "-c", LOOP],
                cwd=self.path,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self.python.stdin is not None and self.python.stdout is not None
        print(json.dumps(code), file=self.python.stdin, flush=True)
        code_, printed = json.loads(self.python.stdout.readline() or '[1, "Python ended"]')
        return code_, printed.replace(f"{self.path}/", "")

    def close(self) -> None:
        """End the Python of the page."""
        if self.python is not None:
            self.python.communicate()


def same(shown: list[str], printed: list[str]) -> bool:
    """Whether an output is as shown, where `…` is any number of lines and what varies may differ."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(steady(line)) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(steady(line) + "\n" for line in printed)) is not None


def steady(line: str) -> str:
    """A line without what varies. Where something varies, so may the widths of columns."""
    found = line.rstrip()
    for pattern, name in VARIES:
        found = pattern.sub(name, found)
    return re.sub(r"[ ─-]{2,}", "  ", found) if found != line.rstrip() else found


def run_page(page: Path, write: bool = False) -> int:
    """Run the marked blocks of a page; the number of commands.

    PageError lists every output that is not as shown. With `write` the page gets what is printed instead.
    """
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        (path := Path(scratch) / "page").mkdir()
        (tools := Path(scratch) / "tools").mkdir()
        folder = Folder(path, tools)
        try:
            results = list(perform(page, text, folder, write))
        finally:
            folder.close()
    wrong = [(block, lines) for block, lines in results if not same(block.lines, lines)]
    if write and wrong:
        kept = text.splitlines()
        for block, lines in reversed(wrong):
            kept[block.first : block.first + len(block.lines)] = lines
        page.write_text("\n".join(kept) + "\n", encoding="utf-8")
    elif wrong:
        raise PageError("\n".join(difference(block, lines) for block, lines in wrong))
    return len(results)


def difference(block: Block, printed: list[str]) -> str:
    """What the page shows and what is printed, as a diff."""
    lines = difflib.unified_diff(block.lines, printed, "shown", "printed", lineterm="", n=1)
    return "\n".join([f"line {block.line}: not what is printed", *lines])


def perform(
    page: Path, text: str, folder: Folder, write: bool
) -> Iterator[tuple[Block, list[str]]]:
    """Do what the marks say; each block that shows an output, and the lines that are printed."""
    printed = ""
    for block in blocks(text):
        if block.mark == "run" and block.language in ("console", "text"):
            yield block, session(block, folder)
        elif block.mark == "run":
            run = folder.execute if block.language == "python" else folder.shell
            code, printed = run("\n".join(block.lines) + "\n")
            expect(block, code, printed)
        elif block.mark == "prints":
            yield block, printed.splitlines()
        elif block.mark == "file":
            (target := folder.path / block.words).parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
        elif block.mark == "do":
            expect(block, *folder.shell(block.words))
        elif block.mark == "copy":
            copy(block.words.split(), folder.path)
        elif block.mark == "keep":
            keep(block, folder.path, page, write)


def session(block: Block, folder: Folder) -> list[str]:
    """Run each `$ ` line of a block; the block with what is printed now."""
    starts = [index for index, line in enumerate(block.lines) if line.startswith("$ ")]
    found: list[str] = []
    for start in starts:
        end = start + 1
        while block.lines[end - 1].endswith("\\") and end < len(block.lines):
            end += 1
        command = block.lines[start:end]
        code, printed = folder.shell("\n".join(command)[2:])
        expect(block, code, printed, last=start == starts[-1])
        gap = [""] if start and not block.lines[start - 1] else []
        found += [*gap, *command, *(line.rstrip() for line in printed.rstrip("\n").splitlines())]
    return found


def expect(block: Block, code: int, printed: str, last: bool = True) -> None:
    """PageError if a command ended with another exit code than the mark says."""
    said = re.search(r"exit=(\d+)", block.words) if block.mark == "run" and last else None
    if code != (wanted := int(said[1]) if said else 0):
        raise PageError(f"line {block.line}: exit code {code}, not {wanted}\n{printed}")


def copy(names: list[str], folder: Path) -> None:
    """Copy files or folders of the repository into the folder of a page, under their last name."""
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / source.name)
        else:
            shutil.copy(source, folder / source.name)


def keep(block: Block, folder: Path, page: Path, write: bool) -> None:
    """Check that a command made the file and that the page has its copy; with `write`, copy it."""
    made, target = block.words.split()
    found = sorted(folder.glob(made))
    if len(found) != 1:
        raise PageError(f"line {block.line}: {len(found)} files {made!r} were made")
    if write:
        (page.parent / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found[0], page.parent / target)
    elif not (page.parent / target).is_file():
        raise PageError(f"line {block.line}: no file {target}: run --write")


def pages() -> list[Path]:
    """Every page with a marked block."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if blocks(page.read_text(encoding="utf-8"))]


def main(words: list[str]) -> int:
    """Check or write the named pages, or all; 1 if one is not as its commands print."""
    parser = argparse.ArgumentParser(prog="docs/blocks.py", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    parser.add_argument(
        "page", nargs="*", type=Path, help="README.md or a page of docs/; all without it"
    )
    chosen = parser.parse_args(words)
    failed = 0
    for page in chosen.page or pages():
        missing = needs(page.read_text(encoding="utf-8"))
        try:
            said = (
                f"needs {', '.join(missing)}"
                if missing
                else f"{run_page(page, chosen.write)} blocks"
            )
        except PageError as error:
            said, failed = str(error), 1
        print(f"{page}: {said}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
