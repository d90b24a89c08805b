"""`docs/gluon-differences.md` says what is: each block that differs, with the very texts that MXNet
and the engine print.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gluon import test_recorded
from gluon.test_recorded import BLOCKS, DIFFERENT, SESSION, canonical, printed_by_session

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "gluon-differences.md").read_text(encoding="utf-8")
SECTION = re.compile(
    r"^## Line (\d+): .*?\n\n(.+?)\n\nMXNet:\n\n```text\n(.*?)\n```\n\nThe engine:\n\n```text\n(.*?)\n```",
    re.S | re.M,
)
SECTIONS = {
    int(line): (reason, theirs, ours) for line, reason, theirs, ours in SECTION.findall(DOCUMENT)
}
NAMES_OF_A_MODULE = 129
"""Its last line also depends on the version of Python."""


def test_the_document_has_a_section_for_each_block_that_differs_and_no_other():
    assert set(SECTIONS) == set(DIFFERENT)
    assert all(len(reason) > 40 for reason, _, _ in SECTIONS.values())


def lines(text: str) -> list[str]:
    """Return the lines to compare: white space folded, addresses and numbers masked."""
    return [test_recorded.NUMBER.sub("#", canonical(line)) for line in text.splitlines()]


@pytest.mark.parametrize("line", sorted(DIFFERENT))
def test_both_texts_are_what_is_printed(line, tmp_path):
    block = next(block for block in BLOCKS if block["line"] == line)
    printed = printed_by_session(SESSION if line in SESSION else (line,), str(tmp_path))[line]
    _, theirs, ours = SECTIONS[line]
    assert set(lines(theirs)) <= set(lines(block["text"]))
    if line != NAMES_OF_A_MODULE:
        assert set(lines(ours)) <= set(lines(printed))


def test_every_test_that_is_named_exists():
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", DOCUMENT))
    assert len(named) > 5
    assert all((ROOT / name).exists() for name in named)
