"""The first rows of a table fit a screen, and are safe in a notebook."""

from __future__ import annotations

import pytest

from initlab.runner.excerpt import MOST, WIDTH, Excerpt, shortened


def table(count, *cells):
    return Excerpt("Title", tuple("abc")[: len(cells)], [cells] * min(count, MOST), count)


def test_a_short_table_is_shown_whole():
    assert table(2, "x", "long").text().splitlines() == ["Title", "a  b", "x  long", "x  long"]


def test_a_long_table_says_how_many_rows_are_left_out():
    lines = table(300, "x", "y").text().splitlines()
    assert len(lines) == MOST + 3
    assert lines[-1] == "… 280 more"


def test_an_empty_table_is_its_title():
    assert Excerpt("Nothing", ("a",), [], 0).text() == "Nothing"


@pytest.mark.parametrize("cells", [("p" * 200, "x"), ("p" * 60, "q" * 60, "z"), ("p" * 500,) * 3])
def test_no_line_is_wider_than_a_screen_and_a_long_cell_lacks_its_middle(cells):
    lines = table(1, *cells).text().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "…" in lines[-1] and lines[-1].startswith("p")


def test_every_cell_is_escaped_in_html():
    html = Excerpt("<b>", ("<i>",), [("<script>",)], 2).html()
    assert "<script>" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;script&gt;" in html and "… 1 more" in html


def test_what_cannot_be_printed_is_shown_as_python_writes_it():
    shown = Excerpt("a\nb", ("path", "x"), [("0.w\neight\x1b[31m", "é\udc80")], 1)
    assert shown.text().splitlines() == [
        "a\\nb",
        "path                x",
        "0.w\\neight\\x1b[31m  é\\udc80",
    ]
    assert "<td>0.w\\neight\\x1b[31m</td><td>é\\udc80</td>" in shown.html()
    assert shortened("\n" * 100) == "\\n" * 19 + "\\…" + "\\n" * 20
