"""The pages of docs/reference are what the classes say now, and Markdown shows them as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import initlab.runner.commands  # noqa: F401  registers the commands
from initlab.runner.reference.groups import groups
from initlab.runner.reference.pages import anchor, cell, code_cell, markdown, pages

FOLDER = Path(__file__).parents[3] / "docs" / "reference"


def test_the_committed_pages_are_those_that_the_classes_give():
    made = pages()
    assert {file.name for file in FOLDER.glob("*.md")} == made.keys()
    differ = [name for name in made if (FOLDER / name).read_text(encoding="utf-8") != made[name]]
    assert differ == [], "run: python docs/write_reference.py"


def test_every_name_has_a_heading_and_a_line_that_links_to_it():
    for group in groups().values():
        text = pages_of(group.name)
        for name in group.entries():
            assert f"\n## {name}\n" in text
            assert f"](#{anchor(name)})" in text


def pages_of(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_a_link_of_a_page_leads_somewhere():
    for file in FOLDER.glob("*.md"):
        text = file.read_text(encoding="utf-8")
        headings = {anchor(one) for one in re.findall(r"^## (.*)$", text, re.MULTILINE)}
        for target in re.findall(r"\]\(([^)]+)\)", text):
            known = target[1:] in headings if target[0] == "#" else (FOLDER / target).is_file()
            assert known, (file.name, target)


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for file in FOLDER.glob("*.md"):
        for block in file.read_text(encoding="utf-8").split("\n\n"):
            if block.startswith("| "):
                counts = {len(re.findall(r"(?<!\\)\|", row)) for row in block.split("\n")}
                assert len(counts) == 1, (file.name, block)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("c* of `a*b`", "c\\* of `a*b`"),
        ("<name> [a](b)", "\\<name> \\[a\\](b)"),
        ("fan_in", "fan\\_in"),
    ],
)
def test_what_is_no_code_is_no_markup(text, shown):
    assert markdown(text) == shown


def test_a_bar_in_a_table_is_no_border():
    assert cell("|x|\ny") == "\\|x\\| y"
    assert code_cell("a|b") == "`a\\|b`"


def test_the_page_of_commands_names_their_arguments():
    text = pages_of("commands")
    assert "| `--lock FILE` |" in text
    assert "| `--all` |" in text
    assert "initlab verify DIR ..." in text
