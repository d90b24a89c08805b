"""Tables for a terminal: nothing in them is broken, however narrow the screen is."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console
from rich.text import Text

from initlab.runner.listing import Listing, print_line

KEY = "586c74f50d856781"


def printed(table, width=80, **options):
    out = Console(file=io.StringIO(), width=width, **options)
    table.print(out)
    return out.file.getvalue()


def measured(columns):
    """A table of a path and `columns` figures with headings of two words."""
    made = Listing(
        ("spectrum", "left"), *((f"figure number{at}", "right") for at in range(columns))
    )
    made.add_row("encoder.0.weight", *(f"{at}.234567" for at in range(columns)))
    made.add_row("b", *("-" for _ in range(columns)))
    return made


def test_a_table_that_fits_has_a_line_for_each_row():
    lines = printed(measured(2)).splitlines()
    assert lines == [
        "spectrum          figure number0  figure number1",
        "encoder.0.weight        0.234567        1.234567",
        "b                              -               -",
    ]


def test_headings_of_several_words_are_stacked_before_a_table_is_split():
    lines = printed(measured(2), 40).splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["figure", "figure"],
        ["spectrum", "number0", "number1"],
    ]
    assert len(lines) == 4 and max(map(len, lines)) <= 40


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_table_that_is_too_wide_becomes_several_with_the_first_column_again(width):
    text = printed(measured(15), width)
    tables = text.split("\n\n")
    assert len(tables) > 1 and max(map(len, text.splitlines())) <= width
    for table in tables:
        first, second = (line.split()[0] for line in table.splitlines()[-2:])
        assert (first, second) == ("encoder.0.weight", "b")
    words = text.split()
    assert all(f"{at}.234567" in words and f"number{at}" in words for at in range(15))


def test_what_fits_in_no_table_becomes_a_block_of_lines_for_each_row():
    made = Listing(("run", "left"), ("stream key", "left"), ("what", "left"))
    made.add_row(f"he-seed0-{KEY}", KEY, "")
    made.add_row("", KEY, "the law of 0.weight is another one: " * 3)
    text = printed(made, 40)
    first, second = text.split("\n\n")
    assert first.splitlines() == [f"run         he-seed0-{KEY}", f"stream key  {KEY}"]
    assert "run " not in second and max(map(len, text.splitlines())) <= 40
    assert "the law of 0.weight is another" in " ".join(second.split())


def test_a_cell_that_is_wider_than_the_screen_is_whole():
    made = Listing(("path", "left"), ("value", "right"))
    made.add_row("p" * 100, "1.5")
    assert "p" * 100 in printed(made).split()


def test_cells_are_no_markup_and_keep_their_style():
    made = Listing(("path", "left"), ("verdict", "left"))
    made.add_row("[red]x[/red]", Text("off", "bold red"))
    assert "[red]x[/red]  off" in printed(made)
    coloured = printed(made, force_terminal=True, color_system="standard", no_color=False)
    assert "\x1b[1;31moff" in coloured


def test_a_quiet_console_prints_nothing():
    assert printed(measured(2), quiet=True) == ""


def test_a_long_table_is_printed_at_once():
    made = Listing(("path", "left"), ("verdict", "left"))
    for number in range(20_000):
        made.add_row(f"{number}.weight", Text("ok", "green"))
    started = time.process_time()
    assert printed(made, force_terminal=True, color_system="standard").count("\n") == 20_001
    assert time.process_time() - started < 5


def test_the_last_columns_stay_together():
    made = Listing(*((name, "left") for name in ("path", "law", "declared", "measured", "z")))
    made.add_row("0.weight", "TruncatedNormal(0, 0.1)", "0.125", "0.1237", "-1.6")
    first, second = printed(made, 44).split("\n\n")
    assert first.split()[:2] == ["path", "law"]
    assert second.split()[:4] == ["path", "declared", "measured", "z"]


def test_a_row_that_is_empty_in_a_part_has_no_line_there():
    made = Listing(("run", "left"), ("words", "left"), ("why", "left"))
    made.add_row("one", "w" * 30, "y" * 30)
    made.add_row("", "", "z" * 30)
    first, second = printed(made, 40).split("\n\n")
    assert len(first.splitlines()) == 2 and len(second.splitlines()) == 3


def test_a_sentence_is_broken_between_words_only_and_what_follows_is_set_off():
    out = Console(file=io.StringIO(), width=20)
    path = "outputs/runs/normal-seed0-0123456789abcdef"
    print_line(out, f"\nverified [all] of {path}: twelve tensors")
    assert out.file.getvalue().splitlines() == [
        "",
        "verified [all] of",
        f"    {path}:",
        "    twelve tensors",
    ]


def test_rows_with_long_keys_stand_below_them_where_that_takes_fewer_lines():
    made = Listing(("spectrum", "left"), *((f"figure{at}", "right") for at in range(8)))
    paths = [f"blocks.0…23.block.attention.projection{n}_weight" for n in "ab"]
    for path in paths:
        made.add_row(path, *(f"{at}.25 … {at}.75" for at in range(8)))
    lines = printed(made).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) == 2 * 6 + 1
    assert lines[:1] == ["spectrum"] and lines[2] == paths[0] and lines[4] == paths[1]
    numbers = [text for line in lines for text in line.split() if text.endswith((".25", ".75"))]
    assert len(numbers) == 2 * 2 * 8
    assert "figure7" in lines[8] and "7.75" in lines[10]


def test_the_first_cell_of_each_row_may_stand_above_it():
    table = Listing(("path", "left"), ("state", "left"), ("loss", "right"))
    table.add_row("a path that is long", "finished", "2.5")
    assert not table.fits(25) and table.fits(25, above=True) and not table.fits(15, above=True)
    out = Console(file=io.StringIO(), width=25, color_system=None)
    table.print(out, above=True)
    assert out.file.getvalue().splitlines() == [
        "path",
        "  state     loss",
        "a path that is long",
        "  finished   2.5",
    ]
